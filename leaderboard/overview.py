"""Systems over all tasks: mean ranks, coverage, and what the tasks together say of two systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

from benchmark.metrics import METRICS
from benchmark.records import TaskPart
from benchmark.statistics.tasks import Across, Replicability, across_tasks, replicability
from leaderboard.rows import Group, Place, Section

TRACKS = ("fixed", "open head", "fine-tuned")


@dataclass(frozen=True, eq=False)
class Standing:
    """A system in one track.

    Attributes:
        upstream: Its representation.
        downstream: Its head.
        places: Where it stands, by task: also on tasks that do not count, and where its weights know the task.
        counted: The tasks of those that count in its mean rank.
        covers_all: Whether these are all that count in its track: means over different tasks are not compared.
    """

    upstream: str
    downstream: str
    places: Mapping[str, Place]
    counted: tuple[str, ...]
    covers_all: bool

    @cached_property
    def mean_rank(self) -> float | None:
        """The mean of its ranks; None where no task counts, or not all of them have it."""
        return self._mean([self.places[task].rank for task in self.counted])

    @cached_property
    def best(self) -> float | None:
        """The mean of the best ranks that the tests within the tasks leave possible."""
        return self._mean([self.places[task].best for task in self.counted])

    @cached_property
    def worst(self) -> float | None:
        """The mean of the worst ones."""
        return self._mean([self.places[task].worst for task in self.counted])

    def _mean(self, numbers: Sequence[int | None]) -> float | None:
        known = [number for number in numbers if number is not None]
        return sum(known) / len(known) if known and self.covers_all else None


@dataclass(frozen=True, eq=False)
class Track:
    """The systems of a track over all tasks.

    Attributes:
        name: One of `TRACKS`.
        tasks: Those that count in mean ranks and tests: speaker-independent, with a dev set of its own, spoken by
            people.
        standings: Systems that cover more of these tasks first, then by mean rank, which only those have that cover
            all.
        across: Tests over the tasks that count; None where there are too few tasks or systems.
        wins: For every two systems with a common task, on how many the first is better.
    """

    name: str
    tasks: tuple[str, ...]
    standings: tuple[Standing, ...]
    across: Across | None
    wins: tuple[Replicability, ...]


def counts(task: TaskPart) -> bool:
    """Whether a task counts in mean ranks: its score says something of unseen people."""
    return task.speaker_independent and not task.dev_is_test and not task.corpus.synthetic


def tracks(sections: Sequence[Section], over: frozenset[str] | None = None) -> tuple[Track, ...]:
    """The tracks that there are.

    Args:
        sections: The tasks.
        over: Those of which ranks over tasks are taken; all that count where None.
    """
    found = (_track(name, sections, over) for name in TRACKS)
    return tuple(track for track in found if track.standings)


def _track(name: str, sections: Sequence[Section], over: frozenset[str] | None) -> Track:
    places: dict[tuple[str, str], dict[str, Place]] = {}
    ranked: dict[tuple[str, str], list[str]] = {}
    for section in sections:
        for group in section.groups:
            for place in _of_track(group, name):
                system = (place.row.cell.upstream.name, place.row.cell.downstream.name)
                places.setdefault(system, {})[section.task.name] = place
                is_over = over is None or section.task.name in over
                if is_over and counts(section.task) and group.name == name and place.rank is not None:
                    ranked.setdefault(system, []).append(section.task.name)
    counted = [
        section
        for section in sections
        if counts(section.task) and _group(section, name) and (over is None or section.task.name in over)
    ]
    standings = [
        Standing(*system, places[system], of := tuple(ranked.get(system, ())), len(of) == len(counted))
        for system in sorted(places)
    ]
    standings.sort(key=lambda one: (-len(one.counted), one.mean_rank or 0))
    scores = {section.task.name: _scores(section, name) for section in counted}
    wins = _wins(counted, standings)
    tasks = tuple(section.task.name for section in counted)
    return Track(name, tasks, tuple(standings), across_tasks(scores), wins)


def _of_track(group: Group, name: str) -> Sequence[Place]:
    if group.name == "contaminated":
        return [place for place in group.places if place.row.cell.track == name]
    return group.places if group.name == name else ()


def _group(section: Section, name: str) -> Group | None:
    return next((group for group in section.groups if group.name == name), None)


def _scores(section: Section, name: str) -> dict[str, float]:
    group, metric = _group(section, name), section.analysis.metric
    sign = 1 if metric.higher_is_better else -1
    places = group.places if group else ()
    return {
        place.row.cell.name: sign * place.row.scores[metric.name].mean for place in places if place.rank is not None
    }


def _wins(sections: Sequence[Section], standings: Sequence[Standing]) -> tuple[Replicability, ...]:
    better = {name: metric.higher_is_better for name, metric in METRICS.items()}
    found = []
    for a, b in permutations(standings, 2):
        common = [section for section in sections if section.task.name in a.counted and section.task.name in b.counted]
        names = (f"{a.upstream} + {a.downstream}", f"{b.upstream} + {b.downstream}")
        if common:
            found.append(replicability([section.analysis.pairs[names] for section in common], better))
    return tuple(found)
