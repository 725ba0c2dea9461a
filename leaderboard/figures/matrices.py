"""Matrices of two systems' decisions: where they agree, and where their confusions differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.text import decimal
from leaderboard.figures.canvas import (
    BLUE,
    DARKEST,
    GREY,
    INK,
    SMALL,
    VERMILION,
    bare,
    blank,
    drawn,
    made_by,
    name_rows,
    percent,
    shown,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmark.analyses import ConfusionShift, Mismatch, Ratio

SIDE = 0.62  # inches of a cell
LONGEST = 18  # letters of a class
INSIDE = 0.96  # of a cell is coloured


@drawn
def mismatch(found: Mismatch, command: str) -> Figure:
    """The agreement of two systems' decisions, and how often they part beside what two seeds of one give.

    Args:
        found: What was compared.
        command: What made it.
    """
    size = len(found.outputs)
    side = max(2.2, SIDE * size)
    figure = blank(
        side + 0.9,
        f"Decisions of {shown(found.a)} and {shown(found.b)} on {shown(found.task)}",
        f"Left: share of all tests in %, by the decisions of both; off the diagonal they part. Cohen's kappa "
        f"{decimal(found.kappa, 3)}. Right: share of tests that are decided differently, with its 95 % interval for "
        "new speakers.",
        made_by(command),
        width=max(6.4, side + 4.0),
    )
    matrix, bars = figure.subplots(1, 2, width_ratios=[side + 1.0, 2.6])
    shares = found.agreement / found.agreement.sum()
    names = [shown(name, LONGEST) for name in found.outputs]
    _frame(matrix, names, f"decision of B: {shown(found.b, 30)}", f"decision of A: {shown(found.a, 30)}")
    for row in range(size):
        for column in range(size):
            colour = BLUE if row == column else VERMILION
            strength = DARKEST * shares[row, column] / max(float(shares.max()), 1e-12)
            _filled(matrix, row, column, colour, strength, percent(shares[row, column]))
    rows = [("A and B", found.between), ("two seeds of A", found.within_a), ("two seeds of B", found.within_b)]
    known = [(name, one) for name, one in [*rows, ("beyond seeds", found.beyond)] if one is not None]
    for place, (_, one) in enumerate(known):
        _ends(bars, place, one)
    name_rows(bars, [name for name, _ in known])
    bars.set_xlabel("decided differently [%]")
    lowest = min(0.0, *(100 * (one.low if one.low is not None else one.value) for _, one in known))
    bars.set_xlim(left=lowest - 2)
    return figure


@drawn
def confusion_shift(found: ConfusionShift, command: str) -> Figure:
    """The difference of two confusion matrices, those that are significant framed.

    Args:
        found: What was compared.
        command: What made it.
    """
    size = len(found.outputs)
    side = max(2.4, SIDE * size)
    figure = blank(
        side * 0.92 + 0.75,
        f"Confusions of {shown(found.a)} less those of {shown(found.b)} on {shown(found.task)}",
        "Difference in percentage points of the share of a true class (row) that is decided for each class (column); "
        "blue: the first decides so more often, orange: less often.",
        f"Framed: significant at 5 %, Student's t over speakers, corrected by Holm for all {size * size}.",
        made_by(command),
        width=max(5.4, side * 1.12 + 1.5),
    )
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    names = [shown(name, LONGEST) for name in found.outputs]
    _frame(axes, names, "decision", "truth")
    values = np.array([[one.value for one in row] for row in found.shifts])
    largest = max(float(np.nanmax(np.abs(values), initial=0.0)), 1e-12)
    for row in range(size):
        for column in range(size):
            value = values[row, column]
            if np.isnan(value):
                _untested(axes, row, column)
                continue
            text = f"{'+' if round(100 * value, 1) > 0 else ''}{percent(value)}"
            colour = BLUE if value > 0 else VERMILION
            framed = found.is_shifted(row, column)
            _filled(axes, row, column, colour, DARKEST * abs(value) / largest, text, framed=framed)
    return figure


@drawn
def heat_maps(
    panels: dict[str, NDArray[np.float64]],
    command: str,
    *,
    title: str,
    note: str,
    across: str,
    down: str,
    largest: float | None = None,
) -> Figure:
    """Matrices of numbers between 0 and some largest one, beside each other, each with its numbers where they fit.

    Args:
        panels: (rows, columns) by the title of the panel; NaN is hatched.
        command: What made them.
        title: Above all.
        note: What is shown.
        across: What the columns are.
        down: What the rows are.
        largest: Stands for the strongest colour; the largest number where not given.
    """
    rows, columns = (max(values.shape[axis] for values in panels.values()) for axis in (0, 1))
    each = min(0.5, max(0.16, 5.2 / len(panels) / columns))
    figure = blank(
        each * rows + 0.95, title, note, made_by(command), width=max(4.8, (each * columns + 0.75) * len(panels) + 0.3)
    )
    for axes, (name, values) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        top = max(float(np.nanmax(values, initial=0.0)) if largest is None else largest, 1e-12)
        for row in range(values.shape[0]):
            for column in range(values.shape[1]):
                value = values[row, column]
                if np.isnan(value):
                    _untested(axes, row, column)
                    continue
                text = decimal(value, 2) if each >= 0.34 else ""
                _filled(axes, row, column, BLUE, DARKEST * min(1.0, max(0.0, value / top)), text, size=6.5)
        axes.set_title(name)
        axes.set_aspect("equal")
        axes.set_xlim(-0.5, values.shape[1] - 0.5)
        axes.set_ylim(-0.5, values.shape[0] - 0.5)  # the deepest layer on top, as in the papers
        axes.set_xticks(range(0, values.shape[1], 1 if values.shape[1] <= 13 else 4))
        axes.set_yticks(range(0, values.shape[0], 1 if values.shape[0] <= 13 else 4))
        axes.set_xlabel(across)
        axes.set_ylabel(down)
        bare(axes)
    return figure


def _frame(axes: Axes, names: list[str], across: str, down: str) -> None:
    size = len(names)
    axes.set_aspect("equal")
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    is_wide = max(map(len, names)) * 0.075 > SIDE
    axes.set_xticks(range(size), labels=names, rotation=90 if is_wide else 0)
    axes.set_yticks(range(size), labels=names)
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    bare(axes)


def _filled(
    axes: Axes,
    row: int,
    column: int,
    colour: str,
    strength: float,
    text: str,
    *,
    framed: bool = False,
    size: float = 8.5,
) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    place = (column - INSIDE / 2, row - INSIDE / 2)
    face = (*to_rgba(colour)[:3], strength)
    edge, width = (INK, 1.6) if framed else ("none", 0.0)
    axes.add_patch(Rectangle(place, INSIDE, INSIDE, facecolor=face, edgecolor=edge, linewidth=width))
    axes.text(column, row, text, ha="center", va="center", fontsize=size, fontweight="bold" if framed else "normal")


def _untested(axes: Axes, row: int, column: int) -> None:
    from matplotlib.patches import Rectangle

    place = (column - INSIDE / 2, row - INSIDE / 2)
    axes.add_patch(Rectangle(place, INSIDE, INSIDE, facecolor="none", hatch="////", linewidth=0))


def _ends(axes: Axes, place: int, one: Ratio) -> None:
    if one.low is not None and one.high is not None:
        axes.plot([100 * one.low, 100 * one.high], [place, place], color=BLUE, linewidth=1.4)
    axes.plot([100 * one.value], [place], "o", color=BLUE, markersize=5)
    axes.annotate(
        percent(one.value), (100 * one.value, place), xytext=(0, 6), textcoords="offset points",
        ha="center", fontsize=SMALL, color=GREY if one.low is None else None,
    )  # fmt: skip
