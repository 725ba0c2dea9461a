"""The parameters of the GRU over turns."""

from __future__ import annotations

from pydantic import model_validator

from downstreams.params.trained import TrainedParams


class TurnGRUParams(TrainedParams):
    """The keys of every trained head; `hidden` is the width of the GRU."""

    @model_validator(mode="after")
    def _is_not_by_speaker(self) -> TurnGRUParams:
        if self.normalisation == "speaker":
            raise ValueError("normalisation: speaker does not suit a head that hears several speakers in one example")
        return self

    @property
    def sequences(self) -> bool:
        """True: it hears the turns before an utterance."""
        return True
