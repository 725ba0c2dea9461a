"""The same corpus and classes with test speakers in train too: what the literature's random splits would report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaderboard.rows import Place, Section

System = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Twin:
    """A task whose test speakers are in train too.

    Attributes:
        name: Of the task.
        scores: By the primary metric, of each complete system.
    """

    name: str
    scores: Mapping[System, float]


def twin_of(section: Section, sections: Sequence[Section]) -> Twin | None:
    """The first of some tasks that differs from a task of unseen speakers in that test speakers are also in train.

    Args:
        section: The task; one whose speakers are known has none.
        sections: Where it is sought.
    """
    task = section.task
    if not task.speaker_independent:
        return None
    same = (task.corpus.name, task.outputs, task.metrics[0])
    for other in sections:
        its = other.task
        if not its.speaker_independent and (its.corpus.name, its.outputs, its.metrics[0]) == same:
            metric = task.metrics[0]
            return Twin(its.name, {system(place): place.row.scores[metric].mean for place in complete(other)})
    return None


def complete(section: Section) -> list[Place]:
    """The places of a task that have a score, group by group."""
    return [place for group in section.groups for place in group.places if place.row.scores]


def system(place: Place) -> System:
    """Upstream and downstream of a place."""
    return place.row.cell.upstream.name, place.row.cell.downstream.name
