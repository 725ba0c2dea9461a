"""How a run tells where it is, whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Progress(Protocol):
    """What a run reports to."""

    def stage(self, title: str, total: int) -> AbstractContextManager[Callable[[float], None]]:
        """A stage of known length; the context gives a function that is called with what was just finished.

        A part of one of the things that are counted may be told too, as 0.1.
        """

    def encoding(
        self, title: str, utterances: int, seconds: float
    ) -> AbstractContextManager[Callable[[int, float], None]]:
        """Encoding so many utterances, so many seconds of audio; the function is called with what was just encoded."""

    def note(self, text: str) -> None:
        """Say something worth knowing."""

    def problem(self, text: str) -> None:
        """Say something that went wrong, also where progress is not shown."""
