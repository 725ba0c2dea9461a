"""All systems of a task, compared with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import Metric, find
from benchmark.records import TaskPart
from benchmark.records.cells import Cell
from benchmark.statistics.families import corrected
from benchmark.statistics.letters import letters, rank_ranges
from benchmark.statistics.pairs import Compared, Comparison, compare_all
from benchmark.statistics.power import Power, outlook
from benchmark.statistics.scores import LEVEL, cell_scores, suited

# True differences whose power a board tells: points of a share or a correlation; of an error, as shares of it.
DIFFERENCES = (0.05, 0.10, 0.20)


@dataclass(frozen=True, eq=False)
class Pairs(Mapping[tuple[str, str], Comparison]):
    """Every two of some systems by their names, (a, b) and (b, a), which is its mirror image.

    Attributes:
        compared: Each two once.
    """

    compared: Compared

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Where each system stands among those that are compared."""
        return {name: place for place, name in enumerate(self.compared.systems)}

    @cached_property
    def better(self) -> NDArray[np.bool_]:
        """(m, m): whether the system of the row is significantly better than that of the column."""
        result = np.zeros((len(self.compared.systems),) * 2, dtype=bool)
        adjusted = self.compared.columns.get("p_adjusted")
        if adjusted is not None:
            first, second = self.compared.places
            significant, gain = adjusted < 1 - LEVEL, self.compared.delta
            if not find(self.compared.shared["metric"]).higher_is_better:
                gain = -gain
            result[first, second], result[second, first] = significant & (gain > 0), significant & (gain < 0)
        return result

    def __getitem__(self, names: tuple[str, str]) -> Comparison:
        """The comparison of the first system with the second."""
        first, second = (self.place[name] for name in names)
        if first == second:
            raise KeyError(names)
        pair: Comparison = self.compared[self.compared.number(min(first, second), max(first, second))]
        return pair if first < second else pair.mirrored()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Each pair from both sides."""
        for first, second in zip(*self.compared.places, strict=True):
            a, b = self.compared.systems[first], self.compared.systems[second]
            yield from ((a, b), (b, a))

    def __len__(self) -> int:
        """How many pairs there are, from both sides."""
        return 2 * len(self.compared)


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
    pairs: Pairs

    def better(self, a: str, b: str) -> bool:
        """Whether system a is significantly better than system b, corrected for all pairs of their family."""
        return bool(self.pairs.better[self.pairs.place[a], self.pairs.place[b]])

    def letters(self, systems: Sequence[str]) -> list[str]:
        """The letters of some of the systems, given from best to worst: see `benchmark.statistics.letters.letters`."""
        return letters(self._better(systems) | self._better(systems).T)

    def rank_ranges(self, systems: Sequence[str]) -> list[tuple[int, int]]:
        """The best and worst rank among themselves of some of the systems."""
        return rank_ranges(self._better(systems))

    def outlook(self, systems: Sequence[str]) -> tuple[Power, ...]:
        """How often the table of these systems would find true differences of a few sizes; none without a test."""
        compared, place = self.pairs.compared, np.array([self.pairs.place[name] for name in systems], dtype=int)
        if len(systems) < 2 or "p" not in compared.columns:
            return ()
        a, b = (place[of] for of in np.triu_indices(len(systems), 1))
        numbers = compared.number(np.minimum(a, b), np.maximum(a, b))
        by_spread = np.argsort(compared.columns["spread"][numbers], kind="stable")
        middle = compared[int(numbers[by_spread[(len(numbers) - 1) // 2]])]
        return outlook([middle], self.differences(systems))

    def differences(self, systems: Sequence[str]) -> list[float]:
        """`DIFFERENCES` as the metric has them: of an error, shares of the median error of these systems."""
        if self.metric.higher_is_better:
            return list(DIFFERENCES)
        scores = [cell_scores(cell, self.metric.name).mean for cell in self.cells if cell.name in systems]
        return [size * float(np.median(scores)) for size in DIFFERENCES]

    def _better(self, systems: Sequence[str]) -> np.ndarray:
        place = np.array([self.pairs.place[name] for name in systems], dtype=int)
        better: NDArray[np.bool_] = self.pairs.better[np.ix_(place, place)]
        return better


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
    pairs = corrected(compare_all(complete, found.name), tables, controls)
    return TaskAnalysis(task, found, complete, Pairs(pairs))
