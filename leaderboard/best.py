"""The best systems of each corpus, with how many others cannot be told apart from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.languages import in_order
from leaderboard.overview import TRACKS, counts
from leaderboard.rows import Place, Section
from leaderboard.twins import Twin, system, twin_of


@dataclass(frozen=True, eq=False)
class Best:
    """The best system of a task in one track.

    Attributes:
        section: The task.
        track: The track.
        place: The first of it.
        alike: How many others of the track cannot be told apart from it.
        ranked: How many systems the track has on the task.
        twin: The task on the same corpus with known speakers; None where there is none.
    """

    section: Section
    track: str
    place: Place
    alike: int
    ranked: int
    twin: Twin | None

    @property
    def known(self) -> float | None:
        """What the same system scores where test speakers are in train too; None where nobody ran it."""
        return None if self.twin is None else self.twin.scores.get(system(self.place))


def best(sections: Sequence[Section]) -> tuple[Best, ...]:
    """The best of each track on the tasks that count, in reading order; where none counts, on all of them."""
    chosen = [section for section in sections if counts(section.task)] or list(sections)
    found = []
    for section in in_order(chosen):
        for group in section.groups:
            ranked = [place for place in group.places if place.rank is not None]
            if group.name not in TRACKS or not ranked:
                continue
            alike = len(section.leaders(group)) - 1
            found.append(Best(section, group.name, ranked[0], alike, len(ranked), twin_of(section, sections)))
    return tuple(found)
