"""Which layers a head listens to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.text import clean, count, decimal
from leaderboard.figures.canvas import GREY, LINES, MARKERS, PALETTE, blank, drawn, shown, tip
from leaderboard.figures.parts import of_one_task

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def weights_of(cell: Cell) -> NDArray[np.float64]:
    """The learnt weight of each layer: (seeds, layers), the mean over folds; each row sums to one.

    Raises:
        BenchError: There is one layer only, or the head learns no weights; the message says which.
    """
    name = clean(cell.name)
    if cell.upstream.layers == 1:
        raise BenchError(f"no layer weights of {name}: {clean(cell.upstream.name)} has one layer")
    found = []
    for seed in cell.seeds:
        for fold in cell.task.folds:
            selection = cell.records[fold, seed].selection
            if selection is None or selection.layer_weights is None:
                raise BenchError(f"no layer weights of {name}: {clean(cell.downstream.name)} learns none")
            found.append(selection.layer_weights)
    lengths = sorted({len(weights) for weights in found})
    if len(lengths) > 1:
        raise BenchError(f"the units of {name} have weights of {', '.join(map(str, lengths))} layers")
    weights = np.array(found, dtype=np.float64).reshape(len(cell.seeds), len(cell.task.folds), -1)
    return np.asarray(weights.mean(axis=1))


@drawn
def layer_weights(cells: Sequence[Cell]) -> Figure:
    """The weights of layers (after softmax), the mean over folds; the bars are the standard deviation over seeds.

    Args:
        cells: Complete cells of one task, all with weights: see `weights_of`.

    Raises:
        BenchError: They are not, or one has no weights.
    """
    of_one_task(cells)
    weights = [weights_of(cell) for cell in cells]
    task = cells[0].task
    figure = blank(
        3.0 + 0.1 * len(cells),
        f"Weights of layers on {shown(task.name)}",
        f"Softmax weights, mean over {count(len(task.folds), 'fold')} and seeds; bars: standard deviation over seeds "
        "of that mean. Layer 0 is the first that the upstream returns.",
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
            gid=tip(cell.name),
        )
    for number in sorted({values.shape[1] for values in weights}):
        label = f"all {number} layers alike: {decimal(1 / number, 3)}"
        axes.axhline(1 / number, color=GREY, linewidth=0.9, linestyle=(0, (2, 2)), label=label)
    longest = max(values.shape[1] for values in weights)
    axes.set_xticks(range(0, longest, 1 if longest <= 26 else 4))
    axes.set_ylim(bottom=0)
    axes.set_xlim(-0.6, longest - 0.4)
    axes.set_xlabel("layer")
    axes.set_ylabel("weight")
    figure.legend(loc="outside lower left", ncols=2)
    return figure
