"""One system under two protocols that test the same utterances: what the protocol alone does to the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.statistics.pairs import Comparison, compared
from benchmark.statistics.scores import LEVEL


def compare_protocols(a: Cell, b: Cell, metric: str, *, level: float = LEVEL) -> Comparison:
    """Compare one system under two protocols that test the same utterances: what the protocol alone adds.

    Args:
        a: A complete cell.
        b: One of the same upstream and head, on the same recordings.
        metric: A key of `benchmark.metrics.METRICS`, of the tasks' kind.
        level: Confidence in (0, 1) of the interval.

    Returns:
        Without correction; `a` and `b` are the names of the protocols, and `task` is that of the system.

    Raises:
        BenchError: As `cell_scores`; or the two are other systems, or were not tested on the same utterances of the
            same speakers, with the same pooling of folds.
    """
    systems = [(cell.upstream.sha256, cell.downstream.sha256) for cell in (a, b)]
    if systems[0] != systems[1]:
        raise BenchError(f"{a.name} and {b.name} are not one system", "version, weights or parameters differ")
    truth_a, truth_b = (cell.task.statistics.truth(cell.statistics()[0].sum(axis=0)) for cell in (a, b))
    same = a.speakers == b.speakers and a.task.outputs == b.task.outputs and a.task.pool == b.task.pool
    if not same or not np.allclose(truth_a, truth_b, rtol=1e-9, atol=1e-9):
        raise BenchError(
            f"{a.task.name} and {b.task.name} do not test the same utterances of the same speakers",
            "what a protocol adds is told by the same recordings",
        )
    (found,) = compared([a, b], metric, level)
    return replace(found, a=a.task.name, b=b.task.name, task=a.name)
