"""Systems compared over several tasks.

One number for each system and task says nothing of speakers, so these are tests over tasks: Friedman's of whether
systems differ at all, then Nemenyi's and Wilcoxon's (with Holm's correction) of which; Demsar (2006), "Statistical
comparisons of classifiers over multiple data sets", JMLR 7. A handful of tasks gives them little power. What the tests
within tasks found is counted by `replicability`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.statistics.pairs import Comparison
from benchmark.statistics.scores import LEVEL, Array
from benchmark.statistics.swap_test import holm

MIN_TASKS, MIN_SYSTEMS = 2, 3


@dataclass(frozen=True, eq=False)
class Across:
    """Systems over the tasks that all of them were run on.

    Attributes:
        systems: m names, by mean rank.
        tasks: N names.
        mean_ranks: Of each system, 1 the best; equal scores share a mean rank.
        friedman_statistic: Friedman's chi-squared, with m - 1 degrees of freedom.
        friedman_p: Its p-value.
        p_nemenyi: (m, m) p-values of Nemenyi's test of mean ranks.
        p_wilcoxon_holm: (m, m) p-values of Wilcoxon's signed-rank test of scores, corrected by Holm for all pairs.
        critical_distance: What two mean ranks must differ by for Nemenyi's test at the 5 % level.
    """

    systems: tuple[str, ...]
    tasks: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    friedman_statistic: float
    friedman_p: float
    p_nemenyi: Array
    p_wilcoxon_holm: Array
    critical_distance: float


def across_tasks(scores: Mapping[str, Mapping[str, float]]) -> Across | None:
    """Compare systems over tasks.

    Args:
        scores: Of each task, the score of each system, all such that higher is better.

    Returns:
        None where fewer than three systems were run on at least two common tasks. Systems count that were run on every
        task of `scores`.
    """
    tasks = tuple(scores)
    common = set.intersection(*(set(of_task) for of_task in scores.values())) if scores else set()
    if len(tasks) < MIN_TASKS or len(common) < MIN_SYSTEMS:
        return None
    names = sorted(common)
    table = np.array([[scores[task][name] for name in names] for task in tasks])
    # no rank is decided by rounding noise
    ranks = stats.rankdata(-np.round(table, 9), axis=1).mean(axis=0)
    order = np.argsort(ranks, kind="stable")
    table, ranks = table[:, order], ranks[order]
    statistic, p = _friedman(table)
    distance = float(np.sqrt(len(names) * (len(names) + 1) / (6 * len(tasks))))
    gaps = np.abs(ranks[:, None] - ranks[None, :]) / distance
    nemenyi = stats.studentized_range.sf(gaps * np.sqrt(2), len(names), np.inf)
    critical = stats.studentized_range.ppf(LEVEL, len(names), np.inf) / np.sqrt(2)
    return Across(
        systems=tuple(names[index] for index in order),
        tasks=tasks,
        mean_ranks=tuple(ranks.tolist()),
        friedman_statistic=statistic,
        friedman_p=p,
        p_nemenyi=np.clip(nemenyi, 0, 1),
        p_wilcoxon_holm=_wilcoxon(table),
        critical_distance=float(critical * distance),
    )


@dataclass(frozen=True)
class Replicability:
    """On how many tasks one system is better than another, with confidence.

    Attributes:
        a: The system that is asked about.
        b: The other one.
        tasks: The tasks that both were run on.
        p: One-sided p-values of "a is no better than b", in the order of `tasks`.
        count: On at least so many tasks a is better than b, with 95 % confidence.
        holm: The tasks on which it is, each named with 95 % confidence that none of them is wrong.
    """

    a: str
    b: str
    tasks: tuple[str, ...]
    p: tuple[float, ...]
    count: int
    holm: tuple[str, ...]


def replicability(comparisons: Sequence[Comparison], better: Mapping[str, bool]) -> Replicability:
    """Count the tasks on which the first system is better than the second.

    Source: Dror, Baumer, Bogomolov, Reichart (2017), "Replicability analysis for natural language processing: testing
    significance with multiple datasets", TACL 5: the count by Bonferroni's partial conjunction, which holds also where
    tasks share speakers, and the names by Holm's procedure.

    Args:
        comparisons: Of the same two systems, one for each task; those without a p-value are left out.
        better: For each metric of theirs whether higher is better.

    Raises:
        ValueError: There is no comparison.
    """
    if not comparisons:
        raise ValueError("there is no comparison")
    tested = [one for one in comparisons if one.p is not None]
    p = np.array([_one_sided(one, better[one.metric]) for one in tested])
    corrected = holm(p) if len(p) else p
    return Replicability(
        a=comparisons[0].a,
        b=comparisons[0].b,
        tasks=tuple(one.task for one in tested),
        p=tuple(p.tolist()),
        count=partial_conjunction(p),
        holm=tuple(one.task for one, value in zip(tested, corrected, strict=True) if value <= 1 - LEVEL),
    )


def partial_conjunction(p: NDArray[np.float64], level: float = LEVEL) -> int:
    """At least how many of the hypotheses behind p-values are false, with the given confidence (Bonferroni)."""
    ordered, n = np.sort(p), len(p)
    # at least u are false: the n - u + 1 largest p-values together, so the u-th smallest times as many
    values = np.maximum.accumulate((n - np.arange(n)) * ordered)
    return int((values <= 1 - level).sum())


def _one_sided(comparison: Comparison, higher_is_better: bool) -> float:
    """The p-value of "a is no better than b": swaps are symmetric, so half of the two-sided one on the right side."""
    p = 1.0 if comparison.p is None else comparison.p
    gain = comparison.delta if higher_is_better else -comparison.delta
    return p / 2 if gain > 0 else 1 - p / 2


def _friedman(table: Array) -> tuple[float, float]:
    """Friedman's test of (N, m) scores; no difference at all where every row is constant."""
    rounded = np.round(table, 9)
    if (np.ptp(rounded, axis=1) == 0).all():
        return 0.0, 1.0
    found = stats.friedmanchisquare(*rounded.T)
    return float(found.statistic), float(found.pvalue)


def wilcoxon(differences: NDArray[np.float64]) -> float:
    """Wilcoxon's signed-rank test of the differences of two systems over tasks: exact for few tasks.

    Args:
        differences: (N,) one for each task.

    Returns:
        The two-sided p-value; 1 where no task shows a difference.
    """
    rounded = np.round(differences, 9)  # no rank is decided by rounding noise
    return float(stats.wilcoxon(rounded).pvalue) if rounded.any() else 1.0


def _wilcoxon(table: Array) -> Array:
    """(m, m) p-values of the signed-rank test, corrected for all pairs."""
    m = table.shape[1]
    first, second = np.triu_indices(m, 1)
    result = np.ones((m, m))
    p = np.array([wilcoxon(table[:, i] - table[:, j]) for i, j in zip(first, second, strict=True)])
    result[first, second] = result[second, first] = holm(p)
    return result
