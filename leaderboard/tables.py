"""The tables of a task: its ranking, how far probabilities can be believed, and what was published elsewhere.

Every text here is one line of plain characters. It is not escaped: who writes it as Markdown or HTML does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmark.metrics import METRICS, Metric, find
from benchmark.protocol.references import Figure, Reference
from benchmark.records import TaskPart
from benchmark.records.cells import Cell
from benchmark.records.grouping import Grouping
from benchmark.records.parts import MEASURES
from benchmark.text import NONE, WARNING, clean, decimal, human, interval, measured, with_spread
from leaderboard.calibration import Believed
from leaderboard.remarks import CALIBRATION, WARNINGS, caption, footnotes, heading, notes, numbered, sources
from leaderboard.rows import Group, Row, Section

INTERVAL = "95 % interval"
TEXTS = {"letters", "upstream", "downstream", "flags"}  # columns that are set flush left


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
class GroupTable:
    """The cells of a task that are ranked with each other, complete ones by rank, then incomplete ones.

    Attributes:
        name: Of the group: see `leaderboard.rows.GROUPS`.
        ranking: What decides and what a reader must know beside it; its rows fit a screen.
        details: The same rows: other metrics, the spread over people, and the size of the upstream.
    """

    name: str
    ranking: Table
    details: Table


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
class CalibrationTable:
    """How far the probabilities of the systems of a task can be believed.

    Attributes:
        table: One row for each system that gives probabilities, in the order of the ranking.
        notes: What the columns are, and which systems are not there.
    """

    table: Table
    notes: tuple[str, ...]


@dataclass(frozen=True)
class TaskTable:
    """The ranking of one task.

    Attributes:
        name: The task.
        heading: Its name with what a reader must see first (warning mark, "synthetic").
        caption: The protocol in a few sentences.
        tables: One for each group of cells.
        notes: What the task can show at all, failures, and what is not shown.
        references: What was published elsewhere, where it is asked for and there is any.
        calibration: How far probabilities can be believed, where a record says it.
    """

    name: str
    heading: str
    caption: str
    tables: tuple[GroupTable, ...]
    notes: tuple[str, ...]
    references: ReferenceTable | None = None
    calibration: CalibrationTable | None = None


def task_table(of: Section, grouping: Grouping) -> TaskTable:
    """The tables of a task, of what is published elsewhere none: that is added by `with_references`."""
    cells = [place.row.cell for ranked in of.groups for place in ranked.places]
    return TaskTable(
        of.task.name,
        heading(of.task),
        caption(cells),
        tuple(GroupTable(ranked.name, _ranking(ranked, of), _details(ranked, of)) for ranked in of.groups),
        notes(of, cells, grouping),
        calibration=calibration_table(of),
    )


def with_references(table: TaskTable, references: Sequence[Reference], task: TaskPart) -> TaskTable:
    """The same tables, and beside them what was published elsewhere on the task, where there is any."""
    return replace(table, references=_reference_table(references, task)) if references else table


def _ranking(ranked: Group, of: Section) -> Table:
    primary = find(of.task.metrics[0])
    header = ("rank", "possible", "letters", "upstream", "downstream", primary.title, INTERVAL, "flags", "parameters")
    rows = []
    for place in ranked.places:
        row, cell = place.row, place.row.cell
        flags = [f"{WARNING} {flag}" if flag in WARNINGS else flag for flag in cell.flags()]
        rows.append(
            (
                NONE if place.rank is None else str(place.rank),
                range_text(place.best, place.worst),
                place.letters or NONE,
                clean(cell.upstream.name),
                clean(cell.downstream.name),
                score_text(row, primary) if row.scores else progress(cell),
                _interval(row, primary),
                ", ".join(flags) or NONE,
                human(cell.upstream.parameters),
            )
        )
    return Table(header, tuple(rows), tuple(title not in TEXTS for title in header))


def _details(ranked: Group, of: Section) -> Table:
    primary, *others = [find(name) for name in of.task.metrics]
    people = [place.row.fairness for place in ranked.places if place.row.fairness]
    gaps, worst = any(one.gap is not None for one in people), any(one.worst is not None for one in people)
    header = ["upstream", "downstream", *(other.title for other in others)]
    header += [*["gender gap"][:gaps], *["worst speaker"][:worst], "layers", "dim"]
    rows = []
    for place in ranked.places:
        row, cell, fair = place.row, place.row.cell, place.row.fairness
        rows.append(
            (
                clean(cell.upstream.name),
                clean(cell.downstream.name),
                *(score_text(row, other) for other in others),
                *[_figure(fair.gap if fair else None, primary)][:gaps],
                *[_figure(fair.worst if fair else None, primary)][:worst],
                *(NONE if number is None else str(number) for number in (cell.upstream.layers, cell.upstream.dim)),
            )
        )
    return Table(tuple(header), tuple(rows), tuple(title not in TEXTS for title in header))


def calibration_table(of: Section) -> CalibrationTable | None:
    """ECE, Brier score and NLL of every system of a task, each with its interval; None where no record has them."""
    rows = [place.row for ranked in of.groups for place in ranked.places if place.row.calibrated is not None]
    measures = [METRICS[name] for name in MEASURES]
    lines, lacking = [], dict[str, list[str]]()
    for row in rows:
        found, names = row.calibrated, (clean(row.cell.upstream.name), clean(row.cell.downstream.name))
        if found is None or found.before is None:
            lacking.setdefault("" if found is None else found.remark, []).append(" + ".join(names))
            continue
        lines.append(
            (
                *names,
                *(_believed(found.before, metric) for metric in measures),
                measured(found.before.by_chance, percent=True),
                f"{'' if found.temperature is None else decimal(found.temperature, 2) + ', '}{clean(found.remark)}",
                *(_believed(found.after, metric) for metric in measures),
            )
        )
    if not lines:
        return None
    titles = [metric.title for metric in measures]
    header = ("upstream", "downstream", *titles, "ECE by chance", "temperature", *(f"{one} after" for one in titles))
    notes = [*CALIBRATION, *(f"{what.capitalize()}: {', '.join(names)}." for what, names in sorted(lacking.items()))]
    numeric = (False, False, *(title != "temperature" for title in header[2:]))
    return CalibrationTable(Table(header, tuple(lines), numeric), tuple(notes))


def _believed(found: Believed | None, metric: Metric) -> str:
    if found is None:
        return NONE
    ends, mean = found.intervals[metric.name], measured(found.scores[metric.name].mean, metric.percent)
    return mean if ends is None else f"{mean} {interval(ends.low, ends.high, metric.percent)}"


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


def score_text(row: Row, metric: Metric) -> str:
    """A score with its spread over seeds."""
    scores = row.scores.get(metric.name)
    return NONE if scores is None else with_spread(scores.mean, scores.sd, metric.percent)


def _figure(value: float | None, metric: Metric) -> str:
    return NONE if value is None else measured(value, metric.percent)


def range_text(best: float | None, worst: float | None) -> str:
    """From the best rank that is possible to the worst one."""
    if best is None or worst is None:
        return NONE
    places = 0 if isinstance(best, int) and isinstance(worst, int) else 1
    return f"{decimal(best, places)}–{decimal(worst, places)}"


def _interval(row: Row, metric: Metric) -> str:
    found = row.intervals.get(metric.name)
    return NONE if found is None else interval(found.low, found.high, metric.percent)


def progress(cell: Cell) -> str:
    """How much of a row that is not complete is there."""
    units = f"{len(cell.completed)}/{len(cell.units)} units"
    return f"{units} ({cell.complete_folds}/{len(cell.task.folds)} folds)"
