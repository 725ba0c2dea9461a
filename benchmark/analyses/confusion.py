"""Where the confusions of two systems differ, each difference tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.analyses.ratios import ROUNDING, Ratio, share
from benchmark.errors import BenchError, UsageError
from benchmark.protocol.targets import targets_of
from benchmark.records.cells import Cell, same_protocol
from benchmark.statistics import LEVEL
from benchmark.statistics.families import holm
from benchmark.text import clean

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ConfusionShift:
    """The difference of two confusion matrices.

    Attributes:
        a: The first system.
        b: The second one.
        task: The task's name.
        outputs: Names of the K classes.
        sizes: Test utterances of each class (K,).
        shares_a: (K, K) share of each true class (rows) that a decides for each class, the mean over its seeds.
        shares_b: Likewise of b.
        shifts: K rows of K: share of a less share of b, with an interval and a p-value over speakers.
        p_adjusted: (K, K) p-values corrected for all K * K by Holm; NaN where nothing is tested.
    """

    a: str
    b: str
    task: str
    outputs: tuple[str, ...]
    sizes: Array
    shares_a: Array
    shares_b: Array
    shifts: tuple[tuple[Ratio, ...], ...]
    p_adjusted: Array

    def is_shifted(self, truth: int, decision: int) -> bool:
        """Whether a difference is significant at the 5 % level, corrected for all."""
        return bool(self.p_adjusted[truth, decision] < 1 - LEVEL)


def confusion_shift(a: Cell, b: Cell) -> ConfusionShift:
    """Compare the confusions of two cells, from what their records count of each speaker.

    Args:
        a: A complete cell of a classification task.
        b: Another one, of the same protocol, recordings and folds.

    Raises:
        UsageError: The task has no classes.
        BenchError: One is incomplete, or they are not of one protocol.
    """
    if not targets_of(a.task.kind).are_classes:
        raise UsageError(f"{a.task.name} asks for values, not for one of several classes", "choose a task with classes")
    if not same_protocol(a.task, b.task):
        raise BenchError(
            f"{clean(a.name)} and {clean(b.name)} are not of one protocol", "compare two systems on one task"
        )
    counts = [one.statistics().sum(axis=1).mean(axis=0) for one in (a, b)]  # (speakers, K, K), the mean over seeds
    if a.speakers != b.speakers:
        raise BenchError(f"{clean(a.name)} and {clean(b.name)} were not tested on the same speakers", "run both again")
    said = counts[0].sum(axis=2)  # (speakers, K): the truth, which both share
    classes = range(len(a.task.outputs))
    shifts = tuple(tuple(share(_difference(counts, i, j), said[:, i], least=-1.0) for j in classes) for i in classes)
    sizes = said.sum(axis=0)
    shares = [one.sum(axis=0) / np.where(sizes > 0, sizes, np.nan)[:, None] for one in counts]
    return ConfusionShift(
        a=clean(a.name),
        b=clean(b.name),
        task=a.task.name,
        outputs=tuple(a.task.outputs),
        sizes=sizes,
        shares_a=shares[0],
        shares_b=shares[1],
        shifts=shifts,
        p_adjusted=_corrected(np.array([[np.nan if one.p is None else one.p for one in row] for row in shifts])),
    )


def _difference(counts: Sequence[Array], truth: int, decision: int) -> Array:
    """How many more utterances of a class each speaker has (S,) that a, and not b, decides for a class."""
    a, b = (one[:, truth, decision] for one in counts)
    return np.asarray(np.where(np.isclose(a, b, rtol=ROUNDING, atol=ROUNDING), 0.0, a - b))


def _corrected(p: Array) -> Array:
    """p-values of a matrix corrected by Holm for all that it has, also for those that are not tested: NaN, and stay."""
    adjusted = np.reshape(holm(np.where(np.isnan(p), 1.0, p).ravel()), p.shape)
    return np.asarray(np.where(np.isnan(p), np.nan, adjusted))
