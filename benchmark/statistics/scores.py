"""Scores of cells, as they are and with their speakers weighted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.metrics import Metric, find
from benchmark.records import TaskPart
from benchmark.records.cells import Cell

Array = NDArray[np.float64]

LEVEL = 0.95
ROUNDING = 1e-12  # scores of seeds that differ by less are equal
WEIGHTS_AT_ONCE = 100_000  # statistics computed at once: 800 kB an array, which a processor's cache holds
# Multiply-adds up to which OpenBLAS computes a matrix product in one thread. Waking threads costs more than products
# of our size take; on a machine that is busy with other work it made them two hundred times slower.
ONE_THREAD = 2**18


@dataclass(frozen=True)
class Scores:
    """The score of a cell for each of its seeds.

    Attributes:
        values: One for each seed, in the order of `Cell.seeds`.
    """

    values: tuple[float, ...]

    @cached_property
    def mean(self) -> float:
        """The mean over seeds."""
        return float(np.mean(self.values))

    @cached_property
    def sd(self) -> float | None:
        """The standard deviation over seeds (n - 1 in the denominator); None for a single seed."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None

    @cached_property
    def variance_of_mean(self) -> float:
        """The variance that the mean has because seeds are a sample; 0 for a single seed, of which nothing is known."""
        if np.ptp(self.values) <= ROUNDING * max(1.0, float(np.max(np.abs(self.values)))):
            return 0.0
        return float(np.var(self.values, ddof=1)) / len(self.values)


# Of cells that are still there: rows, intervals and pairs all ask for them.
_SCORES: WeakKeyDictionary[Cell, dict[str, Scores]] = WeakKeyDictionary()
_WITHOUT: WeakKeyDictionary[Cell, dict[str, Array]] = WeakKeyDictionary()


def cell_scores(cell: Cell, metric: str) -> Scores:
    """Score a complete cell, once for each seed.

    With `pool: utterances` the counts of all folds are added up before the metric. With `pool: folds` the metric of
    each fold is computed from its own utterances, and the score is the plain mean over folds.

    Raises:
        BenchError: The cell is incomplete, its statistics are impossible, or the metric is of another kind.
    """
    return all_scores(cell, [metric])[metric]


def all_scores(cell: Cell, metrics: Sequence[str]) -> dict[str, Scores]:
    """`cell_scores` of several metrics."""
    found = [suited(cell.task, metric) for metric in metrics]
    known = _SCORES.setdefault(cell, {})
    if new := [metric for metric in found if metric.name not in known]:
        once = np.ones((len(cell.speakers), 1))
        values = weighted_scores(cell.statistics(), once, cell.task, new)[..., 0]
        known |= {metric.name: Scores(tuple(row.tolist())) for metric, row in zip(new, values, strict=True)}
    return {metric.name: known[metric.name] for metric in found}


def all_without(cell: Cell, metrics: Sequence[Metric]) -> list[Array]:
    """`leave_one_out` of a complete cell, (S,) for each metric."""
    known = _WITHOUT.setdefault(cell, {})
    if new := [metric for metric in metrics if metric.name not in known]:
        values = leave_one_out(cell.statistics(), cell.task, new)
        known |= {metric.name: row for metric, row in zip(new, values, strict=True)}
    return [known[metric.name] for metric in metrics]


def leave_one_out(statistics: Array, task: TaskPart, metrics: Sequence[Metric]) -> Array:
    """The scores without each of the speakers, as the jackknife needs them.

    Without its only speaker a fold drops out of `pool: folds`, and a class out of the UAR.

    Args:
        statistics: (R, folds, S, ...) of a cell.
        task: Decides the pooling of folds.
        metrics: What to compute.

    Returns:
        (metrics, S): means over seeds.
    """
    speakers = statistics.shape[2]
    at_once = max(1, WEIGHTS_AT_ONCE // max(speakers, statistics[:, 0, 0].size))
    result = np.empty((len(metrics), speakers))
    for part in chunks(speakers, at_once):
        weights = np.ones((speakers, part.stop - part.start))
        weights[np.arange(part.start, part.stop), np.arange(weights.shape[1])] = 0
        result[:, part] = weighted_scores(statistics, weights, task, metrics).mean(axis=1)
    return result


def effective_speakers(statistics: Array, task: TaskPart) -> float:
    """How many speakers of equal weight would have as even a say in the score as these have.

    A speaker's weight is its share of a class's (of all) test utterances, averaged over classes and, with
    `pool: folds`, over folds; the number is 1 / sum of squared shares. In a corpus where some speakers say most of a
    class it is far below their count, and with it the degrees of freedom of a variance over speakers.
    Source: Carter, Schnepel, Steigerwald (2017), "Asymptotic behavior of a t-test robust to cluster heterogeneity",
    Review of Economics and Statistics 99(4); its simplest case.

    Args:
        statistics: (R, folds, S, ...) of a cell.
        task: Decides the pooling of folds.

    Returns:
        At least 1, at most S.
    """
    sizes = task.statistics.sizes(statistics[0])
    if task.pool == "utterances":
        sizes = sizes.sum(axis=0, keepdims=True)
    totals = sizes.sum(axis=1, keepdims=True)
    shares = np.divide(sizes, totals, out=np.zeros_like(sizes), where=totals > 0)
    tested = (totals > 0).sum(axis=-1, keepdims=True)
    by_speaker = (shares.sum(axis=-1) / tested[..., 0]).mean(axis=0)
    return float(1 / np.square(by_speaker).sum())


def suited(task: TaskPart, metric: str) -> Metric:
    """The metric of a name, where it is of the task's kind.

    Raises:
        UsageError: It is unknown.
        BenchError: It is of the other kind.
    """
    found = find(metric)
    if found.kind != task.kind:
        raise BenchError(f"the metric {metric!r} is for {found.kind}", f"{task.name} is a {task.kind} task")
    return found


def weighted_scores(statistics: Array, weights: Array, task: TaskPart, metrics: Sequence[Metric]) -> Array:
    """Every metric of every seed, the speakers weighted.

    With `pool: folds` a speaker counts in the folds that test it, and a fold weighs as much as the mean weight of its
    speakers, so that a fold all of whose speakers weigh nothing drops out.

    Args:
        statistics: (R, folds, S, ...) of R seeds and S speakers.
        weights: (S, B), the weight of each speaker in each of B cases.
        task: Decides the pooling of folds.
        metrics: What to compute.

    Returns:
        (metrics, R, B).
    """
    if task.pool == "utterances":
        pooled = _total(statistics.sum(axis=1), weights)
        return np.stack([metric.compute(pooled) for metric in metrics])
    tested = task.statistics.utterances(statistics[0]) > 0
    alone = tested.sum(axis=1) == 1
    # The weight of a fold's only speaker cancels in every metric: there is nothing to weight inside such folds.
    weight = weights[tested[alone].argmax(axis=1)]
    result = np.stack([_product(metric.compute(statistics[:, alone].sum(axis=2)), weight) for metric in metrics])
    total_weight = weight.sum(axis=0)
    for fold in np.flatnonzero(~alone):
        of_fold, weight = statistics[:, fold, tested[fold]], weights[tested[fold]]
        pooled, share = _total(of_fold, weight), weight.mean(axis=0)
        for index, metric in enumerate(metrics):
            result[index] += np.where(share > 0, share * metric.compute(pooled), 0.0)
        total_weight += share
    result /= total_weight
    return result


def chunks(total: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that together are 0..total."""
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))


def _total(statistics: Array, weights: Array) -> Array:
    """Add up speakers: (R, S, a, b) and (S, B) -> (R, B, a, b), laid out with B last, which the metrics run through."""
    seeds, speakers, *shape = statistics.shape
    matrix = np.moveaxis(statistics, 1, -1).reshape(-1, speakers)
    return np.moveaxis(_product(matrix, weights).reshape(seeds, *shape, -1), -1, 1)


def _product(matrix: Array, weights: Array) -> Array:
    """The matrix product (M, S) x (S, B), by blocks of columns.

    Twenty products of (80, 24) x (24, 1250) take 0.015 s of the processor so, 0.08 s in one piece on two busy cores,
    0.03 s by einsum, and 0.016 s in one thread by threadpoolctl, which would bind the whole process and round otherwise
    (`tests/speed/own_code.py product`).
    """
    result = np.empty((len(matrix), weights.shape[1]))
    for part in chunks(weights.shape[1], max(64, ONE_THREAD // max(1, matrix.size))):
        result[:, part] = matrix @ weights[:, part]
    return result
