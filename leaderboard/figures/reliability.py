"""How often systems are right where they are that sure: reliability diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.records.parts import of_probabilities
from benchmark.statistics import cell_scores
from benchmark.sufficient import CALIBRATION, CONFUSION_COUNTS
from benchmark.text import count, decimal
from leaderboard.figures.canvas import BLUE, GREY, INK, VERMILION, blank, drawn, percent, shown
from leaderboard.figures.marks import Look, area_of, key_below, mark
from leaderboard.figures.parts import of_one_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 60  # systems
FEW = 9  # systems with large panels: more fit a page in small ones
LARGE, SMALL = (3, 2.35), (5, 1.75)  # panels beside each other, and the side of one in inches
JOINED = 0.01  # share of all decisions: bins with fewer tell little, and no line goes through them
AREA = (6.0, 70.0)  # of a marker, in square points: of few utterances, and of the most
# Before the temperature and after it: marker and colour.
LOOKS = {False: ("o", BLUE), True: ("s", VERMILION)}
STATES = {False: "as the head gives them", True: "after the temperature"}


def has_probabilities(cell: Cell) -> bool:
    """Whether a complete cell has what is drawn of it."""
    return cell.complete and cell.task.kind == "classification" and of_probabilities(cell, after=False) is not None


@drawn
def reliability(cells: Sequence[Cell]) -> Figure:
    """The share of right decisions among those of each bin of confidence, one panel for each system.

    What is believed rightly lies on the diagonal; below it a head is too sure. Decisions of all folds, seeds and
    speakers are added up; the ECE above is that of the board, a mean over seeds, and over folds of some tasks.

    Args:
        cells: Complete cells of one classification task, in the order in which they are to stand.

    Raises:
        BenchError: They are not, there are more than 60, or one has no sums of probabilities.
    """
    of_one_task(cells, CONFUSION_COUNTS)
    lacking = [cell.name for cell in cells if not has_probabilities(cell)]
    if lacking:
        raise BenchError(
            f"no sums of probabilities: {', '.join(lacking)}", "heads such as svm give none; older records have none"
        )
    if len(cells) > MOST:
        raise BenchError(f"{count(len(cells), 'system')} are to be drawn", f"a figure shows {MOST} at most")
    task = cells[0].task
    most, side = LARGE if len(cells) <= FEW else SMALL
    across = min(most, len(cells))
    down = -(-len(cells) // across)
    chance = 1 / len(task.outputs)
    figure = blank(
        down * (side + 0.7) + 0.5,
        f"How often systems are right where they are that sure, on {shown(task.name)}",
        "Share of right decisions by confidence, both in %; on the diagonal a head can be believed, below it is too "
        f"sure. {CALIBRATION.BINS} bins; area: decisions of all folds and seeds; no line goes through bins that have "
        f"less than {100 * JOINED:.0f} % of them. ECE and NLL: mean over seeds.",
        f"Dotted: chance, 1 of {len(task.outputs)}.",
        width=max(3.6, across * (side + 0.2) + 0.4),
        gap=0.09,  # a title lies clear of the numbers above it
    )
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in panels[len(cells) :]:
        axes.set_visible(False)
    for axes, cell in zip(panels, cells, strict=False):
        _panel(axes, cell, chance)
    for axes in panels[::across]:
        axes.set_ylabel("right")
    for axes in panels[max(0, len(cells) - across) : len(cells)]:
        axes.set_xlabel("confidence")
    scaled = any(of_probabilities(cell, after=True) is not None for cell in cells)
    key_below(figure, [(LOOKS[after], STATES[after]) for after in LOOKS if scaled or not after], joined=True)
    return figure


def _panel(axes: Axes, cell: Cell, chance: float) -> None:
    axes.plot([0, 100], [0, 100], color=INK, linewidth=0.8)
    axes.axhline(100 * chance, color=GREY, linewidth=0.8, linestyle=":")
    told = []
    for after, look in LOOKS.items():
        part = of_probabilities(cell, after=after)
        if part is None:
            continue
        ece, nll = (cell_scores(part, name).mean for name in ("ece", "nll"))
        told.append(f"{'after: ' if after else ''}ECE {percent(ece)}, NLL {decimal(nll, 2)}")
        sums = part.statistics().sum(axis=(0, 1, 2))[:, : CALIBRATION.BINS]
        _points(axes, cell, sums, look)
    axes.set_title("\n".join([shown(cell.name, 34), *told]), fontsize=8)
    axes.set_xlim(0, 103)
    axes.set_ylim(-3, 103)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.tick_params(labelbottom=True)
    axes.set_aspect("equal")
    axes.grid()
    axes.set_axisbelow(True)


def _points(axes: Axes, cell: Cell, sums: NDArray[np.float64], look: Look) -> None:
    """The bins (3, 15) that have decisions; a line joins those that have some share of all."""
    n, right, confidence = sums[:, sums[0] > 0]
    x, y = 100 * confidence / CALIBRATION.MILLIONTHS / n, 100 * right / n
    enough = n >= JOINED * n.sum()
    axes.plot(x[enough], y[enough], color=look[1], linewidth=0.9)
    for place, number in enumerate(n):
        told = f"{cell.name}: {x[place]:.1f} % sure, {y[place]:.1f} % right, {count(int(number), 'decision')}"
        mark(axes, (x[place], y[place]), area_of(number, n.max(), AREA), look, told)
