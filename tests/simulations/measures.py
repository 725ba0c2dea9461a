"""How often the product's methods err in a world, beside other methods."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import rivals
from scipy import special
from worlds import Draw, World

from benchmark.statistics import LEVEL, analyse, cell_interval, cell_scores, compare
from benchmark.statistics.families import holm
from benchmark.statistics.power import outlook
from benchmark.statistics.replicability import partial_conjunction
from benchmark.statistics.tasks import across_tasks, signed_ranks

RESAMPLES = 300
NAIVE_DRAWS = 100  # of the naive bootstrap, whose errors are too large to need more
ALPHA = 1 - LEVEL
BETTER = 0.12  # how much better the better half of a board is


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
        significant: Of each method, how often p < 0.05; "0.005" how often the product's is below that. A pair without
            a test is not significant.
        covered: How often the interval of the difference holds the true one.
        told: How often the product says that such a difference would be found: the mean over draws, and the tenth and
            ninetieth percentile.
    """

    significant: dict[str, Share]
    covered: Share
    told: tuple[float, float, float]


def pairs(
    world: World,
    draws: int,
    difference: float = 0.0,
    others: bool = True,
    naive: bool = True,
) -> PairShares:
    """Tests of two systems, the first of which is better by `difference`; with `others` by other methods as well.

    Of those the naive bootstrap takes most of the time by far, where speakers are many.
    """
    rng = rng_of("pairs", world, difference)
    shifts = (world.shifted(difference / 2), world.shifted(-difference / 2))
    significant: dict[str, list[bool]] = defaultdict(list)
    covered, told = [], []
    for number in range(draws):
        draw = world.draw(rng, shifts)
        found = compare(draw.cell(0), draw.cell(1), world.metric)
        covered.append(found.low <= difference <= found.high)
        told.append(outlook([found], [difference])[0].share if found.p is not None else 0.0)
        p = {"product": 1.0 if found.p is None else found.p}
        significant["0.005"].append(p["product"] < 0.005)
        if others:
            p["swaps, no seeds"] = rivals.swaps(_contribution(draw, [(0, 1)])[:, 0], 0.0, rng)
            if world.metric == "uar":
                p["McNemar"] = rivals.mcnemar(draw)
            if naive and number < NAIVE_DRAWS:
                p["naive"] = rivals.naive_p(draw, rng, RESAMPLES)
        for method, value in p.items():
            significant[method].append(value < ALPHA)
    return PairShares(
        {method: Share(float(np.mean(values)), len(values)) for method, values in significant.items()},
        Share(float(np.mean(covered)), draws),
        (float(np.mean(told)), *np.quantile(told, [0.1, 0.9]).tolist()),
    )


def _contribution(draw: Draw, of: Sequence[tuple[int, int]]) -> np.ndarray:
    """(S, P) contributions of speakers to the differences of pairs."""
    sums = [draw.by_speaker(system) for system in range(draw.systems)]
    return np.stack([rivals.contributions(draw.world.metric, sums[i], sums[j]) for i, j in of], axis=1)


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
    p = np.array([1.0 if one.p is None else one.p for one in found])
    result = {
        "product": np.array([one.significant for one in found]),
        "Holm": holm(p) < ALPHA,
        "uncorrected": p < ALPHA,
    }
    scores = [cell_scores(cell, draw.world.metric) for cell in cells]
    ranked = sorted(range(len(cells)), key=lambda system: -scores[system].mean)
    shown = dict(zip(ranked, analysis.letters([names[system] for system in ranked]), strict=True))
    result["letters"] = np.array([not set(shown[i]) & set(shown[j]) for i, j in of])
    if others:
        contribution, rng = _contribution(draw, of), rng_of(draw.key)
        between = np.array([one.variance_of_mean for one in scores])
        swapped = [
            rivals.swaps(contribution[:, number], between[i] + between[j], rng) for number, (i, j) in enumerate(of)
        ]
        result["Holm, swaps"] = holm(np.array(swapped)) < ALPHA
        result["max-T"] = rivals.max_t(contribution, between, np.array(of), rng) < ALPHA
    return result


def top_rows(world: World, draws: int, systems: int = 8) -> Share:
    """How often the interval of the first row holds its true score, on boards of systems that are equally good."""
    rng, covered = rng_of("top rows", world, systems), []
    for _ in range(draws):
        draw = world.draw(rng, [0.0] * systems)
        cells = [draw.cell(system) for system in range(systems)]
        best = max(cells, key=lambda cell: cell_scores(cell, world.metric).mean)
        found = cell_interval(best, world.metric)
        covered.append(found.low <= world.score <= found.high)
    return Share(float(np.mean(covered)), draws)


@dataclass(frozen=True)
class Layout:
    """Tasks over corpora, and what equal systems show on them.

    Attributes:
        tasks: Of each corpus, how many.
        systems: How many, all equally good over endless corpora.
    """

    tasks: tuple[int, ...]
    systems: int

    @property
    def corpora(self) -> dict[str, str]:
        """Of each task, its corpus."""
        return {f"{corpus}-{task}": str(corpus) for corpus, of in enumerate(self.tasks) for task in range(of)}

    def draw(self, rng: np.random.Generator) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
        """Scores of each task and system. A corpus suits systems differently, its tasks less so."""
        of_corpus = rng.normal(0, 0.03, (len(self.tasks), self.systems))
        scores = {
            task: {
                f"s{system}": float(0.6 + of_corpus[int(corpus), system] + rng.normal(0, 0.02))
                for system in range(self.systems)
            }
            for task, corpus in self.corpora.items()
        }
        return scores, self.corpora


def over_corpora(layout: Layout, draws: int) -> dict[str, tuple[Share, Share]]:
    """How often a test finds a difference of equal systems: with each corpus a block, and with each task one.

    Of Nemenyi's and Wilcoxon's tests any of the pairs. "wins" is how often a count of a matrix exceeds the truth, which
    is 0 for systems that are equal on every corpus: claims together, and each count as if it were alone.
    """
    rng = rng_of("corpora", layout)
    found: dict[str, tuple[list[bool], list[bool]]] = defaultdict(lambda: ([], []))
    for _ in range(draws):
        scores, corpora = layout.draw(rng)
        for place, blocks in enumerate((corpora, {task: task for task in corpora})):
            across, signed = across_tasks(scores, blocks), signed_ranks(scores, blocks)
            found["Friedman"][place].append(across.friedman_p < ALPHA)
            off = ~np.eye(layout.systems, dtype=bool)
            found["Nemenyi"][place].append(bool((across.p_nemenyi[off] < ALPHA).any()))
            found["Wilcoxon"][place].append(any(one.p_adjusted < ALPHA for one in signed))
        claims = layout.systems * (layout.systems - 1)
        half = special.ndtr(rng.normal(size=(claims // 2, len(layout.tasks))))
        p = np.concatenate([half, 1 - half])
        for place, number in enumerate((claims, 1)):
            counts = [partial_conjunction(one, level=1 - ALPHA / number) for one in p]
            found["wins"][place].append(any(counts))
    return {
        name: (Share(float(np.mean(a)), len(a)), Share(float(np.mean(b)), len(b))) for name, (a, b) in found.items()
    }
