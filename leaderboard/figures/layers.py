"""Which layers a head listens to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from benchmark.analyses.weights import layer_weights as layer_weights_of
from benchmark.records.cells import Cell
from benchmark.text import count, decimal
from leaderboard.figures.canvas import GREY, LINES, MARKERS, PALETTE, blank, drawn, made_by, shown, tip
from leaderboard.figures.parts import of_one_task

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@drawn
def layer_weights(cells: Sequence[Cell], command: str | None = None) -> Figure:
    """The weights of layers, which sum to 1, the mean over folds; the bars are the standard deviation over seeds.

    Args:
        cells: Complete cells of one task, all with weights: see `benchmark.analyses.layer_weights`.
        command: What made it, where that is to stand in it.

    Raises:
        BenchError: They are not, or one has no weights.
    """
    of_one_task(cells)
    weights = [layer_weights_of(cell) for cell in cells]
    task = cells[0].task
    figure = blank(
        3.0 + 0.1 * len(cells),
        f"Weights of layers on {shown(task.name)}",
        f"Weights that sum to 1, mean over {count(len(task.folds), 'fold')} and seeds; bars: standard deviation over "
        "seeds of that mean. Layer 0 is the first that the upstream returns.",
        *([] if command is None else [made_by(command)]),
    )
    axes = figure.add_subplot()
    colours, markers = cycle(PALETTE[:4]), cycle(MARKERS)
    for index, (cell, values) in enumerate(zip(cells, weights, strict=True)):
        mean, layers = values.mean(axis=0), np.arange(values.shape[1])
        sd = values.std(axis=0, ddof=1) if len(values) > 1 else None
        shift = 0.08 * (index - (len(cells) - 1) / 2)  # so that bars do not hide each other
        axes.errorbar(
            layers + np.clip(shift, -0.4, 0.4),
            mean,
            yerr=sd,
            color=next(colours),
            marker=next(markers),
            linestyle=LINES[index // 4 % len(LINES)],
            markersize=5,
            linewidth=1.2,
            capsize=3,
            label=f"{shown(cell.name)} ({count(len(values), 'seed')})",
            gid=tip(cell.name, cell.name),
        )
    for number in sorted({values.shape[1] for values in weights}):
        label = f"all {number} layers alike: {decimal(1 / number, 3)}"
        axes.axhline(1 / number, color=GREY, linewidth=0.9, linestyle=(0, (2, 2)), label=label)
    longest = max(values.shape[1] for values in weights)
    axes.set_xticks(range(0, longest, 1 if longest <= 26 else 4))
    tops = [(one.mean(axis=0) + (one.std(axis=0, ddof=1) if len(one) > 1 else 0.0)).max() for one in weights]
    axes.set_ylim(0, 1.08 * max(tops))
    axes.set_xlim(-0.6, longest - 0.4)
    axes.set_xlabel("layer")
    axes.set_ylabel("weight")
    figure.legend(loc="outside lower left", ncols=2)
    return figure
