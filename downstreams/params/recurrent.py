"""The parameters of GRUs over frames."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from downstreams.params.frames import FramesParams
from downstreams.params.gradient import Count


class RecurrentParams(FramesParams):
    """The keys of every head of frames, and those of the GRU."""

    time_convolution: Count | None = Field(
        description="frames that a convolution before the GRU sees at once; its outputs, as many as its inputs, stand "
        "beside these. Null for none"
    )
    hidden: Count = Field(description="width of the GRU")
    depth: Count = Field(description="layers of the GRU")
    embedding: Count = Field(description="width of the layer after it")
    readout: Literal["last", "mean"] = Field(description="what is read of the GRU: its last frame, or the mean of all")
