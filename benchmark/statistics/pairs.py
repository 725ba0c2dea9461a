"""The difference of two systems on a task: its size with an interval, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.errors import BenchError
from benchmark.metrics import Metric
from benchmark.records.cells import Cell, same_protocol
from benchmark.statistics.power import detectable_difference
from benchmark.statistics.scores import (
    LEVEL,
    Array,
    Scores,
    cell_scores,
    effective_speakers,
    leave_one_out,
    suited,
)
from benchmark.statistics.swap_test import Seeds, contributions, holm, swap_tests

MIN_SPEAKERS = 2  # of one, nothing can be learnt about others
RESOLVED = 0.01  # below it, the swap test of a pair with seeds and few speakers is coarse
NO_SPREAD = 1e-9  # in units of the difference: rounding, not a spread


@dataclass(frozen=True)
class Comparison:
    """The difference of two systems on a task.

    Attributes:
        a: The first system, as it is shown.
        b: The second one.
        task: The task's name.
        metric: The metric's name.
        delta: Score of a minus score of b, each the mean over its seeds; for an error, below 0 is good for a.
        low: Lower end of the interval of `delta` for new speakers and seeds; None for a single speaker.
        high: Upper end; None for a single speaker.
        level: Confidence of the interval.
        p: Two-sided p-value: that of the swap test (`benchmark.statistics.swap_test`) or of Student's t behind the
            interval, as `_together` says. None for a single speaker.
        p_error: Monte Carlo standard error of `p_swap`; 0 where all swaps were gone through.
        p_adjusted: `p` corrected by Holm (1979) for all pairs that were tested with it.
        pairs: How many these were.
        smallest_p: The smallest p-value that the swap test can give with so few speakers, or so many draws.
        exact: Whether all swaps were gone through and nothing was drawn; None for a single speaker.
        p_swap: The p-value of the swap test alone.
        p_student: The p-value of Student's t behind the interval alone.
        spread: The standard deviation of `delta` over speakers and seeds; None for a single speaker.
        df: The degrees of freedom of `spread`; None where there is no spread, and for a single speaker.
        unit: "speaker", or "utterance" (in random groups) where the corpus knows no speakers.
        n_units: The number of speakers, or of groups.
        effective_units: How many of equal weight they are worth.
        seeds: The number of seeds of a and of b.
    """

    a: str
    b: str
    task: str
    metric: str
    delta: float
    low: float | None
    high: float | None
    level: float
    p: float | None
    p_error: float | None
    p_adjusted: float | None
    pairs: int
    smallest_p: float | None
    exact: bool | None
    p_swap: float | None
    p_student: float | None
    spread: float | None
    df: float | None
    unit: str
    n_units: int
    effective_units: float
    seeds: tuple[int, int]

    @property
    def significant(self) -> bool:
        """Whether the difference is significant at the 5 % level, corrected for all pairs."""
        return self.p_adjusted is not None and self.p_adjusted < 1 - LEVEL

    @property
    def detectable(self) -> float | None:
        """The true difference that 80 % of such corpora would show at the 5 % level, for this pair alone."""
        if self.spread is None:
            return None
        return detectable_difference(self.spread, self.df) if self.df is not None else 0.0

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
    statistics: Array
    without: Array

    @property
    def seeds(self) -> Seeds:
        return Seeds(self.scores.variance_of_mean, len(self.scores.values) - 1, int(self.cell.sha256, 16))


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
    first, second = sorted((a, b), key=lambda cell: cell.sha256)
    found = compare_all([first, second], metric, level=level)[0]
    return found if first is a else found.mirrored()


def compare_all(cells: Sequence[Cell], metric: str, *, level: float = LEVEL) -> list[Comparison]:
    """Compare every two of some cells of a task, corrected for all these pairs.

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
    task, found = cells[0].task, suited(cells[0].task, metric)
    systems = [_system(cell, found) for cell in cells]
    pairs = list(combinations(range(len(cells)), 2))
    effective = effective_speakers(systems[0].statistics, task)
    if len(cells[0].speakers) < MIN_SPEAKERS:
        return [_comparison(systems[i], systems[j], found, effective, level, len(pairs), {}) for i, j in pairs]
    student = _student(systems, pairs, effective, level)
    key = int(task.sha256, 16) ^ int(task.folds_sha256, 16)
    swapped = _swapped(_contributions(systems, pairs, found), pairs, [one.seeds for one in systems], key)
    p = _together(swapped, student)
    adjusted = holm(p)
    return [
        _comparison(
            systems[i],
            systems[j],
            found,
            effective,
            level,
            len(pairs),
            {
                "low": float(student.low[number]),
                "high": float(student.high[number]),
                "spread": float(student.spread[number]),
                "df": float(student.df[number]) if student.spread[number] > 0 else None,
                "p": float(p[number]),
                "p_error": float(swapped.error[number]),
                "p_adjusted": float(adjusted[number]),
                "smallest_p": float(swapped.smallest[number]),
                "exact": bool(swapped.exact[number]),
                "p_swap": float(swapped.p[number]),
                "p_student": float(student.p[number]),
            },
        )
        for number, (i, j) in enumerate(pairs)
    ]


def _system(cell: Cell, metric: Metric) -> _System:
    statistics = cell.statistics()
    without = leave_one_out(statistics, cell.task, [metric])[0] if len(cell.speakers) > 1 else np.empty(0)
    return _System(cell, cell_scores(cell, metric.name), statistics, without)


def _contributions(systems: Sequence[_System], pairs: Sequence[tuple[int, int]], metric: Metric) -> Array:
    """(S, P) contributions of speakers to the difference of each pair."""
    task = systems[0].cell.task
    means = [one.statistics.mean(axis=0) for one in systems]
    if metric.linear:
        to_first = np.stack([contributions(mean, means[0], task, metric) for mean in means], axis=1)
        return to_first[:, [i for i, _ in pairs]] - to_first[:, [j for _, j in pairs]]
    return np.stack([contributions(means[i], means[j], task, metric) for i, j in pairs], axis=1)


@dataclass(frozen=True, eq=False)
class _Swapped:
    """The swap test of each pair, all (P,)."""

    p: Array
    error: Array
    smallest: Array
    exact: NDArray[np.bool_]
    drawn: NDArray[np.bool_]  # whether seeds were drawn


def _swapped(contribution: Array, pairs: Sequence[tuple[int, int]], seeds: Sequence[Seeds], key: int) -> _Swapped:
    """Pairs with seeds and pairs without apart: what is exact for a pair must not depend on what others there are."""
    drawn = np.array([seeds[i].variance + seeds[j].variance > 0 for i, j in pairs])
    p, error, smallest, exact = np.empty(len(pairs)), np.zeros(len(pairs)), np.empty(len(pairs)), ~drawn
    for places in (np.flatnonzero(drawn), np.flatnonzero(~drawn)):
        if len(places):
            tests = swap_tests(contribution[:, places], [pairs[place] for place in places.tolist()], seeds, key=key)
            p[places], smallest[places], exact[places] = tests.p, tests.smallest, tests.exact
            if not tests.exact:
                error[places] = np.sqrt(tests.p * (1 - tests.p) / tests.draws)
    return _Swapped(p, error, smallest, exact, drawn)


def _together(swapped: _Swapped, student: _Student) -> Array:
    """The p-value of each pair, from its swap test and Student's.

    Without seeds: the swap test's, which is exact; below what it can tell apart, Student's if that is smaller.
    With seeds both rest on the same model of the seeds. The swap test alone is too ready where speakers are all alike
    and seeds differ much, so it is the larger of the two; and below `RESOLVED`, where few patterns are spread out by
    drawn seeds and a correction for many pairs asks for less than they can give, it is Student's. The two are far apart
    where one speaker says most of a class: swaps ask whether these speakers favour one system, Student's t whether
    others would, of whom one may again say as much.
    """
    exact = np.where(swapped.p > swapped.smallest, swapped.p, np.minimum(student.p, swapped.smallest))
    resolved = swapped.p > np.maximum(swapped.smallest, RESOLVED)
    return np.where(swapped.drawn, np.where(resolved, np.maximum(swapped.p, student.p), student.p), exact)


@dataclass(frozen=True, eq=False)
class _Student:
    """Student's interval and test of each pair, all (P,)."""

    spread: Array
    df: Array
    low: Array
    high: Array
    p: Array


def _student(systems: Sequence[_System], pairs: Sequence[tuple[int, int]], effective: float, level: float) -> _Student:
    """The differences with their standard deviations over speakers (jackknife) and seeds.

    Where all speakers (and seeds) differ by the same amount p is 1, so that the swap test's stands: few speakers do so
    by chance, and an infinite t would say of two of them that nothing is more certain.
    """
    first, second = (np.array([pair[side] for pair in pairs], dtype=int) for side in (0, 1))
    means = np.array([one.scores.mean for one in systems])
    without = np.stack([one.without for one in systems])
    delta = means[first] - means[second]
    changes = without[first] - without[second] - delta[:, None]
    speakers = without.shape[1]
    over_speakers = (speakers - 1) / speakers * np.square(changes).sum(axis=1)
    between = np.array([one.seeds.variance for one in systems])
    own_df = np.array([max(1, one.seeds.df) for one in systems])
    # both systems first, so that a sum is the same to the last bit whichever of them is a
    variance = over_speakers + (between[first] + between[second])
    of_seeds = between[first] ** 2 / own_df[first] + between[second] ** 2 / own_df[second]
    parts = over_speakers**2 / max(1.0, effective - 1) + of_seeds
    df = np.divide(variance**2, parts, out=np.full(len(pairs), np.inf), where=parts > 0)
    spread = np.sqrt(variance)
    reach = stats.t.ppf((1 + level) / 2, df) * spread
    t = np.divide(np.abs(delta), spread, out=np.zeros(len(pairs)), where=spread > NO_SPREAD * np.abs(delta))
    return _Student(spread, df, delta - reach, delta + reach, 2 * stats.t.sf(t, df))


def _comparison(
    a: _System,
    b: _System,
    metric: Metric,
    effective: float,
    level: float,
    pairs: int,
    tested: Mapping[str, Any],
) -> Comparison:
    """The comparison of two systems; nothing is tested with a single speaker."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("low", "high", "spread", "df", "p", "p_error", "p_adjusted", "smallest_p", "exact", "p_swap", "p_student")
    )
    return Comparison(
        a=a.cell.name,
        b=b.cell.name,
        task=a.cell.task.name,
        metric=metric.name,
        delta=a.scores.mean - b.scores.mean,
        level=level,
        pairs=pairs,
        unit=a.cell.unit,
        n_units=len(a.cell.speakers),
        effective_units=effective,
        seeds=(len(a.cell.seeds), len(b.cell.seeds)),
        **{**nothing, **tested},
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
