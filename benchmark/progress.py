"""How a run tells where it is, whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
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


class Unheard:
    """Progress of a process that nobody watches: records tell of units, and what stops a run is raised."""

    def stage(self, title: str, total: int) -> AbstractContextManager[Callable[[float], None]]:
        """Any stage."""
        del title, total
        return nullcontext(lambda count: None)

    def encoding(
        self, title: str, utterances: int, seconds: float
    ) -> AbstractContextManager[Callable[[int, float], None]]:
        """Any encoding."""
        del title, utterances, seconds
        return nullcontext(lambda count, audio: None)

    def note(self, text: str) -> None:
        """Whoever plans has said it already."""

    def problem(self, text: str) -> None:
        """Likewise."""
