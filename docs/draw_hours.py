"""Write the tables of docs/hours.md from the published rows: `python docs/draw_hours.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmark.records import RecordStore
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.text import NONE, clean, count
from leaderboard.hours import Took, duration, together, took
from leaderboard.render import tables
from leaderboard.tables import Table

RESULTS = Path(__file__).parent.parent / "leaderboard" / "results"
PAGE = Path(__file__).parent / "hours.md"
MARKED = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
TIMES = ("encoding", "fitting", "together")


def draw() -> str:
    """The page with what stands between its marks made again."""
    by_task: dict[str, list[Cell]] = {}
    for cell in group(RecordStore(RESULTS)).cells:
        by_task.setdefault(clean(cell.task.name), []).append(cell)
    cells = [cell for some in by_task.values() for cell in some]
    whole = together(cells)
    devices = sorted({clean(record.cost.device) for cell in cells for record in cell.records.values()})
    units = sum(len(cell.completed) for cell in cells)
    texts = {
        "sum": (
            f"{count(len(cells), 'row')} of {count(len(by_task), 'task')}, {count(units, 'fitted head')}: "
            f"**{duration(whole.total_s or 0.0)}**, of which {duration(whole.encode_s or 0.0)} encoding and "
            f"{duration(whole.fit_s or 0.0)} fitting. Device: {', '.join(devices)}."
        ),
        "tables": tables(_tasks(by_task), keys=1, folded={task: _rows(some) for task, some in by_task.items()}).strip(),
    }
    return MARKED.sub(lambda mark: f"{mark[1]}{texts[mark[2]]}\n{mark[3]}", PAGE.read_text(encoding="utf-8"))


def _tasks(by_task: dict[str, list[Cell]]) -> Table:
    lines = [(task, str(len(cells)), *_times(together(cells))) for task, cells in by_task.items()]
    return Table(("task", "rows", *TIMES), tuple(lines), (False, *(True for _ in range(1 + len(TIMES)))))


def _rows(cells: Sequence[Cell]) -> Table:
    """One line for each row, the longest first."""
    ordered = sorted(cells, key=lambda cell: (-(took(cell).total_s or 0.0), cell.name))
    lines = [
        (clean(cell.upstream.name), clean(cell.downstream.name), str(len(cell.completed)), *_times(took(cell)))
        for cell in ordered
    ]
    header = ("upstream", "downstream", "fitted heads", *TIMES)
    return Table(header, tuple(lines), (False, False, *(True for _ in header[2:])))


def _times(time: Took) -> tuple[str, ...]:
    return tuple(NONE if value is None else duration(value) for value in (time.encode_s, time.fit_s, time.total_s))


if __name__ == "__main__":
    PAGE.write_text(draw(), encoding="utf-8")
