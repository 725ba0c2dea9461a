"""The parameters of two linear layers around a mean over frames."""

from __future__ import annotations

from pydantic import Field

from downstreams.params.frames import Fraction, FramesParams
from downstreams.params.gradient import Count


class LinearParams(FramesParams):
    """The keys of every head of frames, and the hidden layer."""

    hidden: Count = Field(description="width of the layer before the mean over frames")
    dropout: Fraction = Field(0.0, description="share of the hidden values that training drops")
