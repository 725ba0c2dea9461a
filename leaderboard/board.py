"""What the leaderboard shows: tables of text, ready for Markdown or a terminal, and the values for CSV.

Every text here is one line of plain characters. It is not escaped: who writes it as Markdown or HTML does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmark.metrics import METRICS, Metric, find
from benchmark.protocol.references import Figure, Reference
from benchmark.records import Record, TaskPart
from benchmark.records.cells import Cell
from benchmark.records.grouping import Grouping, group
from benchmark.records.parts import MEASURES
from benchmark.statistics.tasks import Across
from benchmark.text import NONE, WARNING, clean, decimal, human, interval, measured, with_spread
from leaderboard.calibration import Believed
from leaderboard.findings import across_notes
from leaderboard.languages import in_order
from leaderboard.overview import Track, counts, tracks
from leaderboard.remarks import (
    CALIBRATION,
    WARNINGS,
    bridges,
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
from leaderboard.rows import Group, Place, Row, Section, Value, csv_values, section

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


@dataclass(frozen=True)
class TrackTable:
    """The systems of a track over all tasks.

    Attributes:
        name: The track.
        overview: Systems x tasks: the primary metric of each with letters, mean rank, coverage.
        wins: On how many corpora the system of the row is better than that of the column; None without common ones.
        notes: What the tests over tasks say.
    """

    name: str
    overview: Table
    wins: Table | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """The whole leaderboard, as numbers and as text.

    Attributes:
        sections: The tasks with their cells and comparisons, in reading order: see `leaderboard.languages.in_order`.
        tracks: Systems over all tasks.
        overviews: The same as text.
        notes: What the overview needs said.
        tasks: The sections as text.
        legend: What the signs and flags mean, of those that occur.
        values: The rows of the CSV, tasks by name, cells by rank, metrics in the task's order.
    """

    sections: tuple[Section, ...]
    tracks: tuple[Track, ...]
    overviews: tuple[TrackTable, ...]
    notes: tuple[str, ...]
    tasks: tuple[TaskTable, ...]
    legend: tuple[str, ...]
    values: tuple[Value, ...]

    @property
    def across(self) -> Across | None:
        """Tests over tasks of the first track that has some."""
        return next((track.across for track in self.tracks if track.across), None)


def board(*sources: Iterable[Record], references: Iterable[Reference] = (), published: Sequence[Record] = ()) -> Board:
    """Make the leaderboard from records, and set beside it what was published elsewhere.

    Args:
        sources: Records; of a unit that several sources have, the first one's counts.
        references: What was published elsewhere; those of tasks without records are left out.
        published: The source among them that is published, where others stand beside it: its protocols are shown, and
            ranks over tasks are over its tasks.

    Raises:
        BenchError: Records contradict each other or their task; the message names them.
    """
    grouping = group(*sources, published=published)
    by_task: dict[str, list[Cell]] = {}
    for cell in grouping.cells:
        if cell.task.bridge is None:
            by_task.setdefault(cell.task.name, []).append(cell)
    sections = tuple(in_order([section(cells) for _, cells in sorted(by_task.items())]))
    elsewhere: dict[str, list[Reference]] = {}
    for reference in references:
        elsewhere.setdefault(reference.task, []).append(reference)
    found = tracks(sections, frozenset(record.task.name for record in published) or None)
    return Board(
        sections=sections,
        tracks=found,
        overviews=tuple(_track_table(track, sections) for track in found),
        notes=(*mixed_systems(grouping.cells), *tasks_without_cells(grouping), *bridges(grouping.cells)),
        tasks=tuple(_task_table(one, grouping, elsewhere.get(one.task.name, [])) for one in sections),
        legend=legend(grouping.cells),
        values=tuple(
            value
            for one in sorted(sections, key=lambda one: one.task.name)
            for ranked in one.groups
            for value in csv_values(ranked)
        ),
    )


def _track_table(track: Track, sections: Sequence[Section]) -> TrackTable:
    """One row for each system; columns of tasks that count first."""
    shown = {task for standing in track.standings for task in standing.places}
    ordered = sorted((one for one in sections if one.task.name in shown), key=lambda one: not counts(one.task))
    header = ["upstream", "downstream", "mean rank", "possible", "tasks"]
    header += [f"{heading(one.task)}: {one.analysis.metric.title}" for one in ordered]
    rows = []
    for standing in track.standings:
        row = [clean(standing.upstream), clean(standing.downstream), _number(standing.mean_rank)]
        row.append(_range(standing.best, standing.worst))
        row.append(NONE if standing.control else f"{len(standing.counted)}/{len(track.tasks)}")
        row += [_overview_text(standing.places.get(one.task.name), one) for one in ordered]
        rows.append(tuple(row))
    numeric = (False, False, True, True, True, *(True for _ in ordered))
    return TrackTable(track.name, Table(tuple(header), tuple(rows), numeric), _wins_table(track), across_notes(track))


def _overview_text(place: Place | None, of: Section) -> str:
    if place is None:
        return NONE
    if not place.row.scores:
        return _progress(place.row.cell)
    mark = f" {WARNING}" if warned(place.row.cell.flags()) else ""
    letters = "" if place.row.cell.contaminated or not place.letters else f" {place.letters}"
    return f"{_score(place.row, of.analysis.metric)}{letters}{mark}"


def _wins_table(track: Track) -> Table | None:
    if not any(len(one.corpora) > 1 for one in track.wins):
        return None
    found = {(one.a, one.b): one for one in track.wins}
    names = [one.name for one in track.standings if one.counted]
    rows = []
    for a in names:
        of_a = ((found.get((a, b)) if a != b else None) for b in names)
        rows.append((clean(a), *(NONE if one is None else f"{one.count}/{len(one.corpora)}" for one in of_a)))
    return Table(("better than", *map(clean, names)), tuple(rows), (False, *(True for _ in names)))


def _task_table(of: Section, grouping: Grouping, references: Sequence[Reference]) -> TaskTable:
    cells = [place.row.cell for ranked in of.groups for place in ranked.places]
    return TaskTable(
        of.task.name,
        heading(of.task),
        caption(cells),
        tuple(GroupTable(ranked.name, _ranking(ranked, of), _details(ranked, of)) for ranked in of.groups),
        notes(of, cells, grouping),
        _reference_table(references, of.task) if references else None,
        calibration_table(of),
    )


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
                _range(place.best, place.worst),
                place.letters or NONE,
                clean(cell.upstream.name),
                clean(cell.downstream.name),
                _score(row, primary) if row.scores else _progress(cell),
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
                *(_score(row, other) for other in others),
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


def _score(row: Row, metric: Metric) -> str:
    scores = row.scores.get(metric.name)
    return NONE if scores is None else with_spread(scores.mean, scores.sd, metric.percent)


def _figure(value: float | None, metric: Metric) -> str:
    return NONE if value is None else measured(value, metric.percent)


def _number(value: float | None) -> str:
    return NONE if value is None else decimal(value, 1)


def _range(best: float | None, worst: float | None) -> str:
    if best is None or worst is None:
        return NONE
    places = 0 if isinstance(best, int) and isinstance(worst, int) else 1
    return f"{decimal(best, places)}–{decimal(worst, places)}"


def _interval(row: Row, metric: Metric) -> str:
    found = row.intervals.get(metric.name)
    return NONE if found is None else interval(found.low, found.high, metric.percent)


def _progress(cell: Cell) -> str:
    units = f"{len(cell.completed)}/{len(cell.units)} units"
    return f"{units} ({cell.complete_folds}/{len(cell.task.folds)} folds)"
