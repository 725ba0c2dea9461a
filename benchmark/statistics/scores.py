"""Scores of cells, their uncertainty, and the difference of two cells, from per-speaker statistics alone.

Utterances of one speaker are not independent, so what is resampled is speakers, whole, and seeds. A resample of n
speakers is a vector of n weights (how often each was drawn): ten thousand resamples are one matrix product. Speakers
and seeds are drawn independently of each other, as crossed factors: Owen (2007), "The pigeonhole bootstrap", Annals of
Applied Statistics 1(2). Intervals are percentile intervals, which are somewhat narrow for few speakers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.cells import Cell, same_protocol, truth_of
from benchmark.errors import BenchError
from benchmark.metrics import Metric, find
from benchmark.records import TaskPart

Array = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 10_000
SEED = 20_260_101  # fixed, so that the same records give the same bytes
WEIGHTS_AT_ONCE = 2_000_000  # bounds the memory of resampling many speakers: 16 MB an array
STATISTICS_AT_ONCE = 100_000  # and many statistics: 800 kB an array, which a processor's cache holds
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

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return float(np.mean(self.values))

    @property
    def sd(self) -> float | None:
        """The standard deviation over seeds (n - 1 in the denominator); None for a single seed."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a cell's mean over seeds.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        level: Its confidence, such as 0.95.
        n_units: The number of speakers.
    """

    low: float
    high: float
    level: float
    n_units: int


@dataclass(frozen=True)
class Comparison:
    """The difference of two systems on a task.

    Attributes:
        a: The first system, as it is shown.
        b: The second one.
        task: The task's name.
        metric: The metric's name.
        delta: Score of a minus score of b, each the mean over its seeds; for an error, below 0 is good for a.
        low: Lower end of the interval of `delta`; None for a single speaker.
        high: Upper end; None for a single speaker.
        level: Confidence of the interval.
        unit: What was resampled.
        n_units: The number of speakers.
        seeds: The number of seeds of a and of b.
    """

    a: str
    b: str
    task: str
    metric: str
    delta: float
    low: float | None
    high: float | None
    level: float
    unit: str
    n_units: int
    seeds: tuple[int, int]


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
    found = [_suited(cell.task, metric) for metric in metrics]
    once = np.ones((len(cell.speakers), 1))
    values = _weighted_scores(cell.statistics(), once, cell.task, found)[..., 0]
    return {metric.name: Scores(tuple(row.tolist())) for metric, row in zip(found, values, strict=True)}


def speaker_interval(
    cell: Cell, metric: str, *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval | None:
    """Interval of a cell's score by a percentile bootstrap over speakers and seeds.

    Each resample draws as many test speakers as there are, with replacement, and independently as many seeds as there
    are; all utterances of a drawn speaker count as often as it was drawn. With `pool: folds` a speaker counts in the
    folds that test it, and a fold weighs as much as the mean weight of its speakers, so that a fold none of whose
    speakers was drawn drops out. A class that none of the drawn speakers has drops out of the UAR of that resample.

    Args:
        cell: A complete cell.
        metric: A key of `benchmark.metrics.METRICS`, of the task's kind.
        level: Confidence in (0, 1).
        resamples: How many.
        seed: Together with the cell's digest it decides the draws: they do not depend on which other cells there are.

    Returns:
        None where there is a single speaker, of whom nothing can be resampled.

    Raises:
        BenchError: As `cell_scores`.
    """
    return all_intervals(cell, [metric], level=level, resamples=resamples, seed=seed)[metric]


def all_intervals(
    cell: Cell, metrics: Sequence[str], *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, Interval | None]:
    """`speaker_interval` of several metrics, from the same draws."""
    found = [_suited(cell.task, metric) for metric in metrics]
    statistics, speakers = cell.statistics(), len(cell.speakers)
    if speakers < 2:
        return {metric.name: None for metric in found}
    replicates = _replicates([statistics], cell.task, found, resamples, _generator(seed, cell))[0]
    ends = _percentiles(replicates, level)
    return {
        metric.name: Interval(low, high, level, speakers)
        for metric, (low, high) in zip(found, ends.tolist(), strict=True)
    }


def compare(
    a: Cell, b: Cell, metric: str, *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED
) -> Comparison:
    """The difference of two cells with its interval, by a paired bootstrap over speakers.

    In each resample both systems meet the same drawn speakers, and each draws its own seeds, for seed 3 of one has
    nothing to do with seed 3 of the other. Swapping the systems mirrors the result.

    Args:
        a: A complete cell.
        b: Another one, of the same protocol, recordings and folds.
        metric: A key of `benchmark.metrics.METRICS`, of the task's kind.
        level: Confidence in (0, 1).
        resamples: How many.
        seed: Together with both cells' digests it decides the draws.

    Raises:
        BenchError: As `cell_scores`; or the cells were not tested on the same utterances of the same speakers.
    """
    _check_pair(a, b)
    found = _suited(a.task, metric)
    delta = cell_scores(a, metric).mean - cell_scores(b, metric).mean
    low: float | None = None
    high: float | None = None
    if len(a.speakers) > 1:
        first, second = sorted((a, b), key=lambda cell: cell.sha256)
        systems = [first.statistics(), second.statistics()]
        replicates = _replicates(systems, a.task, [found], resamples, _generator(seed, first, second))
        sign = 1 if first is a else -1
        low, high = _percentiles(sign * (replicates[0, 0] - replicates[1, 0]), level).tolist()
    seeds = (len(a.seeds), len(b.seeds))
    return Comparison(a.name, b.name, a.task.name, metric, delta, low, high, level, "speaker", len(a.speakers), seeds)


def _check_pair(a: Cell, b: Cell) -> None:
    if not same_protocol(a.task, b.task):
        raise BenchError(
            f"{a.name} on {a.task.name} ({a.task.sha256[:12]}) and {b.name} on {b.task.name} ({b.task.sha256[:12]}) "
            "have different protocols, recordings or folds",
            "only scores of one protocol on the same recordings can be compared",
        )
    truth_a, truth_b = (truth_of(cell.statistics()[0], cell.task) for cell in (a, b))
    if a.speakers != b.speakers or not np.allclose(truth_a, truth_b, rtol=1e-9, atol=1e-9):
        raise BenchError(
            f"{a.name} and {b.name} were not tested on the same utterances of {a.task.name}",
            "the records contradict each other: remove them and run again",
        )


def _suited(task: TaskPart, metric: str) -> Metric:
    found = find(metric)
    if found.kind != task.kind:
        raise BenchError(f"the metric {metric!r} is for {found.kind}", f"{task.name} is a {task.kind} task")
    return found


def _generator(seed: int, *cells: Cell) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, *(int(cell.sha256, 16) for cell in cells)]))


def _percentiles(values: Array, level: float) -> Array:
    """The ends of the percentile interval over the last axis: (..., B) -> (..., 2)."""
    return np.moveaxis(np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=-1), 0, -1)


def _replicates(
    systems: Sequence[Array], task: TaskPart, metrics: Sequence[Metric], resamples: int, rng: np.random.Generator
) -> Array:
    """Scores of systems on resampled seeds (of each system its own) and speakers (of all systems the same).

    Args:
        systems: (seeds, folds, speakers, ...) statistics of each system.
        task: Decides the pooling of folds.
        metrics: What to compute.
        resamples: B.
        rng: Is advanced.

    Returns:
        (systems, metrics, B).
    """
    seed_draws = [_draw(rng, len(system), resamples) / len(system) for system in systems]
    result = np.empty((len(systems), len(metrics), resamples))
    speakers, largest = systems[0].shape[2], max(system[:, 0, 0].size for system in systems)
    at_once = max(1, min(WEIGHTS_AT_ONCE // speakers, STATISTICS_AT_ONCE // largest))
    for part in _chunks(resamples, at_once):
        weights = _draw(rng, speakers, part.stop - part.start)
        for index, system in enumerate(systems):
            scores = _weighted_scores(system, weights, task, metrics)
            result[index, :, part] = (scores * seed_draws[index][:, part]).sum(axis=1)
    return result


def _chunks(total: int, size: int) -> Iterator[slice]:
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))


def _draw(rng: np.random.Generator, n: int, resamples: int) -> Array:
    """How often each of n things is drawn in n draws with replacement: (n, resamples)."""
    drawn = rng.integers(0, n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    times = np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n)
    return np.ascontiguousarray(times.T, dtype=np.float64)


def _weighted_scores(statistics: Array, weights: Array, task: TaskPart, metrics: Sequence[Metric]) -> Array:
    """Every metric of every seed, the speakers weighted.

    Args:
        statistics: (R, folds, S, ...) of R seeds and S speakers.
        weights: (S, B), the weight of each speaker in each resample.
        task: Decides the pooling of folds.
        metrics: What to compute.

    Returns:
        (metrics, R, B).
    """
    if task.pool == "utterances":
        pooled = _total(statistics.sum(axis=1), weights)
        return np.stack([metric.compute(pooled) for metric in metrics])
    tested = statistics[0].any(axis=(-2, -1))
    alone = tested.sum(axis=1) == 1
    # The weight of a fold's only speaker cancels in every metric: there is nothing to resample inside such folds.
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


def _total(statistics: Array, weights: Array) -> Array:
    """Add up speakers: (R, S, a, b) and (S, B) -> (R, B, a, b), laid out with B last, which the metrics run through."""
    seeds, speakers, *shape = statistics.shape
    matrix = np.moveaxis(statistics, 1, -1).reshape(-1, speakers)
    return np.moveaxis(_product(matrix, weights).reshape(seeds, *shape, -1), -1, 1)


def _product(matrix: Array, weights: Array) -> Array:
    """The matrix product (M, S) x (S, B), by blocks of columns."""
    result = np.empty((len(matrix), weights.shape[1]))
    for part in _chunks(weights.shape[1], max(64, ONE_THREAD // max(1, matrix.size))):
        result[:, part] = matrix @ weights[:, part]
    return result
