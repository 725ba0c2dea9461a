"""Of classes: which were decided for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.sufficient.checks import are_whole, finite, indices
from benchmark.sufficient.interface import Array, SufficientStatistics


class ConfusionCounts(SufficientStatistics):
    """Confusion counts (K, K) of K classes, rows truth, columns decision; they may be fractional (weights)."""

    kind = "classification"
    outputs = "classes"
    impossible = "counts that no decisions have"

    def shape(self, outputs: int) -> tuple[int, int]:
        """(K, K)."""
        return outputs, outputs

    def of(self, truth: NDArray[Any], scores: NDArray[Any]) -> NDArray[np.int64]:
        """Count the decisions for the largest score, the first of equals.

        Args:
            truth: (n,) class indices in [0, K).
            scores: (n, K).

        Returns:
            (K, K) int64.

        Raises:
            BenchError: As `SufficientStatistics.of`.
        """
        scores = finite(scores, "scores")
        if scores.shape[1] == 0:
            raise BenchError(f"scores have shape {scores.shape}", "one column for each class")
        return self.of_decisions(truth, scores.argmax(axis=1), scores.shape[1])

    def of_decisions(self, truth: NDArray[Any], decision: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
        """Count decisions.

        Args:
            truth: (n,) class indices in [0, K).
            decision: (n,) class indices in [0, K).
            n_classes: K, at least 1.

        Returns:
            (K, K) int64.

        Raises:
            BenchError: The shapes differ, or a value is not a class index.
        """
        truth, decision = indices(truth, n_classes, "truth"), indices(decision, n_classes, "decision")
        if truth.shape != decision.shape:
            raise BenchError(
                f"{len(truth)} true classes and {len(decision)} decisions", "one decision for each utterance"
            )
        pairs = np.bincount(truth * n_classes + decision, minlength=n_classes**2)
        return pairs.reshape(n_classes, n_classes).astype(np.int64)

    def truth(self, statistics: Array) -> Array:
        """Utterances of each class: (..., K)."""
        return np.asarray(statistics.sum(axis=-1))

    def sizes(self, statistics: Array) -> Array:
        """Utterances of each class: (..., K)."""
        return self.truth(statistics)

    def per_class(self, statistics: Array, outputs: Sequence[str]) -> dict[str, int]:
        """Utterances of each class by name, of counts (K, K)."""
        return dict(zip(outputs, map(int, statistics.sum(axis=1)), strict=True))

    def have_whole_numbers(self, statistics: Array) -> NDArray[np.bool_]:
        """Whether all counts (..., K, K) are whole numbers, and one is above 0: (...)."""
        return are_whole(statistics)

    def are_possible(self, statistics: Array) -> NDArray[np.bool_]:
        """True: any whole numbers are the counts of some decisions."""
        return np.ones(statistics.shape[:-2], dtype=np.bool_)
