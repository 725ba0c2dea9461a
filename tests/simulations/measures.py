"""How often the product's methods err in a world, beside other methods."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import rivals
from worlds import Draw, World

from benchmark.metrics import METRICS
from benchmark.statistics import LEVEL, analyse, cell_interval, cell_scores, compare, swap_test
from benchmark.statistics.swap_test import Seeds, contributions, holm, swap_tests

RESAMPLES = 300
NAIVE_DRAWS = 100  # of the naive bootstrap, whose errors are too large to need more
ALPHA = 1 - LEVEL
BETTER = 0.12  # how much better the better half of a board is

# The swaps of a task are the same at every call: made once, they save half of the time with 200 speakers.
swap_test._patterns = lru_cache(maxsize=8)(swap_test._patterns)


@dataclass(frozen=True)
class Share:
    """How often something happened.

    Attributes:
        share: In [0, 1].
        draws: Of how many.
    """

    share: float
    draws: int

    @property
    def error(self) -> float:
        """Standard error, never 0: as if it had happened, and not happened, half a time more."""
        p = (self.share * self.draws + 0.5) / (self.draws + 1)
        return float(np.sqrt(p * (1 - p) / self.draws))


@dataclass(frozen=True)
class IntervalShares:
    """Of each method how often its interval holds the true score, and its median width."""

    covered: dict[str, Share]
    width: dict[str, float]


def rng_of(*content: object) -> np.random.Generator:
    """Random numbers of their own for each measurement, whichever others are made."""
    return np.random.default_rng(zlib.crc32(repr(content).encode()))


def intervals(world: World, draws: int, others: bool = True) -> IntervalShares:
    """Coverage of intervals of a score; with `others` by other methods as well."""
    rng, truth = rng_of("intervals", world), world.score
    covered: dict[str, list[bool]] = defaultdict(list)
    width: dict[str, list[float]] = defaultdict(list)
    for number in range(draws):
        draw = world.draw(rng)
        found = cell_interval(draw.cell(0), world.metric)
        ends = {"product": (found.low, found.high)}
        if others:
            ends |= rivals.bootstraps(draw, rng, RESAMPLES)
        if others and number < NAIVE_DRAWS:
            ends["naive"] = rivals.naive_interval(draw, rng, RESAMPLES)
        for method, (low, high) in ends.items():
            covered[method].append(low <= truth <= high)
            width[method].append(min(high, 1) - max(low, 0 if world.metric == "uar" else -1))
    return IntervalShares(
        {method: Share(float(np.mean(values)), len(values)) for method, values in covered.items()},
        {method: float(np.median(values)) for method, values in width.items()},
    )


@dataclass(frozen=True)
class PairShares:
    """Two systems of a world, compared again and again.

    Attributes:
        significant: Of each method, how often p <= 0.05.
        covered: How often the interval of the difference holds the true one.
        detectable: What the product says can be seen, the root of its mean square over draws: it is proportional to a
            standard deviation, whose square is unbiased; nan where it was not asked for.
    """

    significant: dict[str, Share]
    covered: Share
    detectable: float


def pairs(
    world: World,
    draws: int,
    difference: float = 0.0,
    others: bool = True,
    naive: bool = True,
    detect: bool = False,
) -> PairShares:
    """Tests of two systems, the first of which is better by `difference`; with `others` by other methods as well.

    Of those the naive bootstrap takes most of the time by far, where speakers are many.
    """
    rng = rng_of("pairs", world, difference)
    shifts = (world.shifted(difference / 2), world.shifted(-difference / 2))
    significant: dict[str, list[bool]] = defaultdict(list)
    covered, detectable = [], []
    for number in range(draws):
        draw = world.draw(rng, shifts)
        found = compare(draw.cell(0), draw.cell(1), world.metric)
        covered.append(found.low <= difference <= found.high)
        if detect:
            detectable.append(found.detectable)
        p = {"product": found.p}
        if others:
            p["swaps, no seeds"] = _swaps_alone(draw, [(0, 1)])[0]
            if world.metric == "uar":
                p["McNemar"] = rivals.mcnemar(draw)
            if naive and number < NAIVE_DRAWS:
                p["naive"] = rivals.naive_p(draw, rng, RESAMPLES)
        for method, value in p.items():
            significant[method].append(value <= ALPHA)
    return PairShares(
        {method: Share(float(np.mean(values)), len(values)) for method, values in significant.items()},
        Share(float(np.mean(covered)), draws),
        float(np.sqrt(np.mean(np.square(detectable)))) if detect else np.nan,
    )


def _contribution(draw: Draw, of: Sequence[tuple[int, int]]) -> np.ndarray:
    means = [draw.cell(system).statistics().mean(axis=0) for system in range(draw.systems)]
    task, metric = draw.cell(0).task, METRICS[draw.world.metric]
    return np.stack([contributions(means[i], means[j], task, metric) for i, j in of], axis=1)


def _swaps_alone(draw: Draw, of: Sequence[tuple[int, int]]) -> np.ndarray:
    """P-values of the product's swap test as if there were no seeds."""
    nothing = [Seeds(0.0, 0, number) for number in range(draw.systems)]
    return swap_tests(_contribution(draw, of), of, nothing, key=draw.key).p


@dataclass(frozen=True)
class FamilyShares:
    """Boards of several systems.

    Attributes:
        wrong: Of each method, how often at least two systems that are equally good differ significantly.
        power: Of each method, the share of the pairs that do differ found significant; nan where none does.
    """

    wrong: dict[str, Share]
    power: dict[str, float]


def families(world: World, draws: int, equal: bool, systems: int = 8, others: bool = True) -> FamilyShares:
    """Boards of systems that are all equally good, or of which half are better than the other half.

    "letters" counts two equal systems without a shared letter, of the product.
    """
    rng = rng_of("families", world, equal, systems)
    gap = 0.0 if equal else BETTER
    shifts = [world.shifted(gap / 2 if number < systems // 2 else -gap / 2) for number in range(systems)]
    of = list(combinations(range(systems), 2))
    null = np.array([shifts[i] == shifts[j] for i, j in of])
    wrong: dict[str, list[bool]] = defaultdict(list)
    power: dict[str, list[float]] = defaultdict(list)
    for _ in range(draws):
        draw = world.draw(rng, shifts)
        for method, found in _decisions(draw, of, others).items():
            wrong[method].append(bool(found[null].any()))
            power[method].append(float(found[~null].mean()) if not equal else np.nan)
    return FamilyShares(
        {method: Share(float(np.mean(values)), len(values)) for method, values in wrong.items()},
        {method: float(np.mean(values)) for method, values in power.items()},
    )


def _decisions(draw: Draw, of: list[tuple[int, int]], others: bool) -> dict[str, np.ndarray]:
    """Of each method, which pairs differ significantly."""
    cells = [draw.cell(system) for system in range(draw.systems)]
    analysis = analyse(cells)
    names = [cell.name for cell in cells]
    found = [analysis.pairs[names[i], names[j]] for i, j in of]
    result = {
        "product": np.array([one.significant for one in found]),
        "uncorrected": np.array([one.p <= ALPHA for one in found]),
    }
    scores = [cell_scores(cell, draw.world.metric) for cell in cells]
    ranked = sorted(range(len(cells)), key=lambda system: -scores[system].mean)
    shown = dict(zip(ranked, analysis.letters([names[system] for system in ranked]), strict=True))
    result["letters"] = np.array([not set(shown[i]) & set(shown[j]) for i, j in of])
    if others:
        contribution = _contribution(draw, of)
        between = np.array([one.variance_of_mean for one in scores])
        seeds = [Seeds(variance, draw.world.seeds - 1, number) for number, variance in enumerate(between)]
        pure = swap_tests(contribution, of, seeds, key=draw.key % 2**32).p
        result["Holm, swaps only"] = holm(pure) < ALPHA
        result["max-T"] = rivals.max_t(contribution, between, np.array(of), rng_of(draw.key)) < ALPHA
    return result
