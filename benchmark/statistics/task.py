"""All systems of a task, compared with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.metrics import Metric
from benchmark.records import TaskPart
from benchmark.records.cells import Cell
from benchmark.statistics.letters import letters, rank_ranges
from benchmark.statistics.pairs import Comparison, compare_all
from benchmark.statistics.scores import suited


@dataclass(frozen=True, eq=False)
class TaskAnalysis:
    """Every two systems of a task compared, by its primary metric.

    Attributes:
        task: The protocol.
        metric: The primary metric.
        cells: The complete cells, as they were given.
        pairs: The comparison of every two, by the names of a and b; both (a, b) and (b, a) are there.
    """

    task: TaskPart
    metric: Metric
    cells: tuple[Cell, ...]
    pairs: Mapping[tuple[str, str], Comparison]

    def better(self, a: str, b: str) -> bool:
        """Whether system a is significantly better than system b, corrected for all pairs of the task."""
        pair = self.pairs[a, b]
        return pair.significant and (pair.delta > 0) == self.metric.higher_is_better

    def letters(self, systems: Sequence[str]) -> list[str]:
        """The letters of some of the systems, given from best to worst: see `benchmark.statistics.letters.letters`."""
        return letters(self._better(systems) | self._better(systems).T)

    def rank_ranges(self, systems: Sequence[str]) -> list[tuple[int, int]]:
        """The best and worst rank among themselves of some of the systems."""
        return rank_ranges(self._better(systems))

    @cached_property
    def detectable(self) -> float | None:
        """The true difference of two systems that 80 % of such corpora would show, if only these two were compared.

        It is that of the pair with the median spread. None where there is no pair with a spread.
        """
        spread = sorted((pair for pair in self.pairs.values() if pair.spread), key=lambda pair: pair.spread or 0.0)
        return spread[(len(spread) - 1) // 2].detectable if spread else None

    def _better(self, systems: Sequence[str]) -> np.ndarray:
        better = [[a != b and self.better(a, b) for b in systems] for a in systems]
        return np.array(better, dtype=bool).reshape(len(systems), len(systems))


def analyse(cells: Sequence[Cell]) -> TaskAnalysis:
    """Compare every two complete cells of a task by its primary metric, corrected for all pairs.

    Args:
        cells: At least one; all of one protocol, recordings and folds. Incomplete ones are left out.

    Raises:
        BenchError: As `benchmark.statistics.compare`.
    """
    task = cells[0].task
    complete = tuple(cell for cell in cells if cell.complete)
    pairs = {}
    for pair in compare_all(complete, task.metrics[0]):
        pairs[pair.a, pair.b] = pair
        pairs[pair.b, pair.a] = pair.mirrored()
    return TaskAnalysis(task, suited(task, task.metrics[0]), complete, pairs)
