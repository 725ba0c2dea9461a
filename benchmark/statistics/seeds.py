"""Whether the seeds of a cell are a sample at all: too few, or some that did not learn."""

from __future__ import annotations

import numpy as np

from benchmark.metrics import Metric
from benchmark.records.cells import Cell
from benchmark.statistics.scores import Array, cell_scores, suited

COLLAPSED = 0.25  # of the way from a constant answer to the median seed: who gets no farther has learnt next to nothing
LEARNT = 0.05  # what the median seed is above a constant answer, if there is a way at all


def collapsed_seeds(cell: Cell, metric: str) -> tuple[int, ...]:
    """The seeds whose score is next to that of a constant answer, where the seed in the middle is well above it.

    The scores of such a cell are two heaps and no sample of one: its mean is of neither, and its interval holds the
    truth too seldom (`leaderboard/METHODS.md`).

    Args:
        cell: A complete cell.
        metric: A key of `benchmark.metrics.METRICS`, of the task's kind.

    Raises:
        BenchError: As `cell_scores`.
    """
    found = suited(cell.task, metric)
    scores = np.array(cell_scores(cell, metric).values)
    floor = constant_score(cell.statistics()[0].sum(axis=(0, 1)), found)
    sign = 1 if found.higher_is_better else -1
    above = sign * (scores - floor)
    middle = float(np.median(above))
    if middle < LEARNT * (1 if found.higher_is_better else floor):
        return ()
    return tuple(seed for seed, gain in zip(cell.seeds, above.tolist(), strict=True) if gain < COLLAPSED * middle)


def constant_score(total: Array, metric: Metric) -> float:
    """What the best constant answer scores: always the same class, or the mean of the truth.

    Args:
        total: The statistics (a, b) of all test utterances.
        metric: What is computed.
    """
    if metric.statistics.outputs == "classes":
        support = total.sum(axis=1)
        constant = [np.outer(support, one) for one in np.eye(len(support))]
        return float(metric.compute(np.stack(constant)).max())
    n, t, _, tt, _, _ = total.T
    mean = t / n
    constant_moments = np.stack([n, t, n * mean, tt, n * mean**2, t * mean], axis=-1)
    return float(metric.compute(constant_moments))
