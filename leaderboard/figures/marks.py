"""Marks whose area says how many utterances they are of, and what marks mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from leaderboard.figures.canvas import tip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Look = tuple[str, str]  # marker and colour
FILLED = 0.65  # opacity


def area_of(number: float, most: float, ends: tuple[float, float]) -> float:
    """The area of a mark, in square points: `ends` are those of none and of the most."""
    return float(np.interp(number / most, (0, 1), ends))


def mark(axes: Axes, place: tuple[float, float], area: float, look: Look, told: str) -> None:
    """A mark that may lie over the edge of its axes, and says what it is to who points at it."""
    marker, colour = look
    axes.scatter(
        [place[0]],
        [place[1]],
        s=area,
        marker=marker,
        facecolor=(colour, FILLED),
        edgecolor=colour,
        linewidth=0.8,
        clip_on=False,
        in_layout=False,
        gid=tip(told),
    )


def key_below(figure: Figure, looks: Sequence[tuple[Look, str]], *, joined: bool) -> None:
    """What marks mean, below a figure; `joined` is whether lines join them."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="-" if joined else "", marker=marker, color=colour, label=label)
        for (marker, colour), label in looks
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=4)
