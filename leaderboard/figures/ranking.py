"""A task as intervals with letters, and all tasks as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError
from benchmark.metrics import find
from benchmark.text import interval, measured
from leaderboard.chance import chance_level
from leaderboard.figures.canvas import (
    BLUE,
    DARKEST,
    GREY,
    SMALL,
    bare,
    blank,
    drawn,
    name_rows,
    shown,
    tip,
)
from leaderboard.languages import in_order
from leaderboard.overview import counts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from leaderboard.rows import Place, Section

System = tuple[str, str]
GAP = 0.4  # between the tasks that count and the others, in columns
FAINTEST = 0.06
LETTER = 0.07  # inches, of an axis label


@drawn
def intervals(section: Section) -> Figure:
    """The systems of a task by rank: score, 95 % interval and letters, each track on its own.

    Args:
        section: A task of the board.

    Raises:
        BenchError: No system is complete.
    """
    metric, task = find(section.task.metrics[0]), section.task
    if not section.analysis.cells:
        raise BenchError(f"no system on {task.name} is complete", "bench run completes them")
    rows: list[tuple[str, Place | None]] = []
    for group in section.groups:
        if len(section.groups) > 1:
            rows.append((group.name, None))
        rows += [(shown(place.row.cell.name, 36), place) for place in group.places]
    tracks = " Each track is ranked on its own." if len(section.groups) > 1 else ""
    figure = blank(
        0.55 + 0.2 * len(rows),
        f"{shown(task.name)}: {metric.title} with 95 % intervals",
        "Intervals are for new speakers and seeds. Systems of a track that share a letter cannot be told apart by the "
        f"paired tests, corrected for all its pairs; overlapping intervals are no such test. Dotted: "
        f"guessing.{tracks}",
    )
    axes = figure.add_subplot()
    level = chance_level(task)
    if level is not None:
        axes.axvline(100 * level if metric.percent else level, color=GREY, linewidth=0.9, linestyle=":")
    for index, (_, place) in enumerate(rows):
        if place is not None:
            _interval(axes, index, place)
    name_rows(axes, [text for text, _ in rows])
    for label, (_, place) in zip(axes.get_yticklabels(), rows, strict=True):
        if place is None:
            label.set_fontweight("bold")
    axes.set_xlabel(metric.title + (" in %" if metric.percent else ""))
    return figure


@drawn
def heat_map(sections: Sequence[Section]) -> Figure:
    """Systems x tasks: the primary metric of each task, every column on its own scale.

    The darkest of a column is the task's best system, the faintest its worst. Tasks that do not count in mean ranks
    stand apart at the right, with the reason; what is contaminated has an asterisk.

    Args:
        sections: The tasks of the board.

    Raises:
        BenchError: No system is complete.
    """
    ordered = sorted(in_order(sections), key=lambda section: not counts(section.task))
    columns = [_scores(section) for section in ordered]
    if not any(columns):
        raise BenchError("no system is complete on any task", "bench run completes them")
    shades = [_shades(section, column) for section, column in zip(ordered, columns, strict=True)]
    systems = _in_order(ordered, shades)
    counted = sum(counts(section.task) for section in ordered)
    x = [index + (GAP if index >= counted > 0 else 0) for index in range(len(ordered))]
    titles = [f"{shown(one.task.name, 26)}\n{find(one.task.metrics[0]).title}" for one in ordered]
    names = [shown(" + ".join(system), 34) for system in systems]
    slant = 0.75 * LETTER * max(map(len, titles))  # of the titles, at 45 degrees
    figure = blank(
        0.75 + slant + 0.245 * len(systems),
        "Systems x tasks: the primary metric of each",
        "Each column has its own scale, from the task's worst system (faint) to its best (dark): shades of two tasks "
        "cannot be compared. Hatched: no complete result. *: the upstream was trained on recordings of the task. "
        "Systems by their mean shade over the tasks that count: those at the right, each with its reason, do not.",
        width=max(4.6, 0.5 + LETTER * max(map(len, names)) + 0.66 * len(ordered) + slant),
    )
    axes = figure.add_subplot()
    for place, section, column, shade in zip(x, ordered, columns, shades, strict=True):
        for row, system in enumerate(systems):
            _square(axes, (place, row), section, column.get(system), shade.get(system))
    axes.set_xlim(-0.5, x[-1] + 0.5)
    axes.set_ylim(len(systems) - 0.5, -0.5)
    axes.set_xticks(x, labels=titles, rotation=45, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(systems)), labels=names)
    bare(axes)
    for place, section in zip(x[counted:], ordered[counted:], strict=True):
        axes.text(place, len(systems) - 0.4, _apart(section), ha="center", va="top", fontsize=6.5)
    return figure


def _interval(axes: Axes, row: int, place: Place) -> None:
    cell = place.row.cell
    metric = find(cell.task.metrics[0])
    at_right = axes.get_yaxis_transform()
    if not place.row.scores:
        done = f"{len(cell.completed)}/{len(cell.units)} units"
        axes.text(0.01, row, done, transform=at_right, va="center", fontsize=SMALL, color=GREY)
        return
    factor = 100 if metric.percent else 1
    score, ends = place.row.scores[metric.name].mean, place.row.intervals[metric.name]
    text = f"{cell.name}: {measured(score, metric.percent)}"
    if ends is not None:
        text += f" {interval(ends.low, ends.high, metric.percent)}"
        axes.plot([factor * ends.low, factor * ends.high], [row, row], color=BLUE, linewidth=1.3)
    axes.plot([factor * score], [row], "o", color=BLUE, markersize=4.5, gid=tip(text, cell.name))
    texts = ((measured(score, metric.percent), 8, "normal"), (place.letters, 40, "bold"))
    for words, right, weight in texts:
        axes.annotate(
            words, (1, row), xycoords=at_right, xytext=(right, 0), textcoords="offset points",
            va="center", fontsize=SMALL, fontweight=weight, annotation_clip=False,
        )  # fmt: skip


def _scores(section: Section) -> dict[System, tuple[float, bool]]:
    """The score of each complete system, and whether it is contaminated."""
    metric = section.task.metrics[0]
    return {
        (place.row.cell.upstream.name, place.row.cell.downstream.name): (
            place.row.scores[metric].mean,
            bool(place.row.cell.contaminated),
        )
        for group in section.groups
        for place in group.places
        if place.row.scores
    }


def _shades(section: Section, scores: dict[System, tuple[float, bool]]) -> dict[System, float]:
    """From 0 for the worst of a column to 1 for the best; 1/2 where all are equal."""
    sign = 1 if find(section.task.metrics[0]).higher_is_better else -1
    values = {system: sign * score for system, (score, _) in scores.items()}
    low, high = min(values.values(), default=0.0), max(values.values(), default=0.0)
    return {system: (value - low) / (high - low) if high > low else 0.5 for system, value in values.items()}


def _in_order(sections: Sequence[Section], shades: Sequence[dict[System, float]]) -> list[System]:
    """By the mean shade over the tasks that count, the best first; then those that have none, by name."""
    counted = [shade for one, shade in zip(sections, shades, strict=True) if counts(one.task)]
    everybody = {
        (place.row.cell.upstream.name, place.row.cell.downstream.name)
        for section in sections
        for group in section.groups
        for place in group.places
    }

    def key(system: System) -> tuple[float, System]:
        own = [shade[system] for shade in counted if system in shade]
        return (-float(np.round(np.mean(own), 9)) if own else 1.0, system)

    return sorted(everybody, key=key)


def _apart(section: Section) -> str:
    """Why a task does not count in mean ranks."""
    task = section.task
    reasons = {
        "speaker-\ndependent": not task.speaker_independent,
        "dev = test": task.dev_is_test,
        "synthetic": task.corpus.synthetic,
    }
    return "\n".join(reason for reason, holds in reasons.items() if holds)


def _square(
    axes: Axes, place: tuple[float, float], section: Section, score: tuple[float, bool] | None, shade: float | None
) -> None:
    from matplotlib.patches import Rectangle

    corner = (place[0] - 0.48, place[1] - 0.46)
    if score is None or shade is None:
        axes.add_patch(Rectangle(corner, 0.96, 0.92, facecolor="none", edgecolor=(GREY, 0.4), hatch="///", linewidth=0))
        return
    alpha = FAINTEST + (DARKEST - FAINTEST) * shade
    axes.add_patch(Rectangle(corner, 0.96, 0.92, facecolor=(BLUE, alpha), edgecolor="none"))
    text = measured(score[0], find(section.task.metrics[0]).percent) + ("*" if score[1] else "")
    axes.text(*place, text, ha="center", va="center", fontsize=SMALL)
