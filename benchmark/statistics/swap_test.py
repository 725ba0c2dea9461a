"""The swap test: would two systems differ as much if their results were swapped at random, speaker by speaker?

If two systems are equally good, a speaker on whom one of them does better might as well have been one on whom the other
does: the results of a speaker are swapped between the two systems as a whole, all utterances, folds and seeds together.
Every swap pattern gives a difference; where there are few speakers all patterns are gone through, else some thousands
are drawn. Seeds are a random effect: each system's mean over its own seeds differs from what it would be with endless
seeds by a normal deviation whose variance is that of its seeds. It is added to every swapped difference, and statistics
are studentised, with a new variance each time. For heads without seeds this is the plain (exact) swap test, and for
endless speakers Welch's t test of the two sets of seeds; in between both matter.

What a swap does is taken to first order (`contributions`). For UAR, WA and whatever else is linear in the decisions
that is exact; for others the error is of third order, since a swap is odd about the mean of the two systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.metrics import Metric
from benchmark.records import TaskPart
from benchmark.statistics.scores import Array, chunks

SWAPS = 10_000  # drawn where there are too many patterns to go through; the number of draws of seeds in any case
EXACT_SPEAKERS = 14  # up to which all 2**13 patterns, of which the other half is the mirror image, are gone through
SEED = 20_260_101  # fixed, so that the same records give the same bytes
AT_ONCE = 500_000  # swapped differences held at once: 4 MB an array
CELLS_AT_ONCE = 100_000  # statistics held at once by `contributions`: 800 kB an array
NEARLY = 1 - 1e-9  # rounding does not decide whether a swapped difference is as large as the one that was found


@dataclass(frozen=True, eq=False)
class Seeds:
    """What the seeds of one system contribute to the uncertainty of its score.

    Attributes:
        variance: Of its mean over seeds; 0 for a head without seeds, or a single seed.
        df: Degrees of freedom of that variance: seeds - 1.
        key: Identity of the system: its draws do not depend on which other systems there are.
    """

    variance: float
    df: int
    key: int


@dataclass(frozen=True, eq=False)
class SwapTests:
    """Tests of several pairs of systems, each alone, on the same swaps.

    Attributes:
        p: (P,) two-sided p-values of each pair alone.
        draws: The number of swap patterns, or of draws of patterns and seeds.
        exact: Whether these are all patterns there are, and nothing was drawn.
        smallest: The smallest p-value that can be told from smaller ones: of so many draws, or with so few speakers
            (2 / 2**S, of which every speaker agrees).
    """

    p: Array
    draws: int
    exact: bool
    smallest: float


def contributions(a: Array, b: Array, task: TaskPart, metric: Metric) -> Array:
    """What each speaker contributes to the difference of two systems.

    Between two systems that are alike, each the mean of a and b, the contribution of a speaker is the difference that
    comes about when a is given its own results of this speaker and b likewise.

    Args:
        a: (folds, S, ...) statistics of a system, the mean over its seeds.
        b: Of another one.
        task: Decides the pooling of folds.
        metric: What is computed.

    Returns:
        (S,); their sum is the difference of scores, exactly where the metric is linear in the decisions.
    """
    if task.pool == "utterances":
        a, b = a.sum(axis=0, keepdims=True), b.sum(axis=0, keepdims=True)
    middle = ((a + b) / 2).sum(axis=1, keepdims=True)
    half = (a - b) / 2
    result = np.zeros(a.shape[1])
    for fold in range(len(a)):
        tested = np.flatnonzero((a[fold] != 0).any(axis=(-2, -1)))
        for part in chunks(len(tested), max(1, CELLS_AT_ONCE // a[0, 0].size)):
            speakers = tested[part]
            with_a = metric.compute(middle[fold] + half[fold, speakers])
            result[speakers] += with_a - metric.compute(middle[fold] - half[fold, speakers])
    return result / len(a)


def swap_tests(
    contribution: Array, pairs: Sequence[tuple[int, int]], seeds: Sequence[Seeds], *, key: int, swaps: int = SWAPS
) -> SwapTests:
    """Test pairs of systems.

    Args:
        contribution: (S, P) of S speakers, at least two, and P pairs: see `contributions`.
        pairs: Which two of the systems each pair is.
        seeds: One for each system. Where any of them varies, patterns are drawn together with seeds.
        key: Identity of the task: decides the swaps, which do not depend on which systems there are.
        swaps: How many patterns are drawn where not all are gone through.
    """
    speakers, count = contribution.shape
    patterns, every = _patterns(speakers, key, swaps)
    drawn = any(seeds[system].variance > 0 for pair in pairs for system in pair)
    if every and drawn:
        patterns = np.tile(patterns, (-(-swaps // len(patterns)), 1))
    noise = _SeedDraws(seeds, len(patterns))
    squares = np.square(contribution).sum(axis=0)
    first, second = (np.array([pair[side] for pair in pairs], dtype=int) for side in (0, 1))
    between = np.array([seed.variance for seed in seeds])
    of_seeds = between[first] + between[second]
    found = np.abs(_studentised(contribution.sum(axis=0), np.zeros(count), squares, speakers, of_seeds))
    as_large = np.zeros(count)
    for part in chunks(len(patterns), max(1, AT_ONCE // max(1, count))):
        moved, variance = noise.of(part, first, second)
        swapped = np.abs(_studentised(patterns[part] @ contribution, moved, squares, speakers, variance))
        as_large += (swapped >= found * NEARLY).sum(axis=0)
    exact = every and not drawn
    more = 0 if exact else 1  # what was found is one more draw
    draws = len(patterns) + more
    smallest = max(2.0 ** (1 - speakers) if every else 0.0, 1 / draws)
    return SwapTests((as_large + more) / draws, draws, exact, smallest)


def holm(p: Array) -> Array:
    """Holm's (1979) step-down correction of p-values for their number."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))), 1)
    return adjusted


def _patterns(speakers: int, key: int, swaps: int) -> tuple[Array, bool]:
    """Signs (B, S), -1 where a speaker is swapped; whether they are all there are, up to mirror images."""
    if speakers <= EXACT_SPEAKERS:
        numbers = np.arange(2 ** (speakers - 1))[:, None] << 1
        return np.asarray(1.0 - 2.0 * ((numbers >> np.arange(speakers)) & 1), dtype=np.float64), True
    rng = np.random.Generator(np.random.PCG64([SEED, key]))
    return np.asarray(1.0 - 2.0 * rng.integers(0, 2, (swaps, speakers)), dtype=np.float64), False


def _studentised(total: Array, moved: Array, squares: Array, speakers: int, between_seeds: Array) -> Array:
    """Differences by their standard deviation over speakers and seeds; 0 where there is neither difference nor spread.

    The variance of a sum of S contributions with the sum of squares Q is S / (S - 1) * (Q - sum**2 / S), whatever has
    been swapped. New seeds move the difference, but all speakers alike, and so not their spread.
    """
    over_speakers = (speakers * squares - np.square(total)) / max(1, speakers - 1)
    # All contributions alike: a spread of nothing would be an infinite t, which nothing could be compared with.
    variance = np.maximum(over_speakers, 1e-12 * squares) + between_seeds
    difference = total + moved
    return np.divide(difference, np.sqrt(variance), out=np.zeros_like(difference), where=variance > 0)


class _SeedDraws:
    """By how much the seeds move a difference in each of B draws, and with which variance."""

    def __init__(self, seeds: Sequence[Seeds], draws: int) -> None:
        self._moved, self._variance = np.zeros((draws, len(seeds))), np.zeros((draws, len(seeds)))
        for index, seed in enumerate(seeds):
            if seed.variance > 0:
                rng = np.random.Generator(np.random.PCG64([SEED, seed.key]))
                self._moved[:, index] = rng.normal(0, np.sqrt(seed.variance), draws)
                self._variance[:, index] = seed.variance * rng.chisquare(seed.df, draws) / seed.df

    def of(self, part: slice, first: np.ndarray, second: np.ndarray) -> tuple[Array, Array]:
        """(B, P) movements of the difference of each pair, and their variances."""
        moved, variance = self._moved[part], self._variance[part]
        return moved[:, first] - moved[:, second], variance[:, first] + variance[:, second]
