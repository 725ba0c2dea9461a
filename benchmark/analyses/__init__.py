"""What systems do differently, beyond their scores: decisions, representations, layers, attention, errors and size.

Every function takes arrays, or cells of records, of any systems and any task, and returns plain numbers that
`bench analyse` writes and `leaderboard.figures` draws. Nothing is encoded or trained here but for attention maps, which
nobody stores: what is missing is named with the command that makes it.
"""

from benchmark.analyses.attention import AttentionDistance, attention_distance, bhattacharyya
from benchmark.analyses.confusion import ConfusionShift, confusion_shift
from benchmark.analyses.decisions import Decisions, decisions_of
from benchmark.analyses.embeddings import EmbeddingDistance, embedding_distance
from benchmark.analyses.errors_by_value import ErrorByValue, error_by_value
from benchmark.analyses.mismatch import Mismatch, mismatch
from benchmark.analyses.projection import Neighbours, neighbours, plane
from benchmark.analyses.ratios import Ratio, ratio
from benchmark.analyses.similarity import cka, cosine_by_class, most_similar, pairwise, svcca
from benchmark.analyses.sizes import Size, sizes
from benchmark.analyses.weights import layer_weights

__all__ = [
    "AttentionDistance",
    "ConfusionShift",
    "Decisions",
    "EmbeddingDistance",
    "ErrorByValue",
    "Mismatch",
    "Neighbours",
    "Ratio",
    "Size",
    "attention_distance",
    "bhattacharyya",
    "cka",
    "confusion_shift",
    "cosine_by_class",
    "decisions_of",
    "embedding_distance",
    "error_by_value",
    "layer_weights",
    "mismatch",
    "most_similar",
    "neighbours",
    "pairwise",
    "plane",
    "ratio",
    "sizes",
    "svcca",
]
