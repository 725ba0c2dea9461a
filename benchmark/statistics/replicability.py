"""Two systems on just these corpora, whose speakers are a sample: by how much one is better, and on how many.

Tasks that share a corpus are one block, as in `benchmark.statistics.tasks`, which takes corpora for a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import find
from benchmark.statistics.distributions import t_quantile, t_tail
from benchmark.statistics.families import holm
from benchmark.statistics.pairs import Compared, Comparison
from benchmark.statistics.scores import LEVEL, Array


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
