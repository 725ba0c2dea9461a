"""The parameters of GRUs over frames, utterances and turns."""

from __future__ import annotations

from pydantic import Field, model_validator

from downstreams.params.frames import Fraction, FramesParams
from downstreams.params.gradient import Count


class EPCGRUParams(FramesParams):
    """The keys of every head of frames, and those of the GRUs."""

    hidden: Count = Field(description="width of each of the three GRUs")
    dropout: Fraction = Field(
        description="share of the values between GRUs, and before the output, that training drops"
    )

    @model_validator(mode="after")
    def _is_not_by_speaker(self) -> EPCGRUParams:
        if self.normalisation == "speaker":
            raise ValueError("normalisation: speaker does not suit a head that hears several speakers in one example")
        return self

    @property
    def sequences(self) -> bool:
        """True: it hears the turns before an utterance."""
        return True
