"""Systems compared over several tasks.

Tasks that share a corpus share its speakers, recordings and quirks: they are one block, whose value is the mean over
its tasks. Tests that take tasks for independent find a difference between equal systems on every second board of the
registry's own layout (`leaderboard/METHODS.md`).

Two questions. Do systems differ over corpora, these being a sample of corpora: Friedman's test, then Nemenyi's and
Wilcoxon's of which; Demsar (2006), "Statistical comparisons of classifiers over multiple data sets", JMLR 7. And by how
much, and on how many, do they differ on just these corpora, whose speakers are a sample: `pooled`, `replicability`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import find
from benchmark.statistics.distributions import t_quantile, t_tail
from benchmark.statistics.families import holm
from benchmark.statistics.pairs import Compared, Comparison
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


@dataclass(frozen=True)
class Block:
    """Two systems on one corpus: the mean over its tasks.

    Attributes:
        corpus: What is tested on.
        tasks: Of that corpus.
        gain: By how much the first system is better, the mean over tasks.
        spread: The standard deviation of `gain`: the mean of those of the tasks, which holds however much tasks depend
            on each other. None where the speakers are too few for a test.
        df: Its degrees of freedom, the fewest of the tasks.
    """

    corpus: str
    tasks: tuple[str, ...]
    gain: float
    spread: float | None
    df: float | None

    @property
    def p(self) -> float | None:
        """The one-sided p-value of "the first system is no better"."""
        if self.spread is None or self.df is None:
            return None
        return float(t_tail(self.gain / self.spread, self.df))


def blocks_of(comparisons: Sequence[Comparison]) -> tuple[Block, ...]:
    """The comparisons of two systems, one for each task, as one block for each corpus.

    Where the tasks of a corpus have several metrics, each difference counts in units of its own standard deviation.
    """
    of_corpus: dict[str, list[Comparison]] = {}
    for one in comparisons:
        of_corpus.setdefault(one.corpus, []).append(one)
    return tuple(_block(corpus, found) for corpus, found in of_corpus.items())


def _block(corpus: str, found: Sequence[Comparison]) -> Block:
    tested = [one for one in found if one.p is not None and one.spread is not None and one.df is not None]
    if not tested:
        return Block(corpus, tuple(one.task for one in found), float(np.mean([one.gain for one in found])), None, None)
    one_metric = len({one.metric for one in tested}) == 1
    units = np.ones(len(tested)) if one_metric else np.array([one.spread for one in tested])
    gain = float(np.mean(np.array([one.gain for one in tested]) / units))
    spread = float(np.mean(np.array([one.spread for one in tested]) / units))
    return Block(corpus, tuple(one.task for one in tested), gain, spread, min(one.df for one in tested if one.df))


@dataclass(frozen=True)
class Pooled:
    """By how much one system is better than another over corpora.

    Attributes:
        a: The first system.
        b: The second one.
        metric: The metric of all tasks that count here.
        corpora: One number each.
        tasks: How many tasks these have.
        gain: The mean over corpora: above 0, a is better.
        low: Lower end of its interval for new speakers of the same corpora, and new seeds; the tasks are fixed.
        high: Upper end.
        p: The two-sided p-value that belongs to it.
    """

    a: str
    b: str
    metric: str
    corpora: tuple[str, ...]
    tasks: int
    gain: float
    low: float
    high: float
    p: float


def pooled(comparisons: Sequence[Comparison], *, level: float = LEVEL) -> tuple[Pooled, ...]:
    """The mean difference of two systems over corpora, for each metric.

    Corpora have other speakers, so that their variances add up; degrees of freedom are Satterthwaite's (1946).

    Args:
        comparisons: Of the same two systems, one for each task.
        level: Confidence of the intervals.

    Returns:
        Of each metric that at least two tasks with a test have.
    """
    found = []
    for metric in dict.fromkeys(one.metric for one in comparisons):
        of_metric = [one for one in comparisons if one.metric == metric and one.p is not None]
        if len(of_metric) < 2:
            continue
        blocks = blocks_of(of_metric)
        variance = np.array([np.square(block.spread or 0.0) for block in blocks])
        df = np.array([block.df or 1.0 for block in blocks])
        sd = float(np.sqrt(variance.sum())) / len(blocks)
        of_sum = float(variance.sum() ** 2 / (variance**2 / df).sum())
        gain = float(np.mean([block.gain for block in blocks]))
        reach = float(t_quantile((1 + level) / 2, of_sum)) * sd
        found.append(
            Pooled(
                a=comparisons[0].a,
                b=comparisons[0].b,
                metric=metric,
                corpora=tuple(block.corpus for block in blocks),
                tasks=len(of_metric),
                gain=gain,
                low=gain - reach,
                high=gain + reach,
                p=float(2 * t_tail(abs(gain) / sd, of_sum)),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class Replicability:
    """On how many corpora one system is better than another, with confidence.

    Attributes:
        a: The first system.
        b: The second one.
        corpora: Those with a test.
        p: One-sided p-value of each, "a is no better than b on this corpus".
        claims: How many such counts are made together: of every ordered pair.
        count: At least on so many of them is a better, with 95 % confidence in all claims together: partial
            conjunction by Bonferroni.
        holm: The corpora on which a is better, with the same confidence: Holm's procedure.
    """

    a: str
    b: str
    corpora: tuple[str, ...]
    p: tuple[float, ...]
    claims: int
    count: int
    holm: tuple[str, ...]


def replicability(comparisons: Sequence[Comparison]) -> Replicability:
    """Count the corpora on which the first system is better than the second, as a single claim.

    Source: Dror, Baumer, Bogomolov, Reichart (2017), "Replicability analysis for natural language processing: testing
    significance with multiple datasets", TACL 5: the count by Bonferroni's partial conjunction, the names by Holm's
    procedure.

    Args:
        comparisons: Of the same two systems, one for each task; those without a p-value are left out.

    Raises:
        ValueError: There is no comparison.
    """
    if not comparisons:
        raise ValueError("there is no comparison")
    tested = [(block.corpus, block.p) for block in blocks_of(comparisons)]
    known = [(corpus, p) for corpus, p in tested if p is not None]
    names, p = tuple(corpus for corpus, _ in known), tuple(p for _, p in known)
    return _counted(Replicability(comparisons[0].a, comparisons[0].b, names, p, 1, 0, ()), claims=1)


def every_replicability(
    tasks: Sequence[Compared], names: Sequence[str], counted: NDArray[np.bool_]
) -> tuple[Replicability, ...]:
    """`replicability` of every ordered pair of systems with a common task, as counts that hold `together`.

    Source: as `replicability`, of which it gives the same numbers, of all pairs at once.

    Args:
        tasks: The comparisons on each of K tasks.
        names: m systems.
        counted: (K, m): which of them count on which task; these are compared there.

    Returns:
        By the first system, then the second, in the order of their names here.
    """
    ends = [_ends_of(one, names, of_task) for one, of_task in zip(tasks, counted, strict=True)]
    common = counted[:, :, None] & counted[:, None, :] & ~np.eye(len(names), dtype=bool)
    first, second = np.nonzero(common.any(axis=0))
    if not len(first):
        return ()
    common = common[:, first, second]
    of_corpus: dict[str, list[int]] = {}
    for place, one in enumerate(tasks):
        if len(one):
            of_corpus.setdefault(one.shared["corpus"], []).append(place)
    corpora = np.array(list(of_corpus))
    p = np.full((len(corpora), len(first)), np.nan)
    met = np.empty((len(corpora), len(first)), dtype=int)  # by which task each pair meets the corpus first
    for row, places in enumerate(of_corpus.values()):
        met[row] = np.where(common[places].any(axis=0), np.array(places)[common[places].argmax(axis=0)], len(tasks))
        tested = [place for place in places if "p" in tasks[place].columns]
        for pattern in np.unique(common[tested], axis=1).T if tested else ():
            chosen = [place for place, is_in in zip(tested, pattern, strict=True) if is_in]
            if chosen:
                alike = np.flatnonzero((common[tested] == pattern[:, None]).all(axis=0))
                metrics = {tasks[place].shared["metric"] for place in chosen}
                of_pairs = [[end[first[alike], second[alike]] for end in ends[place]] for place in chosen]
                p[row, alike] = _one_sided(np.array(of_pairs), one_metric=len(metrics) == 1)
    order = np.argsort(met, axis=0, kind="stable")
    p = np.take_along_axis(p, order, axis=0).T
    alpha = (1 - LEVEL) / len(first)
    known = ~np.isnan(p)
    by_size, sizes = np.argsort(p, axis=1, kind="stable"), known.sum(axis=1)
    left = np.maximum(sizes[:, None] - np.arange(len(corpora)), 0)
    stepped = np.where(left > 0, np.take_along_axis(p, by_size, axis=1) * left, np.inf)
    stepped = np.maximum.accumulate(stepped, axis=1)
    counts, rejected = (stepped <= 1 - (1 - alpha)).sum(axis=1), (stepped <= alpha).sum(axis=1)
    found = []
    for number, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        there = known[number]
        ordered = corpora[order[:, number]]
        named = set(by_size[number, : rejected[number]].tolist())
        found.append(
            Replicability(
                names[a],
                names[b],
                tuple(ordered[there].tolist()),
                tuple(p[number, there].tolist()),
                len(first),
                int(counts[number]),
                tuple(str(ordered[place]) for place in sorted(named)),
            )
        )
    return tuple(found)


def _ends_of(one: Compared, names: Sequence[str], counted: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Gain, spread and degrees of freedom (m, m) of every two systems that count on a task; nan of all others."""
    place = {name: number for number, name in enumerate(one.systems)}
    rows = np.flatnonzero(counted).tolist()
    gain, spread, df = (np.full((len(names),) * 2, np.nan) for _ in range(3))
    if len(rows) < 2 or "p" not in one.columns:
        return gain, spread, df
    of = np.array([place[names[row]] for row in rows])
    (a, b), sign = one.places, 1 if find(one.shared["metric"]).higher_is_better else -1
    for result, values, mirror in (
        (gain, sign * one.delta, -1),
        (spread, one.columns["spread"], 1),
        (df, one.columns["df"], 1),
    ):
        full = np.zeros((len(one.systems),) * 2)
        full[a, b], full[b, a] = values, mirror * values
        result[np.ix_(rows, rows)] = full[np.ix_(of, of)]
    return gain, spread, df


def _one_sided(of_tasks: Array, *, one_metric: bool) -> Array:
    """The p-values (P,) of `Block` for pairs with the same tasks of a corpus: (tasks, 3, P) gains, spreads and df."""
    # by pair, for the sums of one pair and of many to be the same to the last bit
    gain, spread, df = (np.ascontiguousarray(of_tasks[:, place].T) for place in range(3))
    units = np.ones_like(spread) if one_metric else spread
    mean_gain, mean_spread = (gain / units).mean(axis=1), (spread / units).mean(axis=1)
    return t_tail(mean_gain / mean_spread, df.min(axis=1))


def together(found: Sequence[Replicability]) -> tuple[Replicability, ...]:
    """Counts that hold together: each is made with a confidence that 95 % are left for all of them (Bonferroni)."""
    return tuple(_counted(one, claims=len(found)) for one in found)


def _counted(one: Replicability, claims: int) -> Replicability:
    alpha, p = (1 - LEVEL) / claims, np.array(one.p)
    named = tuple(corpus for corpus, value in zip(one.corpora, holm(p), strict=True) if value <= alpha)
    return replace(one, claims=claims, count=partial_conjunction(p, level=1 - alpha), holm=named)


def partial_conjunction(p: NDArray[np.float64], level: float = LEVEL) -> int:
    """At least how many of the hypotheses behind p-values are false, with the given confidence (Bonferroni)."""
    ordered, n = np.sort(p), len(p)
    # at least u are false: the n - u + 1 largest p-values together, so the u-th smallest times as many
    values = np.maximum.accumulate((n - np.arange(n)) * ordered)
    return int((values <= 1 - level).sum())
