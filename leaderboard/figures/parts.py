"""What can stand in one figure."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.sufficient import SufficientStatistics


def of_one_task(cells: Sequence[Cell], statistics: SufficientStatistics | None = None) -> None:
    """Check that cells can stand in one figure.

    Args:
        cells: They.
        statistics: What the figure draws of their records; None where it draws what all have.

    Raises:
        BenchError: There is none, one is incomplete, they are of several tasks, or the task is of another kind.
    """
    if not cells:
        raise BenchError("there is no system to draw", "bench leaderboard shows what there is")
    tasks = sorted({cell.task.name for cell in cells})
    if len(tasks) > 1:
        raise BenchError(f"the systems are of {len(tasks)} tasks: {', '.join(tasks)}", "a figure shows one task")
    if statistics is not None and cells[0].task.kind != statistics.kind:
        raise BenchError(f"{tasks[0]} has no {statistics.outputs}", f"it is a {cells[0].task.kind} task")
    for cell in cells:
        if not cell.complete:
            done = f"{len(cell.completed)} of {len(cell.units)} units"
            raise BenchError(f"{cell.name} on {cell.task.name} is incomplete: {done}", "bench run completes it")
