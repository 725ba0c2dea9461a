"""The parameters of point-wise layers on a learnt layer sum."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from downstreams.params.frames import Fraction, FramesParams
from downstreams.params.gradient import Count


class DenseParams(FramesParams):
    """The keys of every head of frames, and those of the two layers."""

    hidden: Count = Field(description="width of both layers")
    dropout: Fraction = Field(description="share of the values of each layer that training drops")
    second: Literal["dense", "lstm"] = Field(description="the second layer: dense on every frame, or an LSTM over them")
    activation: Literal["relu", "tanh"] = Field(
        "relu", description="of the values of the LSTM; its gates are logistic. The dense layers have ReLU"
    )
