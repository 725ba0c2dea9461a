"""The parameters of attentive statistics pooling."""

from __future__ import annotations

from pydantic import Field

from downstreams.params.frames import Fraction, FramesParams
from downstreams.params.gradient import Count


class AttentiveStatisticsParams(FramesParams):
    """The keys of every head of frames, and those of the layers after the pooling."""

    hidden: Count = Field(description="width of the layer after the pooling")
    dropout: Fraction = Field(description="share of the pooled and of the hidden values that training drops")
