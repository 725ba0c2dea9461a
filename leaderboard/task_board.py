"""What the records of one task alone decide of a board: its cells, ranked and compared, as numbers and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.records.cells import Cell
from benchmark.records.grouping import Grouping
from leaderboard.remarks import set_aside
from leaderboard.rows import Section, Value, csv_values, section
from leaderboard.tables import TaskTable, task_table


@dataclass(frozen=True, eq=False)
class Shown:
    """The cells of a task that are ranked.

    Attributes:
        section: They, ranked in groups, and every two of them compared.
        table: The same as text, without what was published elsewhere.
        values: The rows of the CSV.
    """

    section: Section
    table: TaskTable
    values: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class TaskBoard:
    """One task of a board.

    Attributes:
        task: Its name.
        cells: Those of its protocol, those of a bridge included, which are ranked nowhere.
        not_shown: What its records hold beside them, one line each.
        shown: The ranked ones; None where there are none.
    """

    task: str
    cells: tuple[Cell, ...]
    not_shown: tuple[str, ...]
    shown: Shown | None

    def forget_records(self) -> None:
        """Let its cells forget their records, which are most of it; what tables show of them stays."""
        for cell in self.cells:
            cell.forget_records()


def task_board(task: str, grouping: Grouping) -> TaskBoard:
    """One task of a board, from what its records are.

    Args:
        task: Its name.
        grouping: Of its records; those of other tasks may be among them.

    Raises:
        BenchError: Its cells were not tested on the same utterances.
    """
    cells = tuple(cell for cell in grouping.cells if cell.task.name == task)
    ranked = [cell for cell in cells if cell.task.bridge is None]
    return TaskBoard(task, cells, tuple(set_aside(task, grouping)), _shown(ranked, grouping) if ranked else None)


def _shown(cells: Sequence[Cell], grouping: Grouping) -> Shown:
    found = section(cells)
    values = tuple(value for group in found.groups for value in csv_values(group))
    return Shown(found, task_table(found, grouping), values)


def tasks_of(grouping: Grouping) -> list[str]:
    """The names of the tasks that have cells, or records that are none, sorted."""
    names = {cell.task.name for cell in grouping.cells}
    return sorted(names.union(grouping.modified, grouping.partial, grouping.outside))
