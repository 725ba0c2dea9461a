"""Whether two sets of decisions are one, or one of which a little was changed so that it is not noticed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmark.records import Record, statistics_of

# So many decisions, or so large a share of them, may differ between what is still called alike: two systems, or two
# seeds, that were each run differ in more, unless all of them are nearly always right.
FEW, SHARE = 2.0, 0.005
ROUNDING = 1e-4  # of the sums of predicted values, in units of what they are summed of


def decisions_apart(pairs: Iterable[tuple[Record, Record]]) -> tuple[float, float]:
    """How many decisions differ at least, and of how many; of values, those of a speaker whose sums differ.

    Args:
        pairs: Completed units that were tested on the same utterances.
    """
    apart, of = 0.0, 0.0
    for one, other in pairs:
        a, b = statistics_of(one), statistics_of(other)
        if a.shape != b.shape:
            return float("inf"), 0.0
        counts = np.abs(a).sum(axis=(1, 2)) if one.task.kind == "classification" else a[:, 0, 0]
        of += float(counts.sum())
        apart += _apart(a, b) if one.task.kind == "classification" else _values_apart(a, b)
    return apart, of


def are_alike(pairs: Sequence[tuple[Record, Record]]) -> bool:
    """Whether the decisions of two systems, or seeds, are the same but for a few."""
    apart, of = decisions_apart(pairs)
    return bool(pairs) and apart <= max(FEW, SHARE * of)


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Confusion counts (speakers, K, K): what is counted in another cell."""
    return float(np.abs(a - b).sum() / 2)


def _values_apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Sums (speakers, k, 6): utterances of the speakers whose predicted values, squares or products differ."""
    size = np.sqrt(np.abs(a[..., 0] * np.maximum(a[..., 4], a[..., 3])))
    differ = np.abs(a[..., (2, 4, 5)] - b[..., (2, 4, 5)]) > ROUNDING * np.maximum(size, 1e-12)[..., None]
    return float(a[differ.any(axis=(1, 2)), 0, 0].sum())
