"""The difference of two systems on a task: its size with an interval, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.metrics import Metric, find
from benchmark.records.cells import Cell, protocol_of, same_protocol
from benchmark.statistics.distributions import t_quantile
from benchmark.statistics.scores import (
    LEVEL,
    Array,
    Scores,
    all_without,
    cell_scores,
    chunks,
    effective_speakers,
    suited,
)
from benchmark.statistics.spread import MIN_SPEAKERS, TESTED_SPEAKERS, Spread, Variance, jackknife_variance, spread
from benchmark.text import count

PAIRS_AT_ONCE = 10_000  # whose differences without each speaker are in memory at once
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


@dataclass(frozen=True, eq=False)
class Compared(Sequence[Comparison]):
    """Every two of some systems, in the order of `itertools.combinations`.

    It holds columns; a comparison is made when it is asked for, for 200 systems have 20 000.

    Attributes:
        systems: m names.
        seeds: The number of seeds of each.
        delta: (m (m - 1) / 2,).
        columns: What differs between pairs beside it: values (m (m - 1) / 2,) of other fields of `Comparison`.
        shared: The fields that all pairs share.
    """

    systems: tuple[str, ...]
    seeds: tuple[int, ...]
    delta: Array
    columns: Mapping[str, NDArray[Any]]
    shared: Mapping[str, Any]

    @cached_property
    def places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which systems each pair is of: two times (m (m - 1) / 2,)."""
        return np.triu_indices(len(self.systems), 1)

    def number(self, first: Any, second: Any) -> Any:
        """The places of pairs of two systems, the first of which comes before the second."""
        return first * (2 * len(self.systems) - first - 1) // 2 + second - first - 1

    def with_columns(self, **columns: NDArray[Any] | None) -> Compared:
        """The same pairs with some fields replaced; None for those that no pair has."""
        shared = {key: value for key, value in self.shared.items() if key not in columns}
        nothing = {key: None for key, values in columns.items() if values is None}
        there = {key: values for key, values in columns.items() if values is not None}
        kept = {key: values for key, values in self.columns.items() if key not in columns}
        return replace(self, columns={**kept, **there}, shared={**shared, **nothing})

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.delta)

    @overload
    def __getitem__(self, number: int) -> Comparison: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Comparison]: ...
    def __getitem__(self, number: int | slice) -> Comparison | Sequence[Comparison]:
        """The comparison at a place."""
        if isinstance(number, slice):
            return [self[at] for at in range(*number.indices(len(self)))]
        first, second = (int(of[number]) for of in self.places)
        return Comparison(
            a=self.systems[first],
            b=self.systems[second],
            delta=self.delta[number].item(),
            seeds=(self.seeds[first], self.seeds[second]),
            **self.shared,
            **{key: values[number : number + 1].tolist()[0] for key, values in self.columns.items()},
        )


def compare_all(cells: Sequence[Cell], metric: str, *, level: float = LEVEL) -> Compared:
    """Compare every two of some cells of a task, each pair as if it were alone.

    Args:
        cells: Complete cells of one protocol, recordings and folds.
        metric: A key of `benchmark.metrics.METRICS`, of the task's kind.
        level: Confidence in (0, 1) of the intervals.

    Raises:
        BenchError: As `compare`.
    """
    for cell in cells[1:]:
        _check_pair(cells[0], cell)
    return compared(cells, metric, level)


def compared(cells: Sequence[Cell], metric: str, level: float) -> Compared:
    """Every two of some cells that were tested on the same utterances, which nobody checks here: see `compare_all`."""
    names, seeds = tuple(cell.name for cell in cells), tuple(len(cell.seeds) for cell in cells)
    if len(cells) < 2:
        return Compared(names, seeds, np.empty(0), {}, {})
    task, found = cells[0].task, suited(cells[0].task, metric)
    systems = [_system(cell, found) for cell in cells]
    first, second = np.triu_indices(len(cells), 1)
    # Of one protocol all have the same; of two that divide the same utterances into other folds, the smaller counts.
    effective = min(effective_speakers(cell.statistics(), task) for cell in _one_of_each_protocol(cells))
    utterances = int(task.statistics.utterances(cells[0].statistics()[0]).sum())
    shared: dict[str, Any] = {
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
        **UNTESTED,
    }
    means = np.array([one.scores.mean for one in systems])
    alone = Compared(names, seeds, means[first] - means[second], {}, shared)
    if len(cells[0].speakers) < MIN_SPEAKERS:
        return alone
    of_pairs = _spread(systems, alone, effective, float(utterances), found)
    reach = of_pairs.reach(level)
    p = of_pairs.p(alone.delta) if effective >= TESTED_SPEAKERS else None
    ends = {"low": alone.delta - reach, "high": alone.delta + reach}
    return alone.with_columns(**ends, spread=of_pairs.sd, df=of_pairs.df, p=p, p_adjusted=p)


def _one_of_each_protocol(cells: Sequence[Cell]) -> list[Cell]:
    return list({protocol_of(cell.task): cell for cell in reversed(cells)}.values())


def _system(cell: Cell, metric: Metric) -> _System:
    several = len(cell.speakers) >= MIN_SPEAKERS
    without = all_without(cell, [metric])[0] if several else np.empty(0)
    return _System(cell, cell_scores(cell, metric.name), without)


def _spread(systems: Sequence[_System], pairs: Compared, effective: float, utterances: float, metric: Metric) -> Spread:
    """The spread of the difference of each pair: what the systems share on a speaker cancels.

    The variance over speakers is no less than that of independent decisions of which as few differ as can: the
    difference times what one utterance is worth, and at least one of them.
    """
    (first, second), delta = pairs.places, pairs.delta
    means = np.array([one.scores.mean for one in systems])
    without = np.stack([one.without for one in systems])
    between = np.array([one.scores.variance_of_mean for one in systems])
    df = np.array([one.seeds_df for one in systems])
    unit = np.ones(len(delta))
    if metric.scale == "error":
        unit = np.maximum((means[first] + means[second]) / 2, np.finfo(float).eps)
    floor = least_variance(delta, unit / utterances)
    seeds = [Variance(between[first], df[first]), Variance(between[second], df[second])]
    variance = np.empty(len(delta))
    for part in chunks(len(delta), PAIRS_AT_ONCE):
        variance[part] = jackknife_variance(without[first[part]] - without[second[part]], delta[part])
    return spread(variance, effective, seeds, floor)


def least_variance(delta: Array | float, worth: Array | float) -> Array:
    """What the variance over speakers of a difference is not below, where an utterance is worth so much of it."""
    return np.asarray(worth * np.maximum(np.abs(delta), worth))


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
