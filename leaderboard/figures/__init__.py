"""Figures of the leaderboard: of one cell, of one task, and of the whole board.

Every function returns a `matplotlib.figure.Figure`, which `svg` and `png` write. Names come from records that anybody
may have written: none is read as a formula, as markup or as a format.
"""

from leaderboard.figures.across import critical_difference
from leaderboard.figures.canvas import png, svg
from leaderboard.figures.classes import confusion, recalls
from leaderboard.figures.costs import pareto
from leaderboard.figures.dimensions import predicted_true, read_predictions
from leaderboard.figures.layers import layer_weights
from leaderboard.figures.ranking import heat_map, intervals
from leaderboard.figures.reliability import has_probabilities, reliability
from leaderboard.figures.voices import speakers

__all__ = [
    "confusion",
    "critical_difference",
    "has_probabilities",
    "heat_map",
    "intervals",
    "layer_weights",
    "pareto",
    "png",
    "predicted_true",
    "read_predictions",
    "recalls",
    "reliability",
    "speakers",
    "svg",
]
