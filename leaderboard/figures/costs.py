"""Performance against what it costs: parameters, and time to encode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError
from benchmark.metrics import find
from benchmark.records.cells import Cell
from benchmark.text import clean, human, measured, some
from leaderboard.chance import chance_level
from leaderboard.figures.canvas import BLUE, GREY, VERMILION, blank, drawn, shown, tip
from leaderboard.languages import in_order
from leaderboard.remarks import heading
from leaderboard.rows import encode_s_per_hour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from leaderboard.rows import Section

# By the groups of the board.
MARKS = {"fixed": "o", "open head": "s", "fine-tuned": "^", "contaminated": "X"}
ZERO = "none"
HEIGHT = 2.5  # inches of a task
NAMES, NAMED = 0.4, 26  # of an axis is free at its left for names, of so many letters
LETTERS = 6.2  # points of the names of a front


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
    """The primary metric against the time to encode and against parameters, two panels for each task.

    Tasks are not averaged: their scores have different scales, and systems are not on the same tasks. Controls are left
    out: what they score stands as a line, where it is known.

    Args:
        sections: The tasks of the board.

    Raises:
        BenchError: No system is complete.
    """
    shown_sections = in_order([one for one in sections if any(not cell.control for cell in one.analysis.cells)])
    if not shown_sections:
        raise BenchError("no system is complete on any task", "bench run completes them")
    names = [shown(heading(section.task)) for section in shown_sections]
    of = f" on {names[0]}" if len(names) == 1 else ""
    figure = blank(
        0.35 + HEIGHT * len(shown_sections),
        f"Score against cost{of}",
        "Line: the front, systems that none beats at their cost or below, with 95 % intervals for new speakers and "
        "seeds: what seems to lead may not. Dotted: guessing. Encoding as recorded, once "
        f"({_devices(shown_sections)}); times of different machines cannot be compared. Costs are logarithmic.",
        *_unknown(shown_sections),
        width=6.4,
    )
    panels = figure.subplots(len(shown_sections), 2, squeeze=False, sharey="row")
    for row, section, name in zip(panels, shown_sections, names, strict=True):
        metric = find(section.task.metrics[0])
        for axes, (cost, label) in zip(row, COSTS, strict=True):
            _panel(axes, section, _points(section, cost), label)
        row[0].set_ylabel(metric.title + (" in %" if metric.percent else ""))
        if not of:
            row[0].set_title(name, loc="left", fontweight="bold")
    _legend(
        figure, sorted({group.name for section in shown_sections for group in section.groups}, key=list(MARKS).index)
    )
    return figure


def human_count(value: float) -> str:
    """A number of parameters on an axis: "1 M"."""
    return human(round(value)).replace(".0", "")


def _panel(axes: Axes, section: Section, points: Sequence[Point], label: str) -> None:
    metric = find(section.task.metrics[0])
    axes.set_xlabel(label)
    if not points:
        axes.text(0.5, 0.5, "not known", transform=axes.transAxes, ha="center", va="center", color=GREY)
        axes.set_xticks([])
        return
    place = _axis(axes, [point.cost for point in points], seconds=label == SECONDS)
    best = front(points, higher_is_better=metric.higher_is_better)
    factor = 100 if metric.percent else 1
    level = chance_level(section.task)
    if level is not None:
        axes.axhline(factor * level, color=GREY, linewidth=0.9, linestyle=":")
    for point in sorted(points, key=lambda one: one in best):
        of_front, x = point in best, place(point.cost)
        if of_front and point.low is not None and point.high is not None:
            ends = [factor * point.low, factor * point.high]
            axes.plot([x, x], ends, color=BLUE, alpha=0.6, linewidth=1, gid=tip("", point.name))
        axes.plot(
            [x],
            [factor * point.score],
            marker=MARKS[point.group],
            color=BLUE if of_front else GREY,
            markersize=5.5 if of_front else 4,
            linestyle="",
            alpha=1 if of_front else 0.55,
            gid=tip(
                f"{point.name}: {measured(point.score, metric.percent)}, {_written(point.cost, label)}", point.name
            ),
        )
    steps = [(place(point.cost), factor * point.score) for point in best]
    axes.plot(*zip(*steps, strict=True), color=VERMILION, linewidth=1.1, drawstyle="steps-post", label="front")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    _name_front(axes, best, steps, higher=metric.higher_is_better)


def _name_front(axes: Axes, best: Sequence[Point], steps: Sequence[tuple[float, float]], *, higher: bool) -> None:
    """The names of a front, each left of its mark and away from the others: no system stands there."""
    low, high = axes.get_ylim()
    line = 1.25 * LETTERS / (72 * 0.62 * HEIGHT) * (high - low)
    sign = 1 if higher else -1
    last = -np.inf
    for point, (x, y) in zip(best, steps, strict=True):
        last = max(sign * y, last + line)
        axes.annotate(
            shown(point.name, NAMED), (x, sign * last), xytext=(-6, 0), textcoords="offset points", ha="right",
            va="center", fontsize=LETTERS, annotation_clip=False, gid=tip("", point.name),
        )  # fmt: skip
    axes.set_ylim(min(low, sign * last - line), max(high, sign * last + line))


def _points(section: Section, cost: Callable[[Cell], float | None]) -> list[Point]:
    metric, found = section.task.metrics[0], []
    for group in section.groups:
        for place in group.places:
            value = cost(place.row.cell)
            if not place.row.scores or value is None or place.row.cell.control:
                continue
            ends = place.row.intervals[metric]
            low, high = (None, None) if ends is None else (ends.low, ends.high)
            found.append(Point(place.row.cell.name, group.name, value, place.row.scores[metric].mean, low, high))
    return found


def _axis(axes: Axes, costs: Sequence[float], *, seconds: bool) -> Callable[[float], float]:
    """A logarithmic axis with a place for what costs nothing, left of all else; returns where a cost stands on it."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

    positive = [cost for cost in costs if cost > 0]
    first, last = (min(positive), max(positive)) if positive else (1.0, 1.0)
    first, last = first / 1.6, last * 1.6
    if last / first < 30:
        middle = (first * last) ** 0.5
        first, last = middle / 30**0.5, middle * 30**0.5
    span = np.log10(last / first)
    has_zero = len(positive) < len(costs)
    zero = first / 10 ** (0.12 * span)
    start = zero if has_zero else first
    axes.set_xscale("log")
    axes.set_xlim(start / 10 ** (NAMES / (1 - NAMES) * np.log10(last / start)), last)
    ticks = [tick for tick in LogLocator(base=10, subs=(1.0,)).tick_values(first, last) if first <= tick <= last]
    if len(ticks) < 2:
        several = LogLocator(base=10, subs=(1.0, 2.0, 5.0)).tick_values(first, last)
        ticks = [tick for tick in several if first <= tick <= last]
    labels = {float(tick): _seconds(tick) if seconds else human_count(tick) for tick in ticks if positive}
    minor = [
        tick
        for tick in LogLocator(base=10, subs=tuple(map(float, range(2, 10)))).tick_values(first, last)
        if first <= tick <= last
    ]
    if has_zero:
        labels[zero] = ZERO
        if positive:
            axes.axvline((zero * first) ** 0.5, color=GREY, linewidth=0.8, linestyle=(0, (1, 2)))
    axes.xaxis.set_major_locator(FixedLocator(sorted(labels)))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: next(text for at, text in labels.items() if np.isclose(at, value)))
    )
    axes.xaxis.set_minor_locator(FixedLocator(minor if positive else []))
    axes.xaxis.set_minor_formatter(NullFormatter())
    return lambda cost: cost if cost > 0 else zero


def _seconds(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _written(cost: float, label: str) -> str:
    return f"{_seconds(cost)} s for an hour" if label == SECONDS else f"{human_count(cost)} parameters"


# What a system costs, and what the axis says.
SECONDS = "encoding [s for 1 h of audio]"
COSTS: tuple[tuple[Callable[[Cell], float | None], str], ...] = (
    (encode_s_per_hour, SECONDS),
    (parameters_of, "parameters of the upstream"),
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
