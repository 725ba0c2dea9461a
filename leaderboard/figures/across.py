"""Systems compared over several tasks: the critical-difference diagram."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError, MissingError
from benchmark.statistics.tasks import MIN_CORPORA, MIN_SYSTEMS
from benchmark.text import decimal, p_text
from leaderboard.figures.canvas import BLUE, GREY, INK, INSTALL, blank, drawn, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

    from benchmark.statistics.tasks import Across


@drawn
def critical_difference(across: Across | None, *, track: str = "") -> Figure:
    """Mean ranks over corpora; bars join systems that Nemenyi's test cannot tell apart at 5 %.

    Source: Demšar (2006), "Statistical comparisons of classifiers over multiple data sets", Journal of Machine Learning
    Research 7; drawn by scikit-posthocs.

    Args:
        across: Systems that are all on the same tasks, each corpus one number, as `benchmark.statistics.tasks`
            compares them.
        track: In which race they run; part of the title.

    Raises:
        BenchError: It is None, because fewer than 3 systems are on common tasks of 5 corpora.
        MissingError: scikit-posthocs is not installed.
    """
    if across is None:
        raise BenchError(
            "too little to compare over tasks",
            f"it needs at least {MIN_SYSTEMS} systems that are complete on the same tasks of {MIN_CORPORA} corpora",
        )
    systems, corpora = across.systems, across.corpora
    try:
        import pandas as pd

        posthocs = importlib.import_module("scikit_posthocs")
    except ImportError as error:
        raise MissingError(f"this figure needs scikit-posthocs, which cannot be loaded: {error}", INSTALL) from error
    figure = blank(
        1.15 + 0.2 * len(systems),
        f"Mean ranks over {len(corpora)} corpora" + (f", {track}" if track else ""),
        "1 is the best. Bars join systems whose mean ranks differ by less than the critical difference of Nemenyi's "
        f"test at 5 %, {decimal(across.critical_distance, 2)}. Friedman: {p_text(across.friedman_p)}. "
        f"Corpora: {', '.join(shown(corpus, 24) for corpus in corpora)}.",
        width=7.2,
    )
    axes = figure.add_subplot()
    span = len(systems) - 1
    numbers = range(len(systems))  # names may be equal, or hold what a format string would take for its own
    made = posthocs.critical_difference_diagram(
        dict(zip(numbers, across.mean_ranks, strict=True)),
        pd.DataFrame(np.asarray(across.p_nemenyi, dtype=np.float64), index=numbers, columns=numbers),
        ax=axes,
        label_fmt_left="{label}",
        label_fmt_right="{label}",
        label_props={"fontsize": 8},
        elbow_props={"color": INK, "linewidth": 0.7},
        marker_props={"color": BLUE, "s": 14},
        crossbar_props={"color": BLUE, "linewidth": 2.5},
        text_h_margin=0.015 * span,
    )
    for label in made["labels"]:
        system = int(label.get_text())
        rank, name = decimal(across.mean_ranks[system], 2), shown(systems[system], 30)
        label.set_text(f"{name} ({rank})" if label.get_horizontalalignment() == "right" else f"({rank}) {name}")
    axes.spines["top"].set_visible(True)
    axes.set_xticks(range(1, len(systems) + 1, 1 + span // 15))
    axes.set_xlim(1, len(systems))
    _distance(axes, across.critical_distance, span)
    return figure


def _distance(axes: Axes, distance: float, span: int) -> None:
    """The critical difference as a bar above the axis, where it is not longer than that."""
    from matplotlib.transforms import offset_copy

    def raised(points: float) -> Transform:
        return offset_copy(axes.transData, fig=axes.get_figure(root=True), y=points, units="points")

    words = "critical difference"
    if distance <= span:
        axes.plot([1, 1 + distance], [0, 0], "|-", color=GREY, linewidth=1.5, transform=raised(28), clip_on=False)
    else:
        words += " (longer than the axis)"
    axes.text(1, 0, words, va="bottom", fontsize=7, transform=raised(32))
