"""Systems over all tasks: mean ranks, coverage, and what the tasks together say of two systems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import numpy as np

from benchmark.records import TaskPart
from benchmark.statistics.replicability import Replicability, every_replicability
from benchmark.statistics.spread import TESTED_SPEAKERS
from benchmark.statistics.tasks import Across, SignedRanks, across_tasks, signed_ranks
from leaderboard.rows import Group, Place, Section

TRACKS = ("fixed", "open head", "fine-tuned")
System = tuple[str, str]  # names of upstream and downstream


@dataclass(frozen=True)
class Ranked:
    """Where a system stands on a task among some others.

    Attributes:
        rank: Its rank; equal scores share their mean.
        best: The best rank that the tests leave possible.
        worst: The worst one.
    """

    rank: float
    best: int
    worst: int


@dataclass(frozen=True, eq=False)
class Standing:
    """A system in one track.

    Attributes:
        upstream: Its representation.
        downstream: Its head.
        places: Where it stands, by task: also on tasks that do not count, and where its weights know the task.
        counted: The tasks of those that count in mean ranks that it has a rank on.
        ranks: By task, where it stands among the systems of its track that have all the tasks that count; empty for
            one that has not, as means over different tasks, or among different systems, are not compared.
    """

    upstream: str
    downstream: str
    places: Mapping[str, Place]
    counted: tuple[str, ...]
    ranks: Mapping[str, Ranked]

    @property
    def name(self) -> str:
        """The system, as it is shown."""
        return _name(self.upstream, self.downstream)

    @property
    def control(self) -> bool:
        """Whether it is no system but what every system must beat."""
        return any(place.row.cell.control for place in self.places.values())

    @cached_property
    def mean_rank(self) -> float | None:
        """The mean over corpora of its ranks, of those on the tasks of a corpus their mean.

        None where no task counts, or the system has not run all that do.
        """
        return self._mean(lambda one: one.rank)

    @cached_property
    def best(self) -> float | None:
        """The mean of the best ranks that the tests within the tasks leave possible."""
        return self._mean(lambda one: one.best)

    @cached_property
    def worst(self) -> float | None:
        """The mean of the worst ones."""
        return self._mean(lambda one: one.worst)

    def _mean(self, of: Callable[[Ranked], float]) -> float | None:
        ranks: dict[str, list[float]] = {}
        for task, ranked in self.ranks.items():
            ranks.setdefault(tested_corpus(self.places[task].row.cell.task), []).append(of(ranked))
        return fmean(fmean(of_corpus) for of_corpus in ranks.values()) if ranks else None


@dataclass(frozen=True, eq=False)
class Track:
    """The systems of a track over all tasks.

    Attributes:
        name: One of `TRACKS`.
        tasks: Those that count in mean ranks and tests: speaker-independent, with a dev set of its own, spoken by
            people, of whom more than two are tested.
        standings: Systems that cover more of these tasks first, then by mean rank, which only those have that cover
            all; controls last.
        corpora: What these tasks test on: each is one block.
        across: Friedman's and Nemenyi's tests over corpora; None where there are too few of them, or of systems.
        signed: Wilcoxon's test of every two systems with enough corpora in common.
        wins: For every two systems with a common task, on how many corpora the first is better; all counts together
            hold with 95 % confidence.
    """

    name: str
    tasks: tuple[str, ...]
    standings: tuple[Standing, ...]
    corpora: tuple[str, ...]
    across: Across | None
    signed: tuple[SignedRanks, ...]
    wins: tuple[Replicability, ...]


def counts(task: TaskPart) -> bool:
    """Whether a task counts in mean ranks: its score says something of unseen people."""
    is_honest = task.speaker_independent and not task.dev_is_test and task.bridge is None
    return is_honest and not task.corpus.synthetic


def is_ranked_over(section: Section) -> bool:
    """Whether a task counts in mean ranks: it does by its protocol, and tests enough people.

    Where so few are tested that nothing is told apart, as in a split with two test speakers, ranks say nothing of
    others.
    """
    return counts(section.task) and (section.effective is None or section.effective >= TESTED_SPEAKERS)


def tested_corpus(task: TaskPart) -> str:
    """The corpus whose speakers a task tests on."""
    return task.corpus.names[-1]


def tracks(sections: Sequence[Section], over: frozenset[str] | None = None) -> tuple[Track, ...]:
    """The tracks that there are.

    Args:
        sections: The tasks.
        over: Those of which ranks over tasks are taken; all that count where None.
    """
    found = (_track(name, sections, over) for name in TRACKS)
    return tuple(track for track in found if track.standings)


def _track(name: str, sections: Sequence[Section], over: frozenset[str] | None) -> Track:
    places: dict[System, dict[str, Place]] = {}
    ranked: dict[System, list[str]] = {}
    for section in sections:
        for group in section.groups:
            for place in _of_track(group, name):
                system = (place.row.cell.upstream.name, place.row.cell.downstream.name)
                places.setdefault(system, {})[section.task.name] = place
                is_over = over is None or section.task.name in over
                if is_over and is_ranked_over(section) and group.name == name and place.rank is not None:
                    ranked.setdefault(system, []).append(section.task.name)
    counted = [
        section
        for section in sections
        if is_ranked_over(section) and _group(section, name) and (over is None or section.task.name in over)
    ]
    scores = {section.task.name: _scores(section, name) for section in counted}
    everywhere = {system for system, of in ranked.items() if len(of) == len(counted)}
    by_task = {section.task.name: _ranks(section, scores[section.task.name], everywhere) for section in counted}
    standings = [
        Standing(
            *system,
            places[system],
            tuple(ranked.get(system, ())),
            {task: of[system] for task, of in by_task.items() if system in of},
        )
        for system in sorted(places)
    ]
    standings.sort(key=lambda one: (one.control, -len(one.counted), one.mean_rank or 0))
    corpora = {section.task.name: tested_corpus(section.task) for section in counted}
    return Track(
        name,
        tuple(corpora),
        tuple(standings),
        tuple(dict.fromkeys(corpora.values())),
        across_tasks(scores, corpora),
        signed_ranks(scores, corpora),
        _wins(counted, standings),
    )


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


def _ranks(section: Section, scores: Mapping[str, float], systems: Collection[System]) -> dict[System, Ranked]:
    """Where some systems stand among themselves, by their scores, of which higher ones are better."""
    by_name = {_name(*system): system for system in systems}
    points = {name: round(scores[name], 9) for name in by_name}  # no rank is decided by rounding noise
    names = sorted(points, key=lambda name: (-points[name], name))
    ranges = section.analysis.rank_ranges(names) if names else []
    return {
        by_name[name]: Ranked(
            fmean(rank for rank, other in enumerate(names, start=1) if points[other] == points[name]), best, worst
        )
        for name, (best, worst) in zip(names, ranges, strict=True)
    }


def _name(upstream: str, downstream: str) -> str:
    return f"{upstream} + {downstream}"


def _wins(sections: Sequence[Section], standings: Sequence[Standing]) -> tuple[Replicability, ...]:
    counted = [[section.task.name in one.counted for one in standings] for section in sections]
    return every_replicability(
        [section.analysis.pairs.compared for section in sections],
        [one.name for one in standings],
        np.array(counted, dtype=bool).reshape(len(sections), len(standings)),
    )
