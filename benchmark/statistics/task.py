"""All systems of a task, compared with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.metrics import Metric
from benchmark.records import TaskPart
from benchmark.records.cells import Cell
from benchmark.statistics.families import corrected
from benchmark.statistics.letters import letters, rank_ranges
from benchmark.statistics.pairs import Comparison, compare_all
from benchmark.statistics.power import Power, outlook
from benchmark.statistics.scores import cell_scores, suited

# True differences whose power a board tells: points of a share or a correlation; of an error, as shares of it.
DIFFERENCES = (0.05, 0.10, 0.20)


@dataclass(frozen=True, eq=False)
class TaskAnalysis:
    """Every two systems of a task compared by one metric.

    Attributes:
        task: The protocol.
        metric: The metric: the task's primary one if no other is asked for.
        cells: The complete cells, as they were given.
        pairs: The comparison of every two, by the names of a and b; both (a, b) and (b, a) are there. Each is corrected
            within its family: see `benchmark.statistics.families`.
    """

    task: TaskPart
    metric: Metric
    cells: tuple[Cell, ...]
    pairs: Mapping[tuple[str, str], Comparison]

    def better(self, a: str, b: str) -> bool:
        """Whether system a is significantly better than system b, corrected for all pairs of their family."""
        pair = self.pairs[a, b]
        return pair.significant and pair.gain > 0

    def letters(self, systems: Sequence[str]) -> list[str]:
        """The letters of some of the systems, given from best to worst: see `benchmark.statistics.letters.letters`."""
        return letters(self._better(systems) | self._better(systems).T)

    def rank_ranges(self, systems: Sequence[str]) -> list[tuple[int, int]]:
        """The best and worst rank among themselves of some of the systems."""
        return rank_ranges(self._better(systems))

    def outlook(self, systems: Sequence[str]) -> tuple[Power, ...]:
        """How often the table of these systems would find true differences of a few sizes; none without a test."""
        pairs = [self.pairs[a, b] for number, a in enumerate(systems) for b in systems[number + 1 :]]
        return outlook(pairs, self.differences(systems))

    def differences(self, systems: Sequence[str]) -> list[float]:
        """`DIFFERENCES` as the metric has them: of an error, shares of the median error of these systems."""
        if self.metric.higher_is_better:
            return list(DIFFERENCES)
        scores = [cell_scores(cell, self.metric.name).mean for cell in self.cells if cell.name in systems]
        return [size * float(np.median(scores)) for size in DIFFERENCES]

    def _better(self, systems: Sequence[str]) -> np.ndarray:
        better = [[a != b and self.better(a, b) for b in systems] for a in systems]
        return np.array(better, dtype=bool).reshape(len(systems), len(systems))


def analyse(cells: Sequence[Cell], metric: str | None = None) -> TaskAnalysis:
    """Compare every two complete cells of a task, each pair corrected within its family.

    Args:
        cells: At least one; all of one protocol, recordings and folds. Incomplete ones are left out.
        metric: A key of `benchmark.metrics.METRICS`, of the task's kind; the task's primary one where not given.

    Raises:
        BenchError: As `benchmark.statistics.compare`.
    """
    task = cells[0].task
    found = suited(task, metric or task.metrics[0])
    complete = tuple(cell for cell in cells if cell.complete)
    tables = {cell.name: cell.table for cell in complete}
    controls = {cell.name for cell in complete if cell.control}
    pairs = {}
    for pair in corrected(compare_all(complete, found.name), tables, controls):
        pairs[pair.a, pair.b] = pair
        pairs[pair.b, pair.a] = pair.mirrored()
    return TaskAnalysis(task, found, complete, pairs)
