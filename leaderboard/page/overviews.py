"""The top of the page: systems x tasks as intervals with letters, and the best systems of each corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.metrics import find
from benchmark.text import NONE, clean, decimal, interval, measured
from leaderboard.best import Best, best
from leaderboard.board import Board, TrackTable
from leaderboard.chance import chance_level
from leaderboard.languages import in_order, shelf
from leaderboard.overview import Standing, Track, counts
from leaderboard.page.columns import Shown, order
from leaderboard.page.contents import Chapter, Line, short_name
from leaderboard.page.models import Fact
from leaderboard.page.scale import Mark, Scale, whole_scale
from leaderboard.rows import Place, Section
from leaderboard.twins import system


@dataclass(frozen=True)
class Strip:
    """A score of the overview.

    Attributes:
        row: The number of the row that it is of.
        score: As text; how far the row is where it has none.
        order: What it is sorted by.
        letters: Within the track on the task.
        leads: Whether it cannot be told apart from the first.
        mark: It with its interval; None where it has no score.
        words: All of it in words.
    """

    row: int
    score: str
    order: str
    letters: str
    leads: bool
    mark: Mark | None
    words: str


@dataclass(frozen=True)
class Column:
    """A task of the overview."""

    chapter: Chapter
    title: str
    shelf: str
    scale: Scale


@dataclass(frozen=True)
class System:
    """A row of the overview.

    Attributes:
        family: Of the upstream.
        names: Upstream and downstream.
        weights: Where the weights of the upstream are.
        row: Number of one of its rows, for its card.
        rank: Its mean rank.
        possible: The mean ranks that the tests leave possible.
        coverage: How many of the tasks that count it has.
        strips: One for each column; None where it was not run.
    """

    family: str
    names: tuple[str, str]
    weights: Fact | None
    row: int
    rank: Shown
    possible: str
    coverage: Shown
    strips: tuple[Strip | None, ...]


@dataclass(frozen=True)
class Overview:
    """Systems x tasks of a track.

    Attributes:
        words: Name, notes, and who is better than whom on how many corpora.
        columns: The tasks that count; where none does, all.
        systems: Those with a row on one of these tasks.
        ranked: Whether mean ranks say more than the only column.
    """

    words: TrackTable
    columns: tuple[Column, ...]
    systems: tuple[System, ...]
    ranked: bool


@dataclass(frozen=True)
class Winner:
    """The best system of a task in a track, as it is shown.

    Attributes:
        best: It.
        chapter: The task.
        line: Its row in the table of the task.
        mark: Its score with its interval, on the scale of all.
        scale: That scale.
        known: Its score where test speakers are in train too, as text.
        chance: What guessing would score.
    """

    best: Best
    chapter: Chapter
    line: Line
    mark: Mark | None
    scale: Scale
    known: str
    chance: str

    @property
    def alike(self) -> str:
        """How many others cannot be told apart from it, in words."""
        others = self.best.ranked - 1
        if not others:
            return "no other"
        return (
            f"{self.best.alike or 'none'} of {others} others"
            if others > 1
            else "the other"
            if self.best.alike
            else "none"
        )


def overviews(made: Board, chapters: Sequence[Chapter]) -> tuple[Overview, ...]:
    """The overview of each track that has one.

    Args:
        made: The board.
        chapters: Its tasks, as the page shows them.
    """
    by_task = {section.task.name: chapter for section, chapter in zip(made.sections, chapters, strict=True)}
    numbers = _numbers(made.sections, chapters)
    found = (
        _overview(track, words, made.sections, by_task, numbers)
        for track, words in zip(made.tracks, made.overviews, strict=True)
    )
    return tuple(one for one in found if one.systems)


def winners(made: Board, chapters: Sequence[Chapter]) -> tuple[Winner, ...]:
    """The best systems of each task that counts, in reading order."""
    by_task = {section.task.name: chapter for section, chapter in zip(made.sections, chapters, strict=True)}
    found = []
    for one in best(made.sections):
        chapter, section = by_task[one.section.task.name], one.section
        metric, chance = section.analysis.metric, chance_level(section.task)
        scale = _whole(section)
        line = next(
            line
            for ranking in chapter.rankings
            if ranking.name == one.track
            for line, place in zip(ranking.lines, _places(section, ranking.name), strict=True)
            if place is one.place
        )
        found.append(
            Winner(
                best=one,
                chapter=chapter,
                line=line,
                mark=_mark(one.place, section, scale, one.known),
                scale=scale,
                known=NONE if one.known is None else measured(one.known, metric.percent),
                chance=NONE if chance is None else measured(chance, metric.percent),
            )
        )
    return tuple(found)


def _overview(
    track: Track,
    words: TrackTable,
    sections: Sequence[Section],
    by_task: dict[str, Chapter],
    numbers: dict[tuple[str, str], Line],
) -> Overview:
    there = [one for one in sections if any(one.task.name in standing.places for standing in track.standings)]
    shown = [one for one in there if counts(one.task)] or there
    columns = tuple(
        Column(by_task[one.task.name], short_name(clean(one.task.name)), shelf(one.task), _whole(one))
        for one in in_order(shown)
    )
    ordered = in_order(shown)
    systems = []
    for standing in track.standings:
        strips = tuple(
            _strip(standing, section, column, numbers) for section, column in zip(ordered, columns, strict=True)
        )
        first = next((strip for strip in strips if strip is not None), None)
        if first is None:
            continue
        task = next(name for name in (one.task.name for one in ordered) if name in standing.places)
        line = numbers[task, standing.name]
        possible = (
            NONE
            if standing.best is None or standing.worst is None
            else f"{decimal(standing.best, 1)}–{decimal(standing.worst, 1)}"
        )
        covered = NONE if standing.control else f"{len(standing.counted)}/{len(track.tasks)}"
        systems.append(
            System(
                family=line.family,
                names=line.names,
                weights=line.weights,
                row=first.row,
                rank=Shown(
                    NONE if standing.mean_rank is None else decimal(standing.mean_rank, 1), order(standing.mean_rank)
                ),
                possible=possible,
                coverage=Shown(covered, "" if standing.control else str(len(standing.counted))),
                strips=strips,
            )
        )
    return Overview(words, columns, tuple(systems), ranked=bool(track.tasks))


def _strip(standing: Standing, section: Section, column: Column, numbers: dict[tuple[str, str], Line]) -> Strip | None:
    place = standing.places.get(section.task.name)
    if place is None:
        return None
    line = numbers[section.task.name, standing.name]
    twin = column.chapter.twin
    known = None if twin is None else twin.scores.get(system(place))
    metric = section.analysis.metric
    ends = place.row.intervals.get(metric.name)
    words = f"{' + '.join(line.names)} on {column.title}: {line.score.text}"
    if ends is not None:
        words += f" {interval(ends.low, ends.high, metric.percent)}"
    if known is not None and twin is not None:
        words += f"; {short_name(twin.name)}: {measured(known, metric.percent)}"
    scores = place.row.scores.get(metric.name)
    return Strip(
        row=line.number,
        score=line.score.text if scores is None else measured(scores.mean, metric.percent),
        order=line.score.order or "",
        letters="" if place.row.cell.contaminated else place.letters,
        leads=line.leads and not place.row.cell.contaminated,
        mark=_mark(place, section, column.scale, known),
        words=clean(words),
    )


def _mark(place: Place, section: Section, scale: Scale, known: float | None) -> Mark | None:
    metric = section.analysis.metric.name
    scores, ends = place.row.scores.get(metric), place.row.intervals.get(metric)
    if scores is None:
        return None
    low, high = (None, None) if ends is None else (ends.low, ends.high)
    return scale.mark(scores.mean, low, high, known)


def _whole(section: Section) -> Scale:
    """The scale of a task in the overview: of a share all from 0 to 100 %."""
    metric = find(section.task.metrics[0])
    values = []
    for group in section.groups:
        for place in (place for place in group.places if place.row.scores):
            ends = place.row.intervals[metric.name]
            values += [place.row.scores[metric.name].mean, *((ends.low, ends.high) if ends else ())]
    return whole_scale(values, metric, chance_level(section.task))


def _places(section: Section, group: str) -> tuple[Place, ...]:
    return next(one.places for one in section.groups if one.name == group)


def _numbers(sections: Sequence[Section], chapters: Sequence[Chapter]) -> dict[tuple[str, str], Line]:
    """The rows of the page, by task and system."""
    return {
        (section.task.name, place.row.cell.name): line
        for section, chapter in zip(sections, chapters, strict=True)
        for group, ranking in zip(section.groups, chapter.rankings, strict=True)
        for place, line in zip(group.places, ranking.lines, strict=True)
    }
