"""Whether systems differ over corpora, these being a sample of corpora: Friedman's, Nemenyi's and Wilcoxon's tests.

Tasks that share a corpus share its speakers, recordings and quirks: they are one block, whose value is the mean over
its tasks. Tests that take tasks for independent find a difference between equal systems on every second board of the
registry's own layout (`leaderboard/METHODS.md`). Source: Demsar (2006), "Statistical comparisons of classifiers over
multiple data sets", JMLR 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from benchmark.statistics.families import holm
from benchmark.statistics.scores import LEVEL, Array

MIN_CORPORA, MIN_SYSTEMS = 5, 3

ScoresOfTasks = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Across:
    """Systems over the corpora that all of them were run on.

    Attributes:
        systems: m names, by mean rank.
        tasks: Those that all of them were run on.
        corpora: N names of what these test on: each is one block.
        left_out: Systems that lack some of these tasks.
        mean_ranks: Of each system over corpora, 1 the best; equal scores share a mean rank.
        friedman_statistic: Friedman's chi-squared, with m - 1 degrees of freedom.
        friedman_p: Its p-value.
        p_nemenyi: (m, m) p-values of Nemenyi's test of mean ranks.
        critical_distance: What two mean ranks must differ by for Nemenyi's test at the 5 % level.
    """

    systems: tuple[str, ...]
    tasks: tuple[str, ...]
    corpora: tuple[str, ...]
    left_out: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    friedman_statistic: float
    friedman_p: float
    p_nemenyi: Array
    critical_distance: float


def across_tasks(scores: ScoresOfTasks, corpora: Mapping[str, str]) -> Across | None:
    """Compare systems over the corpora of their common tasks.

    Systems that were run on more tasks than others, or on fewer, do not undo the comparison of those others: of the
    sets of tasks that some system or some two have in common, the one counts on which most numbers can be compared.

    Args:
        scores: Of each task, the score of each system, all such that higher is better.
        corpora: What each task tests on.

    Returns:
        None where no three systems have tasks of five corpora in common.
    """
    chosen = _common(scores, corpora)
    if chosen is None:
        return None
    from scipy import stats

    tasks, names = chosen
    blocks = tuple(dict.fromkeys(corpora[task] for task in tasks))
    table = _blocks(scores, tasks, names, corpora, blocks)
    # no rank is decided by rounding noise
    ranks = stats.rankdata(-np.round(table, 9), axis=1).mean(axis=0)
    order = np.argsort(ranks, kind="stable")
    table, ranks = table[:, order], ranks[order]
    statistic, p = _friedman(table)
    distance = float(np.sqrt(len(names) * (len(names) + 1) / (6 * len(blocks))))
    gaps = np.abs(ranks[:, None] - ranks[None, :]) / distance
    # an integral for each gap: of many systems many gaps are the same
    distinct, place = np.unique(gaps * np.sqrt(2), return_inverse=True)
    nemenyi = stats.studentized_range.sf(distinct, len(names), np.inf)[place.reshape(gaps.shape)]
    critical = stats.studentized_range.ppf(LEVEL, len(names), np.inf) / np.sqrt(2)
    everybody = sorted({name for of_task in scores.values() for name in of_task})
    return Across(
        systems=tuple(names[index] for index in order),
        tasks=tasks,
        corpora=blocks,
        left_out=tuple(name for name in everybody if name not in names),
        mean_ranks=tuple(ranks.tolist()),
        friedman_statistic=statistic,
        friedman_p=p,
        p_nemenyi=np.clip(nemenyi, 0, 1),
        critical_distance=float(critical * distance),
    )


def _common(scores: ScoresOfTasks, corpora: Mapping[str, str]) -> tuple[tuple[str, ...], list[str]] | None:
    """The tasks and the systems with all of them that make the largest table of corpora and systems."""
    tasks_of: dict[str, frozenset[str]] = {}
    for task, of_task in scores.items():
        for name in of_task:
            tasks_of[name] = tasks_of.get(name, frozenset()) | {task}
    distinct = set(tasks_of.values())
    candidates = distinct | {one & other for one in distinct for other in distinct}
    found = []
    for candidate in candidates:
        blocks = len({corpora[task] for task in candidate})
        names = sorted(name for name, own in tasks_of.items() if candidate <= own)
        if blocks >= MIN_CORPORA and len(names) >= MIN_SYSTEMS:
            tasks = tuple(task for task in scores if task in candidate)
            found.append((blocks * len(names), len(tasks), tasks, names))
    if not found:
        return None
    _, _, tasks, names = max(found)
    return tasks, names


def _blocks(
    scores: ScoresOfTasks, tasks: Iterable[str], names: Sequence[str], corpora: Mapping[str, str], blocks: Sequence[str]
) -> Array:
    """(N, m) mean scores of m systems over the tasks of each of N corpora."""
    of_corpus: dict[str, list[str]] = {}
    for task in tasks:
        of_corpus.setdefault(corpora[task], []).append(task)
    return np.array(
        [[np.mean([scores[task][name] for task in of_corpus[corpus]]) for name in names] for corpus in blocks]
    )


def _friedman(table: Array) -> tuple[float, float]:
    """Friedman's test of (N, m) scores; no difference at all where every row is constant."""
    rounded = np.round(table, 9)
    if (np.ptp(rounded, axis=1) == 0).all():
        return 0.0, 1.0
    from scipy import stats

    found = stats.friedmanchisquare(*rounded.T)
    return float(found.statistic), float(found.pvalue)


@dataclass(frozen=True)
class SignedRanks:
    """Wilcoxon's signed-rank test of two systems over the corpora that both were run on.

    Attributes:
        a: The first system.
        b: The second one.
        corpora: On how many.
        p: Two-sided p-value.
        p_adjusted: Corrected by Holm for all pairs that are tested.
        smallest: The smallest corrected p-value that so many corpora can give, 2 / 2**corpora times the pairs, where
            no other pair is clearer.
    """

    a: str
    b: str
    corpora: int
    p: float
    p_adjusted: float
    smallest: float


def signed_ranks(scores: ScoresOfTasks, corpora: Mapping[str, str]) -> tuple[SignedRanks, ...]:
    """Wilcoxon's test of every two systems with common tasks of at least five corpora.

    Args:
        scores: Of each task, the score of each system, all such that higher is better.
        corpora: What each task tests on.
    """
    names = sorted({name for of_task in scores.values() for name in of_task})

    @cache
    def means(name: str, tasks: tuple[str, ...], blocks: tuple[str, ...]) -> Array:
        return _blocks(scores, tasks, [name], corpora, blocks)[:, 0]

    found = []
    for a, b in combinations(names, 2):
        tasks = tuple(task for task, of_task in scores.items() if a in of_task and b in of_task)
        blocks = tuple(dict.fromkeys(corpora[task] for task in tasks))
        if len(blocks) >= MIN_CORPORA:
            found.append((a, b, len(blocks), wilcoxon(means(a, tasks, blocks) - means(b, tasks, blocks))))
    adjusted = holm(np.array([p for *_, p in found]))
    return tuple(
        SignedRanks(a, b, blocks, p, float(value), min(1.0, 2.0 ** (1 - blocks) * len(found)))
        for (a, b, blocks, p), value in zip(found, adjusted, strict=True)
    )


def wilcoxon(differences: NDArray[np.float64]) -> float:
    """Wilcoxon's signed-rank test of the differences of two systems over corpora: exact for few.

    Args:
        differences: (N,) one for each corpus.

    Returns:
        The two-sided p-value; 1 where no corpus shows a difference.
    """
    rounded = np.round(differences, 9)  # no rank is decided by rounding noise
    if not rounded.any():
        return 1.0
    sizes, place = np.unique(np.abs(rounded), return_inverse=True)
    ranks = ((place + (sizes[0] > 0)) * np.sign(rounded)).astype(int)
    if len(sizes) == len(rounded) and sizes[0] > 0:
        return _p_of_signed_ranks(_of_same_sum(len(ranks), int(ranks[ranks > 0].sum())))
    return _p_of_signed_ranks(tuple(sorted(ranks.tolist())))


def _of_same_sum(number: int, positive: int) -> tuple[int, ...]:
    """Signed ranks without ties whose positive ones have that sum, on which alone the test then depends."""
    ranks = []
    for rank in range(number, 0, -1):
        ranks.append(rank if rank <= positive else -rank)
        positive -= max(ranks[-1], 0)
    return tuple(ranks)


@lru_cache(maxsize=4096)
def _p_of_signed_ranks(ranks: tuple[int, ...]) -> float:
    """The p-value of differences with these signs and this order of sizes: a board of many systems has them again.

    It takes scipy milliseconds, and 200 systems have 20 000 pairs.
    """
    from scipy import stats

    return float(stats.wilcoxon(np.array(ranks, dtype=np.float64)).pvalue)
