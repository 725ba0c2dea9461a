"""Predicted against true values of arousal, valence and dominance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.records.cells import Cell, Unit
from benchmark.records.parts import of_dimension
from benchmark.records.predictions import cell_predictions
from benchmark.statistics import cell_interval, cell_scores
from benchmark.sufficient import MOMENTS
from benchmark.text import count, interval, measured
from leaderboard.figures.canvas import BLUE, GREY, INK, VERMILION, blank, drawn, shown
from leaderboard.figures.parts import of_one_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
# True and predicted values of a unit's test utterances: (n, k, 2).
Predictions = Mapping[Unit, Array]
ACROSS = 3
MANY = 3000  # points beyond which they are counted in hexagons
TURN = np.linspace(0, 2 * np.pi, 121)


def read_predictions(folder: Path, cell: Cell) -> Predictions | None:
    """The local predictions of a cell, which lie beside its records and are never published.

    Args:
        folder: Of a `RecordStore`.
        cell: A complete cell of a regression task.

    Returns:
        Those of every unit; None where one has none.

    Raises:
        BenchError: A file cannot be read, or does not hold what its record counted.
    """
    found = cell_predictions(folder, cell)
    if found is None:
        return None
    return {unit: np.stack([one.truth, one.decided], axis=-1) for unit, one in found.items()}


@drawn
def predicted_true(cell: Cell, predictions: Predictions | None = None) -> Figure:
    """Predicted against true values, a panel for each dimension, with its CCC.

    The line is the regression of the prediction on the truth, the ellipse the standard deviation around the means
    (what lies in it has a Mahalanobis distance below one); both are those of all folds and seeds together.

    Args:
        cell: A complete cell of a regression task.
        predictions: Local ones, as `read_predictions` returns them: the utterances of the first seed become points,
            or counts in hexagons where there are more than 3000. Without them line and ellipse stand alone.

    Raises:
        BenchError: The cell is not such a one.
    """
    of_one_task([cell], MOMENTS)
    names = cell.task.outputs
    across = min(ACROSS, len(names))
    down = -(-len(names) // across)
    side = 2.45
    figure = blank(
        (side + 0.7) * down,
        f"{shown(cell.name)} on {shown(cell.task.name)}",
        "Line: regression of the prediction on the truth; ellipse: one standard deviation; dotted: prediction = truth.",
        _source(cell, predictions),
        width=side * across + 0.6,
    )
    panels = figure.subplots(down, across, squeeze=False).ravel()
    total = cell.statistics().sum(axis=(0, 1, 2))
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for index, (axes, name) in enumerate(zip(panels, names, strict=False)):
        points = None
        if predictions is not None:
            points = np.concatenate([predictions[fold, cell.seeds[0]][:, index] for fold in cell.task.folds])
        _dimension(axes, total[index], points)
        axes.set_title(f"{shown(name, 24)}\n{_ccc(cell, name)}")
    return figure


def _source(cell: Cell, predictions: Predictions | None) -> str:
    together = f"of {count(len(cell.task.folds), 'fold')} and {count(len(cell.seeds), 'seed')} together"
    if predictions is None:
        return f"Both from sums alone, {together}: published records hold no predictions of utterances."
    return f"Both {together}; points: the test utterances of seed {cell.seeds[0]}."


def _dimension(axes: Axes, sums: Array, points: Array | None) -> None:
    n, truth, prediction = sums[0], sums[1] / sums[0], sums[2] / sums[0]
    across, up = max(sums[3] / n - truth**2, 0.0), max(sums[4] / n - prediction**2, 0.0)
    both = sums[5] / n - truth * prediction
    ends = _ends(truth, prediction, np.sqrt(across), np.sqrt(up), points)
    if points is not None and len(points) > MANY:
        axes.hexbin(
            *points.T, gridsize=28, mincnt=1, cmap=_fading(), linewidths=0.0, extent=(*ends, *ends), label="utterances"
        )
    elif points is not None:
        axes.scatter(points[:, 0], points[:, 1], s=7, color=GREY, alpha=0.45, linewidth=0, label="utterances")
    axes.plot(ends, ends, color=INK, linewidth=0.9, linestyle=":", label="prediction = truth")
    if across > 0:
        line = np.array([truth - 2 * np.sqrt(across), truth + 2 * np.sqrt(across)])
        axes.plot(line, prediction + both / across * (line - truth), color=VERMILION, linewidth=1.6, label="regression")
    values, vectors = np.linalg.eigh([[across, both], [both, up]])
    around = vectors @ (np.sqrt(np.maximum(values, 0))[:, None] * np.stack([np.cos(TURN), np.sin(TURN)]))
    axes.plot(truth + around[0], prediction + around[1], color=BLUE, linewidth=1.4, label="one standard deviation")
    axes.plot([truth], [prediction], "o", color=BLUE, markersize=3.5, label="means")
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    axes.set_xlabel("true")
    axes.set_ylabel("predicted")
    axes.locator_params(nbins=5)


def _ends(truth: float, prediction: float, across: float, up: float, points: Array | None) -> tuple[float, float]:
    """The same ends for both axes: all points, and at least two standard deviations."""
    low = min(truth - 2.2 * across, prediction - 2.2 * up)
    high = max(truth + 2.2 * across, prediction + 2.2 * up)
    if points is not None and points.size:
        low, high = min(low, float(points.min())), max(high, float(points.max()))
    edge = 0.03 * (high - low) or 0.5
    return low - edge, high + edge


def _fading() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    return LinearSegmentedColormap.from_list("fading", [to_rgba(GREY, 0.15), to_rgba(GREY, 0.95)])


def _ccc(cell: Cell, name: str) -> str:
    part = of_dimension(cell, name)
    found = cell_interval(part, "ccc")
    ends = "" if found is None else f" {interval(found.low, found.high, False)}"
    return f"CCC {measured(cell_scores(part, 'ccc').mean, False)}{ends}"
