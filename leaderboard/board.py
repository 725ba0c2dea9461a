"""What the leaderboard shows: tables of text, ready for Markdown or a terminal, and the values for CSV.

Every text here is one line of plain characters. It is not escaped: who writes it as Markdown or HTML does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmark.cells import Cell, Grouping, group
from benchmark.metrics import METRICS, Metric, find
from benchmark.records import Record, TaskPart
from benchmark.references import Figure, Reference
from benchmark.text import NONE, WARNING, clean, human, interval, with_spread
from leaderboard.remarks import (
    WARNINGS,
    caption,
    footnotes,
    heading,
    legend,
    mixed_systems,
    notes,
    numbered,
    sources,
    tasks_without_cells,
    warned,
)
from leaderboard.rows import Row, Value, csv_values, primary_metric, rank, scored


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        header: Column titles.
        rows: As many texts each.
        numeric: Whether the column is set flush right.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


@dataclass(frozen=True)
class ReferenceTable:
    """What was published elsewhere on one task: set apart, without ranks and out of the overview and the CSV.

    Attributes:
        table: One row for each reference, by source and then as the source lists them.
        footnotes: What differs from the task's protocol, numbered as in the table's last column.
        sources: The citation of each source.
    """

    table: Table
    footnotes: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class TaskTable:
    """The ranking of one task.

    Attributes:
        name: The task.
        heading: Its name with what a reader must see first (warning mark, "synthetic").
        caption: The protocol in a few sentences.
        table: One row for each cell: complete ones by rank, then incomplete ones.
        notes: Failures, and what is not shown.
        references: What was published elsewhere, where it is asked for and there is any.
    """

    name: str
    heading: str
    caption: str
    table: Table
    notes: tuple[str, ...]
    references: ReferenceTable | None = None


@dataclass(frozen=True)
class Board:
    """The whole leaderboard.

    Attributes:
        overview: Systems x tasks, the primary metric of each.
        notes: What the overview needs said.
        tasks: One ranking for each task, by name.
        legend: What the signs and flags mean, of those that occur.
        values: The rows of the CSV, tasks by name, cells by rank, metrics in the task's order.
    """

    overview: Table
    notes: tuple[str, ...]
    tasks: tuple[TaskTable, ...]
    legend: tuple[str, ...]
    values: tuple[Value, ...]


def board(*sources: Iterable[Record], references: Iterable[Reference] = ()) -> Board:
    """Make the leaderboard from records, and set beside it what was published elsewhere.

    Args:
        sources: Records; of a unit that several sources have, the first one's counts.
        references: What was published elsewhere; those of tasks without records are left out.

    Raises:
        BenchError: Records contradict each other or their task; the message names them.
    """
    grouping = group(*sources)
    by_task: dict[str, list[Row]] = {}
    for cell in grouping.cells:
        by_task.setdefault(cell.task.name, []).append(scored(cell))
    ranked = {name: rank(rows) for name, rows in sorted(by_task.items())}
    published: dict[str, list[Reference]] = {}
    for reference in references:
        published.setdefault(reference.task, []).append(reference)
    return Board(
        overview=_overview(ranked),
        notes=(*mixed_systems(grouping.cells), *tasks_without_cells(grouping)),
        tasks=tuple(_task_table(rows, grouping, published.get(name, [])) for name, rows in ranked.items()),
        legend=legend(grouping.cells),
        values=tuple(value for rows in ranked.values() for row, _ in rows for value in csv_values(row)),
    )


def _overview(ranked: Mapping[str, list[tuple[Row, int | None]]]) -> Table:
    """One row for each system in alphabetical order, one column for each task."""
    texts: dict[tuple[str, str], dict[str, str]] = {}
    header = ["upstream", "downstream"]
    for task, rows in ranked.items():
        primary = primary_metric(rows[0][0].cell)
        header.append(f"{heading(rows[0][0].cell.task)}: {primary.title}")
        for row, _ in rows:
            text = _score(row, primary) if row.scores else _progress(row.cell)
            mark = f" {WARNING}" if warned(row.cell.flags()) else ""
            texts.setdefault((row.cell.upstream.name, row.cell.downstream.name), {})[task] = text + mark
    rows_of_text = (
        (clean(upstream), clean(downstream), *(of_task.get(task, NONE) for task in ranked))
        for (upstream, downstream), of_task in sorted(texts.items())
    )
    return Table(tuple(header), tuple(rows_of_text), (False, False, *(True for _ in ranked)))


def _task_table(ranked: list[tuple[Row, int | None]], grouping: Grouping, references: Sequence[Reference]) -> TaskTable:
    task = ranked[0][0].cell.task
    primary, *others = [find(name) for name in task.metrics]
    header = ("rank", "upstream", "downstream", primary.title, "95 % interval", *(other.title for other in others))
    rows = []
    for row, place in ranked:
        cell = row.cell
        flags = [f"{WARNING} {flag}" if flag in WARNINGS else flag for flag in cell.flags()]
        rows.append(
            (
                NONE if place is None else str(place),
                clean(cell.upstream.name),
                clean(cell.downstream.name),
                _score(row, primary) if row.scores else _progress(cell),
                _interval(row, primary),
                *(_score(row, other) for other in others),
                ", ".join(flags) or NONE,
                *(NONE if number is None else str(number) for number in (cell.upstream.layers, cell.upstream.dim)),
                human(cell.upstream.parameters),
            )
        )
    numeric = (True, False, False, True, True, *(True for _ in others), False, True, True, True)
    table = Table((*header, "flags", "layers", "dim", "parameters"), tuple(rows), numeric)
    cells = [row.cell for row, _ in ranked]
    return TaskTable(
        task.name,
        heading(task),
        caption(cells),
        table,
        notes(task.name, cells, grouping),
        _reference_table(references, task) if references else None,
    )


def _reference_table(references: Sequence[Reference], task: TaskPart) -> ReferenceTable:
    """One column for each metric that somebody gives: the task's own first, each followed by single dimensions."""
    metrics = (*task.metrics, *(name for name in METRICS if name not in task.metrics))
    outputs = ("", *task.outputs)

    def place(figure: Figure) -> tuple[int, int, str]:
        dimension = figure.dimension or ""
        known = outputs.index(dimension) if dimension in outputs else len(outputs)
        return metrics.index(figure.metric), known, dimension

    found = {place(figure): figure.title for one in references for figure in one.figures}
    columns = dict(sorted(found.items()))
    number = numbered(references)
    rows = []
    for one in references:
        texts = {place(figure): figure.text for figure in one.figures}
        rows.append(
            (
                clean(one.upstream),
                clean(one.downstream),
                *(texts.get(column, NONE) for column in columns),
                clean(f"{one.source}, {one.table}"),
                f"({number[one.differs]})" if one.differs else NONE,
            )
        )
    header = ("upstream", "downstream", *columns.values(), "source", "what differs")
    numeric = (False, False, *(True for _ in columns), False, False)
    return ReferenceTable(Table(header, tuple(rows), numeric), footnotes(number), sources(references))


def _score(row: Row, metric: Metric) -> str:
    scores = row.scores.get(metric.name)
    return NONE if scores is None else with_spread(scores.mean, scores.sd, metric.percent)


def _interval(row: Row, metric: Metric) -> str:
    found = row.intervals.get(metric.name)
    return NONE if found is None else interval(found.low, found.high, metric.percent)


def _progress(cell: Cell) -> str:
    units = f"{len(cell.completed)}/{len(cell.units)} units"
    return f"{units} ({cell.complete_folds}/{len(cell.task.folds)} folds)"
