"""Of dimensions: sums of values and of their products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.sufficient.checks import are_whole, finite
from benchmark.sufficient.interface import Array, SufficientStatistics

# How far moments may miss what numbers can have, relative: sums of a million float32 squares err by far less.
ROUNDING = 1e-9
LARGEST = 1e100  # of a moment; its products still fit into float64


class Moments(SufficientStatistics):
    """Moments (k, 6) of k dimensions: n, sum t, sum p, sum t*t, sum p*p, sum t*p of truths t and predictions p."""

    kind = "regression"
    outputs = "dimensions"
    impossible = "moments that no numbers have"
    OF_TRUTH = (0, 1, 3)  # n, sum t and sum t*t

    def shape(self, outputs: int) -> tuple[int, int]:
        """(k, 6)."""
        return outputs, 6

    def of(self, truth: NDArray[Any], scores: NDArray[Any]) -> Array:
        """Sum values and their products.

        Args:
            truth: (n, k) values of k dimensions.
            scores: (n, k) predicted values.

        Returns:
            (k, 6) float64.

        Raises:
            BenchError: The shapes differ or are not (n, k), or a value is not finite.
        """
        truth, scores = finite(truth, "true values"), finite(scores, "predicted values")
        if truth.shape != scores.shape:
            raise BenchError(
                f"truth has shape {truth.shape} and the prediction {scores.shape}", "both are (utterances, dimensions)"
            )
        n = np.full(truth.shape[1], len(truth), dtype=np.float64)
        products = (truth, scores, truth * truth, scores * scores, truth * scores)
        return np.stack([n, *(values.sum(axis=0) for values in products)], axis=-1)

    def truth(self, statistics: Array) -> Array:
        """What is of the truth alone, n, sum t and sum t*t: (..., k, 3)."""
        return statistics[..., self.OF_TRUTH]

    def sizes(self, statistics: Array) -> Array:
        """The number of utterances, which is the same for all dimensions: (..., 1)."""
        return statistics[..., :1, 0]

    def per_class(self, statistics: Array, outputs: Sequence[str]) -> dict[str, int]:
        """Nothing: there are no classes."""
        return {}

    def have_whole_numbers(self, statistics: Array) -> NDArray[np.bool_]:
        """Whether n is a whole number above 0, and the same for all dimensions, of moments (..., k, 6): (...)."""
        n = statistics[..., :1]
        return np.asarray(are_whole(n) & (n == n[..., :1, :]).all(axis=(-2, -1)))

    def are_possible(self, statistics: Array) -> NDArray[np.bool_]:
        """Whether some utterances can have these moments.

        Variances are not negative, and a covariance is not above what they allow (Cauchy-Schwarz), but for rounding.

        Args:
            statistics: (..., k, 6).

        Returns:
            (...), True where they can in all k dimensions.
        """
        n, t, p, tt, pp, tp = np.moveaxis(statistics, -1, 0)
        finite = (np.abs(statistics) < LARGEST).all(axis=-1) & (n >= 1)
        n, t, p, tt, pp, tp = (np.where(finite, values, 1.0) for values in (n, t, p, tt, pp, tp))
        variance_t, variance_p, covariance = tt - t * t / n, pp - p * p / n, tp - t * p / n
        room_t, room_p = ROUNDING * np.abs(tt), ROUNDING * np.abs(pp)
        most = np.sqrt((np.maximum(variance_t, 0) + room_t) * (np.maximum(variance_p, 0) + room_p))
        possible = (variance_t >= -room_t) & (variance_p >= -room_p) & (np.abs(covariance) <= most * (1 + ROUNDING))
        return np.asarray((finite & possible).all(axis=-1))
