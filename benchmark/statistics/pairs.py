"""The difference of two systems on a task: its size with an interval, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.metrics import Metric, find
from benchmark.records.cells import Cell, same_protocol
from benchmark.statistics.distributions import t_quantile
from benchmark.statistics.scores import LEVEL, Array, Scores, cell_scores, effective_speakers, leave_one_out, suited
from benchmark.statistics.spread import MIN_SPEAKERS, TESTED_SPEAKERS, Spread, Variance, jackknife_variance, spread
from benchmark.text import count

# What needs more than one speaker, of a pair that has one.
UNTESTED = dict.fromkeys(("low", "high", "spread", "df", "p", "p_adjusted"))


@dataclass(frozen=True)
class Comparison:
    """The difference of two systems on a task.

    Attributes:
        a: The first system, as it is shown.
        b: The second one.
        task: The task's name.
        corpus: The corpus that the task tests on.
        metric: The metric's name.
        delta: Score of a minus score of b, each the mean over its seeds; for an error, below 0 is good for a.
        low: Lower end of the interval of `delta` for new speakers and seeds; None for a single speaker.
        high: Upper end; None for a single speaker.
        level: Confidence of the interval.
        p: Two-sided p-value of Student's t behind the interval: below 0.05 exactly where the 95 % interval leaves out
            0. None where the speakers are too few for a test.
        p_adjusted: `p` corrected for all pairs of its family.
        family: Which pairs these are: see `benchmark.statistics.families`.
        pairs: How many these are.
        spread: The standard deviation of `delta` over speakers and seeds; None for a single speaker.
        df: The degrees of freedom of `spread`; None for a single speaker.
        utterances: How many were tested.
        cluster: "speaker", or "utterance" (in random groups) where the corpus knows no speakers.
        n_clusters: The number of speakers, or of groups.
        effective_clusters: How many of equal weight they are worth.
        seeds: The number of seeds of a and of b.
    """

    a: str
    b: str
    task: str
    corpus: str
    metric: str
    delta: float
    low: float | None
    high: float | None
    level: float
    p: float | None
    p_adjusted: float | None
    family: str
    pairs: int
    spread: float | None
    df: float | None
    utterances: int
    cluster: str
    n_clusters: int
    effective_clusters: float
    seeds: tuple[int, int]

    @property
    def clusters_text(self) -> str:
        """Its clusters, for people: "12 speakers", or "30 groups" of utterances."""
        return count(self.n_clusters, "speaker" if self.cluster == "speaker" else "group")

    @property
    def significant(self) -> bool:
        """Whether the difference is significant at the 5 % level, corrected for all pairs of its family."""
        return self.p_adjusted is not None and self.p_adjusted < 1 - LEVEL

    @property
    def gain(self) -> float:
        """By how much a is better than b: the difference, its sign turned for an error."""
        return self.delta if find(self.metric).higher_is_better else -self.delta

    def at_most(self, *, level: float = LEVEL) -> float | None:
        """The smallest bound that the true difference is shown to lie within, corrected for the pairs of its family.

        Two one-sided tests (Schuirmann 1987), corrected by Bonferroni: the systems "differ by less than" whatever is
        above it. None where nothing is tested.
        """
        if self.p is None or self.spread is None or self.df is None:
            return None
        return float(abs(self.delta) - t_quantile((1 - level) / max(1, self.pairs), self.df) * self.spread)

    def mirrored(self) -> Comparison:
        """The comparison of b with a: differences and intervals with their signs turned."""
        low, high = (None if end is None else -end for end in (self.high, self.low))
        seeds = self.seeds[::-1]
        return replace(self, a=self.b, b=self.a, delta=-self.delta, low=low, high=high, seeds=seeds)


@dataclass(frozen=True, eq=False)
class _System:
    """A cell with what comparisons need of it."""

    cell: Cell
    scores: Scores
    without: Array

    @property
    def seeds_df(self) -> float:
        return max(1.0, len(self.scores.values) - 1.0)


def compare(a: Cell, b: Cell, metric: str, *, level: float = LEVEL) -> Comparison:
    """Compare two cells, without correction for others.

    Both systems are judged on the same speakers; seeds are each system's own, for seed 3 of one has nothing to do with
    seed 3 of the other. Swapping the systems mirrors the result.

    Args:
        a: A complete cell.
        b: Another one, of the same protocol, recordings and folds.
        metric: A key of `benchmark.metrics.METRICS`, of the task's kind.
        level: Confidence in (0, 1) of the interval.

    Raises:
        BenchError: As `cell_scores`; or the cells were not tested on the same utterances of the same speakers.
    """
    return compare_all([a, b], metric, level=level)[0]


def compare_all(cells: Sequence[Cell], metric: str, *, level: float = LEVEL) -> list[Comparison]:
    """Compare every two of some cells of a task, each pair as if it were alone.

    Args:
        cells: Complete cells of one protocol, recordings and folds.
        metric: A key of `benchmark.metrics.METRICS`, of the task's kind.
        level: Confidence in (0, 1) of the intervals.

    Returns:
        One for each pair, in the order of `itertools.combinations`.

    Raises:
        BenchError: As `compare`.
    """
    if len(cells) < 2:
        return []
    for cell in cells[1:]:
        _check_pair(cells[0], cell)
    return compared(cells, metric, level)


def compared(cells: Sequence[Cell], metric: str, level: float) -> list[Comparison]:
    """Every two of some cells that were tested on the same utterances, which nobody checks here: see `compare_all`."""
    task, found = cells[0].task, suited(cells[0].task, metric)
    systems = [_system(cell, found) for cell in cells]
    pairs = list(combinations(range(len(cells)), 2))
    statistics = cells[0].statistics()
    effective = effective_speakers(statistics, task)
    utterances = int(task.statistics.utterances(statistics[0]).sum())
    alone: dict[str, Any] = {
        "task": task.name,
        "corpus": task.corpus.names[-1],
        "metric": found.name,
        "level": level,
        "family": "alone",
        "pairs": 1,
        "utterances": utterances,
        "cluster": cells[0].cluster,
        "n_clusters": len(cells[0].speakers),
        "effective_clusters": effective,
    }
    if len(cells[0].speakers) < MIN_SPEAKERS:
        return [_comparison(systems[i], systems[j], {**alone, **UNTESTED}) for i, j in pairs]
    of_pairs = _spread(systems, pairs, effective, float(utterances), found)
    delta = np.array([systems[i].scores.mean - systems[j].scores.mean for i, j in pairs])
    reach, tested = of_pairs.reach(level), effective >= TESTED_SPEAKERS
    p = of_pairs.p(delta).tolist() if tested else [None] * len(pairs)
    columns = {"low": delta - reach, "high": delta + reach, "spread": of_pairs.sd, "df": of_pairs.df}
    numbers = zip(*(column.tolist() for column in columns.values()), p, p, strict=True)
    return [
        _comparison(systems[i], systems[j], {**alone, **dict(zip(UNTESTED, of_pair, strict=True))})
        for (i, j), of_pair in zip(pairs, numbers, strict=True)
    ]


def _system(cell: Cell, metric: Metric) -> _System:
    several = len(cell.speakers) >= MIN_SPEAKERS
    without = leave_one_out(cell.statistics(), cell.task, [metric])[0] if several else np.empty(0)
    return _System(cell, cell_scores(cell, metric.name), without)


def _spread(
    systems: Sequence[_System], pairs: Sequence[tuple[int, int]], effective: float, utterances: float, metric: Metric
) -> Spread:
    """The spread of the difference of each pair: what the systems share on a speaker cancels.

    The variance over speakers is no less than that of independent decisions of which as few differ as can: the
    difference times what one utterance is worth, and at least one of them.
    """
    first, second = (np.array([pair[side] for pair in pairs], dtype=int) for side in (0, 1))
    means = np.array([one.scores.mean for one in systems])
    without = np.stack([one.without for one in systems])
    delta = means[first] - means[second]
    between = np.array([one.scores.variance_of_mean for one in systems])
    df = np.array([one.seeds_df for one in systems])
    unit = np.ones(len(pairs))
    if metric.scale == "error":
        unit = np.maximum((means[first] + means[second]) / 2, np.finfo(float).eps)
    floor = least_variance(delta, unit / utterances)
    # added in the same order whichever system is the first
    early, late = np.minimum(first, second), np.maximum(first, second)
    seeds = [Variance(between[early], df[early]), Variance(between[late], df[late])]
    return spread(jackknife_variance(without[first] - without[second], delta), effective, seeds, floor)


def least_variance(delta: Array | float, worth: Array | float) -> Array:
    """What the variance over speakers of a difference is not below, where an utterance is worth so much of it."""
    return np.asarray(worth * np.maximum(np.abs(delta), worth))


def _comparison(a: _System, b: _System, others: Mapping[str, Any]) -> Comparison:
    """The comparison of two systems, of which the other fields are given."""
    return Comparison(
        a=a.cell.name,
        b=b.cell.name,
        delta=a.scores.mean - b.scores.mean,
        seeds=(len(a.cell.seeds), len(b.cell.seeds)),
        **others,
    )


def _check_pair(a: Cell, b: Cell) -> None:
    if not same_protocol(a.task, b.task):
        raise BenchError(
            f"{a.name} on {a.task.name} ({a.task.sha256[:12]}) and {b.name} on {b.task.name} ({b.task.sha256[:12]}) "
            "have different protocols, recordings or folds",
            "only scores of one protocol on the same recordings can be compared",
        )
    truth_a, truth_b = (cell.task.statistics.truth(cell.statistics()[0]) for cell in (a, b))
    if a.speakers != b.speakers or not np.allclose(truth_a, truth_b, rtol=1e-9, atol=1e-9):
        raise BenchError(
            f"{a.name} and {b.name} were not tested on the same utterances of {a.task.name}",
            "the records contradict each other: remove them and run again",
        )
