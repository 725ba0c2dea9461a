"""What the leaderboard shows: tables of text, ready for Markdown or a terminal, and the values for CSV.

Every text here is one line of plain characters. It is not escaped: who writes it as Markdown or HTML does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmark.protocol.references import Reference
from benchmark.records import Record
from benchmark.records.grouping import group
from benchmark.statistics.tasks import Across
from benchmark.text import NONE, WARNING, clean, decimal
from leaderboard.findings import across_notes
from leaderboard.languages import in_order
from leaderboard.overview import Track, counts, tracks
from leaderboard.remarks import bridges, heading, legend, mixed_systems, warned
from leaderboard.rows import Place, Section, Value
from leaderboard.tables import Table, TaskTable, progress, range_text, score_text, with_references
from leaderboard.task_board import TaskBoard, task_board, tasks_of


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
    over = frozenset(record.task.name for record in published) or None
    return assembled([task_board(task, grouping) for task in tasks_of(grouping)], references=references, over=over)


def assembled(
    parts: Sequence[TaskBoard], *, references: Iterable[Reference] = (), over: frozenset[str] | None = None
) -> Board:
    """The leaderboard of tasks, each of which is made already.

    Args:
        parts: The tasks by name.
        references: What was published elsewhere; those of tasks that are not among them are left out.
        over: The tasks of which ranks over tasks are taken; all that count where None.
    """
    shown = {part.task: part.shown for part in parts if part.shown is not None}
    sections = tuple(in_order([one.section for one in shown.values()]))
    elsewhere: dict[str, list[Reference]] = {}
    for reference in references:
        elsewhere.setdefault(reference.task, []).append(reference)
    cells = [cell for part in parts for cell in part.cells]
    without_cells = [f"Task {clean(part.task)}: {line}" for part in parts if not part.cells for line in part.not_shown]
    found = tracks(sections, over)
    return Board(
        sections=sections,
        tracks=found,
        overviews=tuple(_track_table(track, sections) for track in found),
        notes=(*mixed_systems(cells), *without_cells, *bridges(cells)),
        tasks=tuple(
            with_references(shown[one.task.name].table, elsewhere.get(one.task.name, []), one.task) for one in sections
        ),
        legend=legend(cells),
        values=tuple(value for one in shown.values() for value in one.values),
    )


def _track_table(track: Track, sections: Sequence[Section]) -> TrackTable:
    """One row for each system; columns of tasks that count first."""
    shown = {task for standing in track.standings for task in standing.places}
    ordered = sorted((one for one in sections if one.task.name in shown), key=lambda one: not counts(one.task))
    header = ["upstream", "downstream", "mean rank", "possible", "tasks"]
    header += [f"{heading(one.task)}: {one.analysis.metric.title}" for one in ordered]
    rows = []
    for standing in track.standings:
        row = [
            clean(standing.upstream),
            clean(standing.downstream),
            NONE if standing.mean_rank is None else decimal(standing.mean_rank, 1),
        ]
        row.append(range_text(standing.best, standing.worst))
        row.append(NONE if standing.control else f"{len(standing.counted)}/{len(track.tasks)}")
        row += [_overview_text(standing.places.get(one.task.name), one) for one in ordered]
        rows.append(tuple(row))
    numeric = (False, False, True, True, True, *(True for _ in ordered))
    return TrackTable(track.name, Table(tuple(header), tuple(rows), numeric), _wins_table(track), across_notes(track))


def _overview_text(place: Place | None, of: Section) -> str:
    if place is None:
        return NONE
    if not place.row.scores:
        return progress(place.row.cell)
    mark = f" {WARNING}" if warned(place.row.cell.flags()) else ""
    letters = "" if place.row.cell.contaminated or not place.letters else f" {place.letters}"
    return f"{score_text(place.row, of.analysis.metric)}{letters}{mark}"


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
