"""The parameters of a trained probe on means."""

from __future__ import annotations

from benchmark.types import Needs
from downstreams.params.frames import FramesParams


class XaresMLPParams(FramesParams):
    """The keys of every head of frames; each utterance has one, the mean of its own."""

    @property
    def needs(self) -> Needs:
        """Means, which are all that it reads."""
        return "mean"
