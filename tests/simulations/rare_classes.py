"""How often intervals and tests err where a class has few utterances, or few of many speakers.

    OMP_NUM_THREADS=1 python tests/simulations/rare_classes.py --draws 1000

Rare: three classes of 40 utterances from each speaker, and one of which some speakers have a single one; all recalls
are the same, and speakers are alike. Held by few: three classes of 10 utterances from each speaker, and one of 20 from
few of them; speakers and systems differ, class by class. And the layouts of published tasks whose speakers say more and
less of the classes. Two equal systems, one seed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package of this checkout

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from worlds import CLASSES, SimulatedCell, pattern

from benchmark.records import RecordStore
from benchmark.records.grouping import group
from benchmark.statistics import cell_interval, compare
from benchmark.statistics.scores import effective_speakers

BETWEEN, INTERACTION = 0.36, 0.20  # deviations of speakers, and of systems on speakers, on the probit scale
RARE = tuple((speakers, few, recall) for speakers, few in ((10, 4), (24, 8), (60, 8)) for recall in (0.9, 0.75))
UNEVEN = ("urdu", "baved", "ased")  # tasks
RESULTS = Path(__file__).resolve().parents[2] / "leaderboard" / "results"
HELD = ((10, 2), (24, 2), (24, 4), (60, 2), (60, 4), (60, 10))


def sizes(speakers: int, few: int, common: int, last: int) -> NDArray[np.int64]:
    """(speakers, classes) utterances: `common` of each class, but of the last one `last` from a few speakers."""
    found = np.full((speakers, CLASSES), common)
    found[:, -1] = np.where(np.arange(speakers) < few, last, 0)
    return found


def systems(
    rng: np.random.Generator, of: NDArray[np.int64], recall: float, between: float, interaction: float
) -> list[SimulatedCell]:
    """Two equal systems: wrong decisions are of the next class."""
    classes = of.shape[1]
    at = stats.norm.ppf(recall) * np.sqrt(1 + between**2 + interaction**2)
    shared = between * rng.standard_normal(of.shape)
    cells = []
    for name in ("a", "b"):
        right = rng.binomial(of, stats.norm.cdf(at + shared + interaction * rng.standard_normal(of.shape)))
        one = np.eye(classes)
        counts = right[..., None] * one + (of - right)[..., None] * np.roll(one, 1, axis=1)
        cells.append(SimulatedCell(pattern("uar"), name, counts[None, None], name * 64))
    return cells


def covered(speakers: int, few: int, recall: float, draws: int) -> tuple[float, float]:
    """How often the interval of a score holds the truth where a class is rare [%], and its median width [points]."""
    rng = np.random.default_rng([1, speakers, few, round(100 * recall)])
    ends = []
    for _ in range(draws):
        found = cell_interval(systems(rng, sizes(speakers, few, 40, 1), recall, 0.0, 0.0)[0], "uar")
        assert found is not None
        ends.append((found.low, found.high))
    low, high = np.array(ends).T
    return 100 * float(((low <= recall) & (recall <= high)).mean()), 100 * float(np.median(high - low))


def published(task: str) -> NDArray[np.int64]:
    """(speakers, classes) utterances that a published task tests."""
    cell = next(one for one in group(RecordStore(RESULTS / task)).cells if one.complete)
    return np.rint(cell.statistics()[0].sum(axis=(0, -1))).astype(np.int64)


def told_apart(of: NDArray[np.int64], draws: int) -> tuple[float, dict[float, float]]:
    """Effective speakers of a layout, and how often p of equal systems is below each level [%]."""
    rng = np.random.default_rng([2, *of.shape])
    found, effective = [], 0.0
    for _ in range(draws):
        cells = systems(rng, of, 0.65, BETWEEN, INTERACTION)
        effective = effective_speakers(cells[0].statistics(), cells[0].task)
        p = compare(*cells, "uar").p
        found.append(1.0 if p is None else p)
    return effective, {level: 100 * float((np.array(found) < level).mean()) for level in (0.05, 0.005)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    tell = sys.stdout.write
    tell("| speakers | utterances of the rare class | recall | covers | width |\n|---:|---:|---:|---:|---:|\n")
    for speakers, few, recall in RARE:
        share, width = covered(speakers, few, recall, draws)
        tell(f"| {speakers} | {few} | {recall:g} | {share:.1f} | {width:.0f} |\n")
    tell("\n| speakers | that hold a class | effective | below 0.05 | below 0.005 |\n|---:|---:|---:|---:|---:|\n")
    for speakers, few in HELD:
        effective, below = told_apart(sizes(speakers, few, 10, 20), draws)
        tell(f"| {speakers} | {few} | {effective:.1f} | {below[0.05]:.1f} | {below[0.005]:.1f} |\n")
    tell("\n| layout of | speakers | effective | below 0.05 | below 0.005 |\n|---|---:|---:|---:|---:|\n")
    for task in UNEVEN:
        effective, below = told_apart(of := published(task), draws)
        tell(f"| {task} | {len(of)} | {effective:.1f} | {below[0.05]:.1f} | {below[0.005]:.1f} |\n")


if __name__ == "__main__":
    main()
