"""What the page says, as plain values: the texts of its tables, by tracks and by tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmark.metrics import Metric
from benchmark.text import NONE, clean, interval
from leaderboard.board import Board, TaskTable, TrackTable
from leaderboard.page.columns import Column, Entry, number_columns, order, score_column
from leaderboard.page.data import row_data, task_data
from leaderboard.page.facts import family, groups, languages
from leaderboard.page.scale import Mark, Scale, scale_of
from leaderboard.remarks import WARNINGS
from leaderboard.rows import GROUPS, Place, Section

SHOWN_NAME = 60  # characters of a name in a table; the rest stands where there is room
# A number at the beginning of a text: of a score, of a range, or of a coverage, but not of what is incomplete.
NUMBER = re.compile(r"-?\d+(\.\d+)?(?=$| |–|/\d+$)")
MEANINGS = {
    "fixed": "the task's own head and recipe on a frozen upstream",
    "open head": "any other head on a frozen upstream",
    "fine-tuned": "the upstream is trained with the head",
    "contaminated": "the weights of the upstream were trained on recordings of this task: ranked apart",
}


@dataclass(frozen=True)
class Figures:
    """Figures as SVG elements that need nothing else: `leaderboard.page.drawings` draws them.

    Attributes:
        board: Those over all tasks, as they are shown.
        tasks: Those of single tasks, by the task's name.
        notes: What could not be drawn, and why.
    """

    board: tuple[str, ...] = ()
    tasks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A row of a table of systems.

    Attributes:
        number: Of the facts that the script shows.
        family: Of the upstream.
        rank: By score, among those of the table.
        names: Upstream and downstream.
        complete: Whether it has a score; else `score` says how far it is.
        score: By the primary metric.
        mark: Its interval on the task's scale.
        interval: The same as text.
        span: The best and worst rank that the tests leave possible.
        letters: Shared by systems that cannot be told apart.
        numbers: One for each of the task's other columns.
        flags: Each with whether it is a warning.
    """

    number: int
    family: str
    rank: Entry
    names: tuple[str, str]
    complete: bool
    score: Entry
    mark: Mark | None
    interval: Entry
    span: Entry
    letters: str
    numbers: tuple[Entry, ...]
    flags: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Part:
    """The systems of a task that are ranked with each other."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Chapter:
    """A task.

    Attributes:
        number: Its place in the board.
        words: Heading, caption, notes, and what was published elsewhere.
        independent: Whether the test speakers are unseen.
        groups: Of tasks, that it is in.
        languages: Of its corpora.
        metric: Title of the primary metric.
        columns: Titles of the other columns of numbers.
        scale: Of the intervals.
        parts: Its systems.
        figures: Its figures, as SVG.
    """

    number: int
    words: TaskTable
    independent: bool
    groups: tuple[str, ...]
    languages: tuple[str, ...]
    metric: str
    columns: tuple[str, ...]
    scale: Scale
    parts: tuple[Part, ...]
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """Systems x tasks of a track.

    Attributes:
        words: Name, notes, and who is better than whom on how many corpora.
        columns: Titles, and the number of the task of a column that has one.
        numeric: Whether a column is set flush right.
        rows: The family of the upstream, and the entries.
    """

    words: TrackTable
    columns: tuple[tuple[str, int | None], ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, tuple[Entry, ...]], ...]


@dataclass(frozen=True)
class Contents:
    """All of the page: its chapters, and for the script the facts of each row and the pairs of each task."""

    overviews: tuple[Overview, ...]
    chapters: tuple[Chapter, ...]
    data: Mapping[str, Any]

    @property
    def choices(self) -> dict[str, list[str]]:
        """What can be filtered by, with the values that occur."""
        lines = [line for chapter in self.chapters for part in chapter.parts for line in part.lines]
        return {
            "group": _first_seen(chapter.groups for chapter in self.chapters),
            "language": sorted({language for chapter in self.chapters for language in chapter.languages}),
            "family": sorted({line.family for line in lines}, key=str.casefold),
            "track": [name for name in GROUPS if any(part.name == name for one in self.chapters for part in one.parts)],
        }


def contents(made: Board, figures: Figures) -> Contents:
    """Take a board apart for the page.

    Args:
        made: The board.
        figures: Among them those of the tasks.
    """
    chapters: list[Chapter] = []
    rows: list[dict[str, Any]] = []
    for number, (section, words) in enumerate(zip(made.sections, made.tasks, strict=True)):
        task, primary = section.task, section.analysis.metric
        placed = [place.row for group in section.groups for place in group.places]
        columns = [column for column in number_columns(task) if any(column.value(row) is not None for row in placed)]
        scale = _scale(section)
        parts = []
        for group in section.groups:
            lines = tuple(
                _line(place, len(rows) + index, primary, scale, columns) for index, place in enumerate(group.places)
            )
            parts.append(Part(group.name, lines))
            rows += [row_data(place.row, number, section) for place in group.places]
        chapters.append(
            Chapter(
                number=number,
                words=words,
                independent=task.speaker_independent,
                groups=groups(task),
                languages=languages(task),
                metric=primary.title,
                columns=tuple(column.title for column in columns),
                scale=scale,
                parts=tuple(parts),
                figures=figures.tasks.get(task.name, ()),
            )
        )
    tasks = [task_data(section, words) for section, words in zip(made.sections, made.tasks, strict=True)]
    overviews = tuple(_overview(one, chapters) for one in made.overviews)
    return Contents(overviews, tuple(chapters), {"tasks": tasks, "rows": rows})


def short_name(name: str) -> str:
    """A name that a table has room for."""
    return name if len(name) <= SHOWN_NAME else f"{name[: SHOWN_NAME - 1]}…"


def _line(place: Place, number: int, primary: Metric, scale: Scale, columns: Sequence[Column]) -> Line:
    row, cell = place.row, place.row.cell
    scores, found = row.scores.get(primary.name), row.intervals.get(primary.name)
    progress = f"{len(cell.completed)}/{len(cell.units)} units"
    span = (
        NONE if place.best is None else str(place.best) if place.best == place.worst else f"{place.best}–{place.worst}"
    )
    return Line(
        number=number,
        family=family(cell.upstream.name),
        rank=Entry(NONE if place.rank is None else str(place.rank), order(place.rank)),
        names=(short_name(clean(cell.upstream.name)), short_name(clean(cell.downstream.name))),
        complete=scores is not None,
        score=Entry(progress, "") if scores is None else score_column(primary).entry(row),
        mark=None if scores is None or found is None else scale.mark(found.low, scores.mean, found.high),
        interval=Entry(NONE, "")
        if found is None
        else Entry(interval(found.low, found.high, primary.percent), order(found.low)),
        span=Entry(span, order(place.best)),
        letters=place.letters or NONE,
        numbers=tuple(column.entry(row) for column in columns),
        flags=tuple((flag, flag in WARNINGS) for flag in cell.flags()),
    )


def _scale(section: Section) -> Scale:
    """Of the intervals of all groups of a task, so that they can be compared by eye."""
    metric = section.analysis.metric
    found = [place.row.intervals.get(metric.name) for group in section.groups for place in group.places]
    return scale_of([end for one in found if one is not None for end in (one.low, one.high)], metric)


def _overview(words: TrackTable, chapters: Sequence[Chapter]) -> Overview:
    """The board's own table, its columns with the task that they are of."""
    numbers = {f"{chapter.words.heading}: {chapter.metric}": chapter.number for chapter in chapters}
    table = words.overview
    rows = []
    for row in table.rows:
        entries = (_overview_entry(text, numeric) for text, numeric in zip(row, table.numeric, strict=True))
        rows.append((family(row[0]), tuple(entries)))
    columns = tuple((short_name(title), numbers.get(title)) for title in table.header)
    return Overview(words, columns, table.numeric, tuple(rows))


def _overview_entry(text: str, numeric: bool) -> Entry:
    """A number is sorted by itself, whatever stands behind it."""
    if not numeric:
        return Entry(short_name(text))
    number = NUMBER.match(text)
    return Entry(text, number[0] if number else "")


def _first_seen(lists: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(one for some in lists for one in some))
