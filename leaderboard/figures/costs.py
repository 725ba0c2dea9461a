"""Performance against what it costs: parameters, and time to encode."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError
from benchmark.metrics import find
from benchmark.records.cells import Cell
from benchmark.text import clean, human, measured, some
from leaderboard.figures.canvas import BLUE, GREY, VERMILION, blank, drawn, shown, tip
from leaderboard.remarks import heading
from leaderboard.rows import encode_s_per_hour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from leaderboard.rows import Section

# By the groups of the board.
MARKS = {"fixed": "o", "open head": "s", "fine-tuned": "^", "contaminated": "X"}
ZERO = "0"
LINE = 0.135  # inches
KEY_WIDTH = 50  # letters


@dataclass(frozen=True)
class Point:
    """A system in a panel.

    Attributes:
        name: As it is shown.
        group: The group of the board that it is ranked in.
        cost: At least 0.
        score: Of the primary metric.
        low: Lower end of its interval; None for a single speaker.
        high: Its upper end.
    """

    name: str
    group: str
    cost: float
    score: float
    low: float | None
    high: float | None


def parameters_of(cell: Cell) -> float | None:
    """Weights of the upstream; 0 for features by hand."""
    return None if cell.upstream.parameters is None else float(cell.upstream.parameters)


def front(points: Sequence[Point], *, higher_is_better: bool = True) -> tuple[Point, ...]:
    """The systems that none beats at their cost or below: Pareto's front, from cheap to dear.

    What is contaminated is not on it. Of equals at equal cost the first by name is.
    """
    sign = -1 if higher_is_better else 1
    found: list[Point] = []
    for point in sorted(points, key=lambda one: (one.cost, sign * one.score, one.name)):
        if point.group != "contaminated" and (not found or sign * point.score < sign * found[-1].score):
            found.append(point)
    return tuple(found)


@drawn
def pareto(sections: Sequence[Section]) -> Figure:
    """The primary metric against parameters and against encoding time, two panels for each task.

    Tasks are not averaged: their scores have different scales, and systems are not on the same tasks.

    Args:
        sections: The tasks of the board.

    Raises:
        BenchError: No system is complete.
    """
    shown_sections = [section for section in sections if section.analysis.cells]
    if not shown_sections:
        raise BenchError("no system is complete on any task", "bench run completes them")
    heights = [2.2 + LINE * max(len(_key(section, cost)) for cost, _, _ in COSTS) for section in shown_sections]
    figure = blank(
        0.35 + sum(heights),
        "Performance against cost",
        "Line: the front, systems that none beats at their cost or below; they are numbered, and named below. Bars: "
        "95 % intervals for new speakers and seeds, so that what seems to lead may not.",
        f"Encoding: seconds for an hour of audio, once, as recorded ({_devices(shown_sections)}); "
        "times of different machines cannot be compared. Logarithmic, with a place for 0.",
        *_unknown(shown_sections),
        width=7.2,
    )
    panels = figure.subplots(len(shown_sections), 2, squeeze=False, sharey="row", height_ratios=heights)
    for row, section in zip(panels, shown_sections, strict=True):
        metric = find(section.task.metrics[0])
        for axes, (cost, written, label) in zip(row, COSTS, strict=True):
            _panel(axes, section, _points(section, cost), written)
            axes.set_xlabel(label)
            axes.annotate(
                "\n".join(_key(section, cost)), (0, 0), xycoords="axes fraction", xytext=(0, -36),
                textcoords="offset points", va="top", fontsize=7,
            )  # fmt: skip
        row[0].set_ylabel(metric.title + (" in %" if metric.percent else ""))
        row[0].set_title(shown(heading(section.task)), loc="left", fontweight="bold")
    _legend(
        figure, sorted({group.name for section in shown_sections for group in section.groups}, key=list(MARKS).index)
    )
    return figure


def human_count(value: float) -> str:
    """A number of parameters on an axis: "1 M"."""
    return human(round(value)).replace(".0", "")


def _panel(axes: Axes, section: Section, points: Sequence[Point], written: Callable[[float], str]) -> None:
    metric = find(section.task.metrics[0])
    if not points:
        axes.text(0.5, 0.5, "not known", transform=axes.transAxes, ha="center", va="center", color=GREY)
        axes.set_xticks([])
        return
    places = _places(points, _axis(axes, [point.cost for point in points], written))
    best = front(points, higher_is_better=metric.higher_is_better)
    factor = 100 if metric.percent else 1
    for point in points:
        of_front, x = point in best, places[point]
        colour = BLUE if of_front else GREY
        if point.low is not None and point.high is not None:
            axes.plot([x, x], [factor * point.low, factor * point.high], color=colour, alpha=0.6, linewidth=1)
        axes.plot(
            [x],
            [factor * point.score],
            marker=MARKS[point.group],
            color=colour,
            markersize=5.5 if of_front else 4.5,
            linestyle="",
            alpha=1 if of_front else 0.75,
            gid=tip(f"{point.name}: {measured(point.score, metric.percent)}, {written(point.cost)}"),
        )
    steps = [(places[point], factor * point.score) for point in best]
    axes.plot(*zip(*steps, strict=True), color=VERMILION, linewidth=1.1, drawstyle="steps-post", label="front")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    for number, place in enumerate(steps, start=1):
        above = number % 2 == 1  # neighbours do not hide each other
        axes.annotate(
            str(number), place, xytext=(-5, 5 if above else -5), textcoords="offset points",
            ha="right", va="bottom" if above else "top", fontsize=8, fontweight="bold",
        )  # fmt: skip


def _places(points: Sequence[Point], place: Callable[[float], float]) -> dict[Point, float]:
    """Where points stand, those of equal cost a little beside each other, the best in the middle."""
    span = max(1.0, np.ptp([place(point.cost) for point in points]))
    places = {}
    for cost in sorted({point.cost for point in points}):
        equal = sorted((point for point in points if point.cost == cost), key=lambda one: (-one.score, one.name))
        step = span * min(0.014, 0.12 / len(equal))
        for index, point in enumerate(equal):
            places[point] = place(cost) + step * (-1) ** index * ((index + 1) // 2)
    return places


def _points(section: Section, cost: Callable[[Cell], float | None]) -> list[Point]:
    metric, found = section.task.metrics[0], []
    for group in section.groups:
        for place in group.places:
            value = cost(place.row.cell)
            if not place.row.scores or value is None:
                continue
            ends = place.row.intervals[metric]
            low, high = (None, None) if ends is None else (ends.low, ends.high)
            found.append(Point(place.row.cell.name, group.name, value, place.row.scores[metric].mean, low, high))
    return found


def _axis(axes: Axes, costs: Sequence[float], written: Callable[[float], str]) -> Callable[[float], float]:
    """A logarithmic axis by hand, with a place for 0 left of all else; returns where a cost stands on it."""
    positive = [cost for cost in costs if cost > 0]
    first = int(np.floor(np.log10(min(positive)))) if positive else 0
    last = max(int(np.ceil(np.log10(max(positive)))), first + 1) if positive else 0
    step = max(1, -(-(last - first) // 4))
    ticks = [float(tick) for tick in range(first, last + 1, step)] if positive else []
    labels = [written(10**tick) for tick in ticks]
    gap = 0.35 * max(1, last - first)
    zero = first - gap
    if len(positive) < len(costs):
        ticks, labels = [zero, *ticks], [ZERO, *labels]
        if positive:
            axes.axvline(first - gap / 2, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_xticks(ticks, labels=labels)
    edge = 0.12 * max(1, last - first)
    axes.set_xlim(min(ticks) - edge, max(ticks[-1], last) + edge)
    return lambda cost: float(np.log10(cost)) if cost > 0 else zero


def _seconds(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _key(section: Section, cost: Callable[[Cell], float | None]) -> list[str]:
    """The numbered systems of the front, in lines that fit below a panel."""
    higher = find(section.task.metrics[0]).higher_is_better
    best = front(_points(section, cost), higher_is_better=higher)
    names = (f"{number}\u00a0{shown(point.name, 32)}" for number, point in enumerate(best, start=1))
    return textwrap.wrap(",  ".join(name.replace(" ", "\u00a0") for name in names), KEY_WIDTH, break_on_hyphens=False)


# What a system costs, how that is written, and what the axis says.
COSTS: tuple[tuple[Callable[[Cell], float | None], Callable[[float], str], str], ...] = (
    (parameters_of, human_count, "parameters of the upstream"),
    (encode_s_per_hour, _seconds, "encoding [s for 1 h of audio]"),
)


def _devices(sections: Sequence[Section]) -> str:
    """Where encoding was done, as the records say: "encode cpu, fit cpu" -> "cpu"."""
    found = {
        record.cost.device.removeprefix("encode ").partition(",")[0]
        for section in sections
        for cell in section.analysis.cells
        for record in cell.records.values()
    }
    return some([shown(device, 16) for device in sorted(found)], 4)


def _unknown(sections: Sequence[Section]) -> list[str]:
    """Who is missing in a panel, and why."""
    notes = []
    for what, cost in (("number of parameters", parameters_of), ("encoding time", encode_s_per_hour)):
        names = sorted(
            {clean(cell.name) for section in sections for cell in section.analysis.cells if cost(cell) is None}
        )
        if names:
            notes.append(f"Not shown, {what} not known: {some([shown(name) for name in names], 4)}.")
    return notes


def _legend(figure: Figure, groups: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linestyle="", marker=MARKS[name], color=GREY, label=name) for name in groups]
    handles.append(Line2D([], [], color=VERMILION, label="front"))
    figure.legend(handles=handles, loc="outside lower left", ncols=len(handles))
