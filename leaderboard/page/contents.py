"""What the page says, as plain values: the texts of its tables, task by task in reading order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from benchmark.io.files import safe_name
from benchmark.metrics import Metric
from benchmark.text import NONE, clean, interval
from leaderboard.board import Board
from leaderboard.chance import chance_level
from leaderboard.languages import KNOWN_SPEAKERS, languages, named, shelf
from leaderboard.page.cards import row_data, speakers_of, task_data, tracks_data
from leaderboard.page.columns import KINDS, RANKS, Column, Shown, number_columns, order, score_column
from leaderboard.page.facts import family, groups
from leaderboard.page.models import Fact, address, as_data, facts_of
from leaderboard.page.scale import Mark, Scale, scale_of
from leaderboard.remarks import FLAGS, WARNINGS
from leaderboard.rows import GROUPS, Place, Section
from leaderboard.summary import Summary, summary
from leaderboard.tables import TaskTable
from leaderboard.twins import Twin, system, twin_of

SHOWN_NAME = 60  # characters of a name in a table; the rest stands where there is room
MEANINGS = {
    "fixed": "the task's own head and recipe on a frozen upstream",
    "open head": "any other head on a frozen upstream",
    "fine-tuned": "the upstream is trained with the head",
    "contaminated": "the weights of the upstream were trained on recordings of this task: ranked apart",
}


@dataclass(frozen=True)
class Drawing:
    """A figure as an SVG element that needs nothing else.

    Attributes:
        svg: It.
        task: Of which task it is; None of all.
    """

    svg: str
    task: str | None = None


@dataclass(frozen=True)
class Figures:
    """What `leaderboard.page.drawings` draws.

    Attributes:
        board: What stands above the tasks, as it is shown.
        tasks: What stands with single tasks, by the task's name.
        notes: What could not be drawn, and why.
    """

    board: tuple[Drawing, ...] = ()
    tasks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A row of a table of systems.

    Attributes:
        number: Of what the script knows of it.
        family: Of the upstream.
        rank: By score, among those of the table.
        names: Upstream and downstream.
        weights: Where the weights of the upstream are, where that is known.
        complete: Whether it has a score; else `score` says how far it is.
        leads: Whether it cannot be told apart from the first of the table.
        score: By the primary metric.
        mark: It with its interval on the task's scale.
        interval: The same as text.
        span: The best and worst rank that the tests leave possible.
        letters: Shared by systems that cannot be told apart.
        numbers: One for each of the task's other columns.
        flags: Each with whether it is a warning.
    """

    number: int
    family: str
    rank: Shown
    names: tuple[str, str]
    weights: Fact | None
    complete: bool
    leads: bool
    score: Shown
    mark: Mark | None
    interval: Shown
    span: Shown
    letters: str
    numbers: tuple[Shown, ...]
    flags: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Ranking:
    """The systems of a task that are ranked with each other."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Chapter:
    """A task.

    Attributes:
        number: Its place in the board.
        anchor: Where a link to it leads.
        words: Heading, caption, notes, and what was published elsewhere.
        shelf: What it stands under: see `leaderboard.languages.shelf`.
        groups: Of tasks, that it is in.
        languages: Of its corpora, by their names.
        metric: Title of the primary metric.
        columns: The other columns of numbers.
        scale: Of the intervals.
        twin: The task on the same corpus with known speakers, where there is one.
        rankings: Its systems.
        figures: Its figures, as SVG.
    """

    number: int
    anchor: str
    words: TaskTable
    shelf: str
    groups: tuple[str, ...]
    languages: tuple[str, ...]
    metric: str
    columns: tuple[Column, ...]
    scale: Scale
    twin: Twin | None
    rankings: tuple[Ranking, ...]
    figures: tuple[str, ...]

    @property
    def independent(self) -> bool:
        """Whether its test is of unseen speakers, who did not select the head either."""
        return self.shelf != KNOWN_SPEAKERS


@dataclass(frozen=True)
class Contents:
    """All of the page below its overview.

    Attributes:
        summary: How much there is.
        chapters: The tasks.
        data: For the script: what stands behind each row, and the pairs of each task.
    """

    summary: Summary
    chapters: tuple[Chapter, ...]
    data: Mapping[str, Any]

    @property
    def shelves(self) -> list[tuple[str, list[Chapter]]]:
        """The tasks by what they stand under."""
        return [(name, list(found)) for name, found in groupby(self.chapters, key=lambda one: one.shelf)]

    @property
    def choices(self) -> dict[str, list[str]]:
        """What can be filtered by, with the values that occur."""
        ranked = {ranking.name for chapter in self.chapters for ranking in chapter.rankings}
        lines = [line for chapter in self.chapters for ranking in chapter.rankings for line in ranking.lines]
        columns = [column for chapter in self.chapters for column in chapter.columns]
        return {
            "group": _first_seen(chapter.groups for chapter in self.chapters),
            "language": sorted({language for chapter in self.chapters for language in chapter.languages}),
            "family": sorted({line.family for line in lines}, key=str.casefold),
            "track": [name for name in GROUPS if name in ranked],
            "columns": [kind for kind in KINDS if kind == RANKS or any(kind == column.kind for column in columns)],
        }


def contents(made: Board, figures: Figures) -> Contents:
    """Take a board apart for the page.

    Args:
        made: The board.
        figures: Among them those of the tasks.
    """
    chapters: list[Chapter] = []
    tasks: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    anchors: set[str] = set()
    for number, (section, words) in enumerate(zip(made.sections, made.tasks, strict=True)):
        task, primary = section.task, section.analysis.metric
        placed = [place.row for group in section.groups for place in group.places]
        columns = [column for column in number_columns(task) if any(column.value(row) is not None for row in placed)]
        scale, twin, people = _scale(section), twin_of(section, made.sections), speakers_of(section)
        rankings = []
        for group in section.groups:
            leaders = section.leaders(group)
            lines = tuple(
                _line(place, len(rows) + index, primary, scale, columns, leads=place.row.cell.name in leaders)
                for index, place in enumerate(group.places)
            )
            for place, line in zip(group.places, lines, strict=True):
                known = None if twin is None else twin.scores.get(system(place))
                rows.append(row_data(place, line, group, columns, (number, section), known, people))
            rankings.append(Ranking(group.name, lines))
        anchor = _anchor(task.name, anchors)
        tasks.append(task_data(section, words, anchor, scale, twin, people))
        chapters.append(
            Chapter(
                number=number,
                anchor=anchor,
                words=words,
                shelf=shelf(task),
                groups=groups(task),
                languages=tuple(dict.fromkeys(map(named, languages(task)))),
                metric=primary.title,
                columns=tuple(columns),
                scale=scale,
                twin=twin,
                rankings=tuple(rankings),
                figures=figures.tasks.get(task.name, ()),
            )
        )
    models = {name: as_data(facts_of(name)) for name in sorted({row["names"][0] for row in rows})}
    data = {"tasks": tasks, "rows": rows, "models": models, "tracks": tracks_data(made.tracks), "flags": FLAGS}
    return Contents(summary(made.sections), tuple(chapters), data)


def short_name(name: str) -> str:
    """A name that a table has room for."""
    return name if len(name) <= SHOWN_NAME else f"{name[: SHOWN_NAME - 1]}…"


def _anchor(task: str, taken: set[str]) -> str:
    """An id by the name of a task, so that a link to it stays one when others come."""
    base = f"task-{safe_name(short_name(clean(task)))}"
    anchor = next(one for one in (base, *(f"{base}-{again}" for again in range(2, len(taken) + 3))) if one not in taken)
    taken.add(anchor)
    return anchor


def _line(place: Place, number: int, primary: Metric, scale: Scale, columns: Sequence[Column], *, leads: bool) -> Line:
    row, cell = place.row, place.row.cell
    scores, found = row.scores.get(primary.name), row.intervals.get(primary.name)
    ends = (None, None) if found is None else (found.low, found.high)
    progress = f"{len(cell.completed)}/{len(cell.units)} units"
    span = (
        NONE if place.best is None else str(place.best) if place.best == place.worst else f"{place.best}–{place.worst}"
    )
    return Line(
        number=number,
        family=family(cell.upstream.name),
        rank=Shown(NONE if place.rank is None else str(place.rank), order(place.rank)),
        names=(short_name(clean(cell.upstream.name)), short_name(clean(cell.downstream.name))),
        weights=address(cell.upstream.name),
        complete=scores is not None,
        leads=leads,
        score=Shown(progress, "") if scores is None else score_column(primary).entry(row),
        mark=None if scores is None else scale.mark(scores.mean, *ends),
        interval=Shown(NONE, "")
        if found is None
        else Shown(interval(found.low, found.high, primary.percent), order(found.low)),
        span=Shown(span, order(place.best)),
        letters=place.letters or NONE,
        numbers=tuple(column.entry(row) for column in columns),
        flags=tuple((flag, flag in WARNINGS) for flag in cell.flags()),
    )


def _scale(section: Section) -> Scale:
    """Of the intervals of all groups of a task, so that they can be compared by eye."""
    metric = section.analysis.metric
    values = []
    for place in (place for group in section.groups for place in group.places if place.row.scores):
        found = place.row.intervals[metric.name]
        values += [place.row.scores[metric.name].mean, *([] if found is None else [found.low, found.high])]
    return scale_of(values, metric, chance_level(section.task))


def _first_seen(lists: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(one for some in lists for one in some))
