"""What becomes of each class: confusion matrices and recalls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.records.parts import of_class
from benchmark.statistics import cell_interval, cell_scores
from benchmark.sufficient import CONFUSION_COUNTS
from benchmark.text import count, interval, measured
from leaderboard.figures.canvas import (
    BLUE,
    DARKEST,
    GREY,
    SMALL,
    bare,
    blank,
    drawn,
    name_rows,
    percent,
    shown,
    tip,
)
from leaderboard.figures.parts import of_one_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_CLASSES = 60  # more could not be read
ACROSS = 4  # panels beside each other


@drawn
def confusion(cell: Cell) -> Figure:
    """The confusion matrix of a system: the share of each true class, and the decisions that were counted.

    The decisions of all folds and seeds are added up; classes stand in the order of the task.

    Args:
        cell: A complete cell of a classification task.

    Raises:
        BenchError: It is not, or it has more than 60 classes.
    """
    of_one_task([cell], CONFUSION_COUNTS)
    _few_enough(cell)
    counts = cell.statistics().sum(axis=(0, 1, 2))
    classes = [shown(name, 18) for name in cell.task.outputs]
    size = len(classes)
    side = max(2.4, 0.62 * size)
    figure = blank(
        side + 0.75,
        f"{shown(cell.name)} on {shown(cell.task.name)}",
        "Share of each true class in %, and decisions counted: "
        f"{count(len(cell.task.folds), 'fold')}, {count(len(cell.seeds), 'seed')}, all added up.",
        width=max(4.2, side * 1.12 + 1.5),
    )
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    for row, total in enumerate(counts.sum(axis=1)):
        for column in range(size):
            _cell_of_matrix(axes, row, column, counts[row, column], total)
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.set_xticks(range(size), labels=classes, rotation=0 if _fit(classes, side / size) else 90)
    axes.set_yticks(range(size), labels=classes)
    axes.set_xlabel("decision")
    axes.set_ylabel("truth")
    bare(axes)
    return figure


@drawn
def recalls(cells: Sequence[Cell]) -> Figure:
    """The recall of each class for several systems, each with its 95 % interval over speakers and seeds.

    The recall is that of the counts of all folds together, the mean over seeds; the interval is that of
    `benchmark.statistics` for the utterances of the class, over the speakers who have any.

    Args:
        cells: Complete cells of one classification task, in the order in which they are to stand.

    Raises:
        BenchError: They are not, or there are more than 60 classes.
    """
    of_one_task(cells, CONFUSION_COUNTS)
    _few_enough(cells[0])
    task = cells[0].task
    across = min(ACROSS, len(task.outputs))
    down = -(-len(task.outputs) // across)
    notes = [
        "Recall in %, with its 95 % interval for new speakers and seeds (none for a single speaker). Dotted: guessing."
    ]
    if task.pool == "folds":
        notes.append("The counts of all folds are added up here; the UAR of this task is the mean over folds.")
    figure = blank(
        down * (0.55 + 0.19 * len(cells)) + 0.15, f"Recall of each class on {shown(task.name)}", *notes, width=7.2
    )
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in panels[len(task.outputs) :]:
        axes.set_visible(False)
    for axes, label in zip(panels, task.outputs, strict=False):
        for row, cell in enumerate(cells):
            _recall(axes, row, cell, label)
        axes.axvline(100 / len(task.outputs), color=GREY, linewidth=0.9, linestyle=":")
        axes.set_title(shown(label, 22))
        axes.set_xlim(-3, 103)
        axes.set_xticks([0, 25, 50, 75, 100])
        axes.tick_params(labelbottom=True)
    name_rows(panels[0], [shown(cell.name, 32) for cell in cells])
    for axes in panels[1:]:
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    return figure


def _cell_of_matrix(axes: Axes, row: int, column: int, decisions: float, total: float) -> None:
    from matplotlib.patches import Rectangle

    share = decisions / total if total else 0.0
    place = (column - 0.48, row - 0.48)
    if total:
        axes.add_patch(Rectangle(place, 0.96, 0.96, facecolor=(BLUE, share * DARKEST), edgecolor="none"))
        axes.text(column, row - 0.1, percent(share), ha="center", va="center", fontsize=9)
        axes.text(column, row + 0.24, f"{decisions:.0f}", ha="center", va="center", fontsize=6.5)
    else:
        axes.add_patch(Rectangle(place, 0.96, 0.96, facecolor="none", hatch="////", linewidth=0))


def _recall(axes: Axes, row: int, cell: Cell, label: str) -> None:
    part = of_class(cell, label)
    if not part.complete:
        axes.text(50, row, "not tested", ha="center", va="center", fontsize=SMALL)
        return
    recall, ends = cell_scores(part, "wa").mean, cell_interval(part, "wa")
    text = f"{cell.name}, {label}: {measured(recall, True)}"
    if ends is not None:
        text += f" {interval(ends.low, ends.high, True)}, {ends.n_clusters} {ends.cluster}s"
        axes.plot(100 * np.array([ends.low, ends.high]), [row, row], color=BLUE, linewidth=1.2)
    axes.plot([100 * recall], [row], "o", color=BLUE, markersize=4, gid=tip(text, cell.name))


def _few_enough(cell: Cell) -> None:
    if len(cell.task.outputs) > MAX_CLASSES:
        raise BenchError(
            f"{cell.task.name} has {len(cell.task.outputs)} classes", f"a figure shows {MAX_CLASSES} at most"
        )


def _fit(labels: Sequence[str], inches: float) -> bool:
    """Whether labels of 8 points fit beside each other."""
    return max(map(len, labels)) * 0.075 < inches
