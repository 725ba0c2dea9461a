"""The parameters of a transformer encoder over frames."""

from __future__ import annotations

from pydantic import Field, model_validator

from downstreams.params.frames import Fraction, FramesParams
from downstreams.params.gradient import Count


class TransformerParams(FramesParams):
    """The keys of every head of frames, and those of the encoder and the layers after it."""

    width: Count = Field(description="of the encoder, into which frames are projected")
    heads: Count = Field(description="attention heads, which divide the width")
    blocks: Count = Field(description="blocks of the encoder")
    feedforward: Count = Field(description="width inside a block")
    fully_connected: tuple[Count, ...] = Field(
        description="widths of the layers with ReLU after the mean over frames; an output layer follows"
    )
    dropout: Fraction = Field(description="share of the values of each block and layer that training drops")

    @model_validator(mode="after")
    def _divides(self) -> TransformerParams:
        if self.width % (2 * self.heads):
            raise ValueError(f"width is {self.width}, which is no even number for each of {self.heads} heads")
        return self
