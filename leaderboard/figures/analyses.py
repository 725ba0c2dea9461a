"""The figures of `bench analyse`, by the name of the analysis; what they draw is computed by `benchmark.analyses`."""

from leaderboard.figures.errors import error_by_value
from leaderboard.figures.layers import layer_weights
from leaderboard.figures.matrices import confusion_shift, heat_maps, mismatch
from leaderboard.figures.representations import embedding_distance, layer_similarity, projection
from leaderboard.figures.weights import sizes

__all__ = [
    "confusion_shift",
    "embedding_distance",
    "error_by_value",
    "heat_maps",
    "layer_similarity",
    "layer_weights",
    "mismatch",
    "projection",
    "sizes",
]
