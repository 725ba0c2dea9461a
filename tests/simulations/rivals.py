"""Other ways to make intervals and tests, beside which the product's are measured.

Independent of the product: scores and their derivatives are written out here once more. Bootstraps resample speakers
and, with equal right, seeds; the naive ones resample utterances, as if those of a speaker were independent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from worlds import CLASSES, Draw

Array = NDArray[np.float64]

Ends = tuple[float, float]
ALPHA = 0.05


def score(metric: str, totals: Array) -> Array:
    """The metric of sums (..., D): hits and sizes of classes, or moments."""
    if metric == "uar":
        hits, sizes = totals[..., :CLASSES], totals[..., CLASSES:]
        recalls = np.divide(hits, sizes, out=np.zeros_like(hits), where=sizes > 0)
        return recalls.sum(axis=-1) / (sizes > 0).sum(axis=-1)
    n, t, p, tt, pp, tp = np.moveaxis(totals, -1, 0)
    return 2 * (tp - t * p / n) / (tt + pp - 2 * t * p / n)


def gradient(metric: str, totals: Array) -> Array:
    """The derivatives of the metric by its sums, (..., D)."""
    if metric == "uar":
        hits, sizes = totals[..., :CLASSES], totals[..., CLASSES:]
        tested = (sizes > 0).sum(axis=-1, keepdims=True)
        by_hits = np.divide(1.0, sizes * tested, out=np.zeros_like(sizes), where=sizes > 0)
        by_sizes = -by_hits * np.divide(hits, sizes, out=np.zeros_like(hits), where=sizes > 0)
        return np.concatenate([by_hits, by_sizes], axis=-1)
    n, t, p, tt, pp, tp = np.moveaxis(totals, -1, 0)
    top, bottom = 2 * (tp - t * p / n), tt + pp - 2 * t * p / n
    tops = np.stack([2 * t * p / n**2, -2 * p / n, -2 * t / n, 0 * n, 0 * n, 2 + 0 * n], axis=-1)
    bottoms = np.stack([2 * t * p / n**2, -2 * p / n, -2 * t / n, 1 + 0 * n, 1 + 0 * n, 0 * n], axis=-1)
    return (tops - (top / bottom)[..., None] * bottoms) / bottom[..., None]


def bootstraps(draw: Draw, rng: np.random.Generator, resamples: int) -> dict[str, Ends]:
    """The 95 % intervals of the first system by bootstraps of speakers and seeds: percentile, BCa and studentised."""
    metric, x = draw.world.metric, draw.by_speaker(0)
    seeds, speakers, _ = x.shape
    found = float(score(metric, x.sum(axis=1)).mean())
    drawn = rng.multinomial(speakers, np.full(speakers, 1 / speakers), resamples).astype(float)
    seed_weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), resamples) / seeds
    totals = np.einsum("bs,rsd->rbd", drawn, x, optimize=True)
    of_seeds = score(metric, totals).T
    values = (of_seeds * seed_weights).sum(axis=1)
    ends = {"percentile": tuple(np.quantile(values, [ALPHA / 2, 1 - ALPHA / 2]))}

    without = score(metric, x.sum(axis=1, keepdims=True) - x).mean(axis=0)
    pull = without.mean() - without
    cubes, squares = (pull**3).sum(), (pull**2).sum()
    acceleration = cubes / (6 * squares**1.5) if squares > 0 else 0.0
    below = (values < found).mean() + (values == found).mean() / 2
    middle = stats.norm.ppf(np.clip(below, 1 / resamples, 1 - 1 / resamples))
    z = middle + stats.norm.ppf([ALPHA / 2, 1 - ALPHA / 2])
    ends["BCa"] = tuple(np.quantile(values, stats.norm.cdf(middle + z / (1 - acceleration * z))))

    slopes = gradient(metric, totals)
    influence = np.einsum("br,rbd,rsd->bs", seed_weights, slopes, x, optimize=True)
    variance = speakers / (speakers - 1) * (drawn * influence**2).sum(axis=1)
    if seeds > 1:
        spread = (seed_weights * (of_seeds - values[:, None]) ** 2).sum(axis=1)
        variance = variance + spread / (seeds - 1)
    ends["bootstrap-t"] = _studentised(metric, values, np.sqrt(variance), found, _error(metric, x))
    return ends


def _error(metric: str, x: Array) -> float:
    """The standard error of a score over speakers and seeds, to first order."""
    seeds, speakers, _ = x.shape
    totals = x.sum(axis=1)
    influence = np.einsum("rd,rsd->s", gradient(metric, totals), x) / seeds
    variance = speakers / (speakers - 1) * (influence**2).sum()
    return float(np.sqrt(variance + (score(metric, totals).var(ddof=1) / seeds if seeds > 1 else 0.0)))


def _studentised(metric: str, values: Array, errors: Array, found: float, error: float) -> Ends:
    """The interval of t statistics on the scale without ends: logit of a share, Fisher's z of a correlation."""
    if metric == "uar":
        values, found = np.clip(values, 1e-3, 1 - 1e-3), float(np.clip(found, 1e-3, 1 - 1e-3))
        there, back, slopes, slope = special.logit, special.expit, 1 / (values - values**2), 1 / (found - found**2)
    else:
        values = np.clip(values, -0.999, 0.999)
        there, back, slopes, slope = np.arctanh, np.tanh, 1 / (1 - values**2), 1 / (1 - found**2)
    moved = there(values) - there(found)
    scaled = errors * slopes
    t = np.where(moved == 0, 0.0, np.copysign(np.inf, moved))
    np.divide(moved, scaled, out=t, where=scaled > 1e-9)
    low, high = np.quantile(t, [ALPHA / 2, 1 - ALPHA / 2], method="inverted_cdf")
    reach = error * slope
    return float(back(there(found) - high * reach)), float(back(there(found) - low * reach))


def utterances(draw: Draw, rng: np.random.Generator, resamples: int) -> Array:
    """(m, B) scores of resampled utterances, the mean over seeds: the naive bootstrap."""
    count = len(draw.speaker)
    numbers = rng.integers(0, count, (resamples, count)) + count * np.arange(resamples)[:, None]
    weights = np.bincount(numbers.ravel(), minlength=resamples * count).reshape(resamples, count).astype(float)
    result = np.empty((draw.systems, resamples))
    for system in range(draw.systems):
        features = draw.features(system)
        flat = np.moveaxis(features, 0, 1).reshape(count, -1)
        totals = (weights @ flat).reshape(resamples, len(features), -1)
        result[system] = score(draw.world.metric, totals).mean(axis=1)
    return result


def naive_interval(draw: Draw, rng: np.random.Generator, resamples: int) -> Ends:
    """The percentile interval of the first system by the naive bootstrap of utterances."""
    return tuple(np.quantile(utterances(draw, rng, resamples)[0], [ALPHA / 2, 1 - ALPHA / 2]))


def naive_p(draw: Draw, rng: np.random.Generator, resamples: int) -> float:
    """The two-sided p-value of the first two systems by the naive paired bootstrap of utterances."""
    first, second = utterances(draw, rng, resamples)
    return min(1.0, 2 * float(min((first >= second).mean(), (first <= second).mean())))


def mcnemar(draw: Draw) -> float:
    """McNemar's exact test of the decisions of the first two systems, with the first seed of each."""
    first, second = draw.outcome[0, 0], draw.outcome[1, 0]
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    return min(1.0, 2 * float(stats.binom.cdf(min(only_first, only_second), only_first + only_second, 0.5)))


def contributions(metric: str, first: Array, second: Array) -> Array:
    """(S,) what each speaker contributes to the difference of two systems, to first order, of sums (R, S, D)."""
    a, b = first.mean(axis=0), second.mean(axis=0)
    return (a - b) @ gradient(metric, ((a + b) / 2).sum(axis=0))


def swaps(contribution: Array, variance: float, rng: np.random.Generator, draws: int = 10_000) -> float:
    """The two-sided p-value of whole speakers swapped between two systems, studentised, seeds added where they vary.

    Args:
        contribution: (S,).
        variance: Of the difference of the two means over seeds.
        rng: For swaps and seeds.
        draws: Where not all swaps are gone through.
    """
    speakers = len(contribution)
    if speakers <= 13 and variance == 0:
        signs = 1.0 - 2 * ((np.arange(2 ** (speakers - 1))[:, None] >> np.arange(speakers)) & 1)
    else:
        signs = 1.0 - 2 * rng.integers(0, 2, (draws, speakers))
    squares = (contribution**2).sum()

    def t(difference: Array | float, moved: Array | float = 0.0) -> Array:
        over_speakers = np.maximum((speakers * squares - difference**2) / (speakers - 1), 1e-12 * squares)
        return np.abs(difference + moved) / np.sqrt(over_speakers + variance + 1e-300)

    moved = rng.normal(0, np.sqrt(variance), len(signs)) if variance > 0 else 0.0
    return float((t(signs @ contribution, moved) >= t(contribution.sum()) * (1 - 1e-9)).mean())


def max_t(contribution: Array, between_seeds: Array, pairs: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Westfall and Young's step-down p-values of swaps, studentised, seeds added.

    Args:
        contribution: (S, P) contributions of speakers to the differences of pairs.
        between_seeds: (m,) variances of the systems' means over seeds.
        pairs: (P, 2) which systems each pair is.
        rng: For swaps and seeds.
    """
    speakers, draws = len(contribution), 2000
    if speakers <= 11:
        signs = 1.0 - 2 * ((np.arange(2**speakers)[:, None] >> np.arange(speakers)) & 1)
        signs = np.tile(signs, (-(-draws // len(signs)), 1))
    else:
        signs = 1.0 - 2 * rng.integers(0, 2, (draws, speakers))
    squares, variance = (contribution**2).sum(axis=0), between_seeds[pairs].sum(axis=1)

    def t(difference: Array, moved: Array | float) -> Array:
        over_speakers = np.maximum((speakers * squares - difference**2) / (speakers - 1), 1e-12 * squares)
        return np.abs(difference + moved) / np.sqrt(over_speakers + variance)

    moves = rng.normal(0, np.sqrt(between_seeds), (len(signs), len(between_seeds)))
    found = t(contribution.sum(axis=0), 0.0)
    swapped = t(signs @ contribution, moves[:, pairs[:, 0]] - moves[:, pairs[:, 1]])
    order = np.argsort(-found)
    largest = np.maximum.accumulate(swapped[:, order][:, ::-1], axis=1)[:, ::-1]
    result = np.empty(len(found))
    result[order] = np.maximum.accumulate((largest >= found[order] * (1 - 1e-9)).mean(axis=0))
    return result
