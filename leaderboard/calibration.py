"""How far the probabilities of systems can be believed: ECE, Brier score and NLL, before and after a temperature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmark.records.cells import Cell
from benchmark.records.parts import AFTER, MEASURES, of_probabilities
from benchmark.registry.known import known_head
from benchmark.statistics import Interval, Scores, all_intervals, all_scores
from benchmark.sufficient import CALIBRATION


@dataclass(frozen=True, eq=False)
class Believed:
    """ECE, Brier score and NLL of the probabilities of a system.

    Attributes:
        scores: By metric.
        intervals: By metric; None for a single speaker.
        by_chance: The ECE that probabilities which are right would have on so many utterances, mean over seeds.
    """

    scores: Mapping[str, Scores]
    intervals: Mapping[str, Interval | None]
    by_chance: float


@dataclass(frozen=True, eq=False)
class Calibrated:
    """How far the probabilities of a complete cell can be believed.

    Attributes:
        before: As the head gives them; None where there are none.
        after: Divided by the temperature of each unit; None where there is none.
        temperature: Its median over folds and seeds.
        remark: On what the temperature was fitted; or why there is no such thing.
    """

    before: Believed | None
    after: Believed | None
    temperature: float | None
    remark: str


def calibrated(cell: Cell) -> Calibrated | None:
    """What the records of a complete cell of classes say of its probabilities; None for a task of dimensions.

    Every number is computed as those of the board are: folds pooled as the task says, the mean over seeds, intervals by
    the jackknife over speakers.
    """
    if cell.task.kind != "classification":
        return None
    parts = [cell.records[unit].calibration for unit in cell.units]
    before, after = (of_probabilities(cell, after=late) for late in (False, True))
    if before is None:
        head = known_head(cell.downstream.name)
        gives = head is None or head.facts.probabilities is not None
        return Calibrated(None, None, None, "not recorded" if gives else "no probabilities")
    temperatures = [part.temperature for part in parts if part is not None and part.temperature is not None]
    told = sorted({part.on or part.without or "" for part in parts if part is not None})
    return Calibrated(
        _believed(before),
        None if after is None else _believed(after),
        median(temperatures) if after is not None and temperatures else None,
        ", ".join(told),
    )


def named(found: Calibrated) -> Iterator[tuple[str, Scores, Interval | None]]:
    """Every measure by the name that the CSV gives it, with its scores and interval."""
    for believed, ending in ((found.before, ""), (found.after, AFTER)):
        if believed is not None:
            for name in MEASURES:
                yield name + ending, believed.scores[name], believed.intervals[name]


def ece_by_chance(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ECE that would be found, on average, if all probabilities were right.

    In a bin of n utterances of confidence c the share of right ones then misses c by about the mean deviation of a
    normal number, sqrt(2 c (1 - c) / (pi n)): few utterances have an ECE well above 0 without any fault of the head.

    Args:
        sums: (..., 3, 16), see `benchmark.sufficient.Calibration`.

    Returns:
        (...).
    """
    n, _, confidence = np.moveaxis(sums[..., : CALIBRATION.BINS], -2, 0)
    mean = np.divide(confidence / CALIBRATION.MILLIONTHS, n, out=np.zeros_like(confidence), where=n > 0)
    apart = np.sqrt(2 / np.pi * n * mean * (1 - np.minimum(mean, 1)))
    return np.asarray(apart.sum(axis=-1) / sums[..., 0, -1])


def bins_of(cells: Sequence[Cell]) -> NDArray[np.float64]:
    """The sums (len(cells), 3, 16) of parts that `of_probabilities` gave: all folds, seeds and speakers together."""
    return np.stack([cell.statistics().sum(axis=(0, 1, 2)) for cell in cells])


def _believed(part: Cell) -> Believed:
    by_fold = part.statistics().sum(axis=2)  # (seeds, folds, 3, 16)
    pooled = by_fold.sum(axis=1) if part.task.pool == "utterances" else by_fold.reshape(-1, *by_fold.shape[2:])
    chance = float(ece_by_chance(pooled).mean())
    return Believed(all_scores(part, MEASURES), all_intervals(part, MEASURES), chance)
