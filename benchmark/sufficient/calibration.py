"""Of probabilities: how far they can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.sufficient.checks import are_whole, finite, indices
from benchmark.sufficient.interface import Array, SufficientStatistics

ROUNDING_OF_PROBABILITIES = 1e-6  # how far the sum of an utterance's may lie from 1


class Calibration(SufficientStatistics):
    """Sums (3, 16) that say how far probabilities can be believed: what ECE, Brier score and NLL are computed from.

    The first 15 columns are bins of confidence, the probability of the class that is decided for; bin b, from 0, holds
    those above b / 15 and up to (b + 1) / 15. Rows are the utterances of a bin, those decided rightly, and the sum of
    confidences. The last column is of all utterances: their number, their Brier scores, and the negative logarithms of
    the probabilities of their true classes. Sums of what is no count are of whole millionths, to which it is rounded
    for each utterance: they add up exactly in any order.
    """

    kind = "calibration"
    outputs = "classes"
    impossible = "sums that no probabilities have"
    BINS = 15
    MILLIONTHS = 1_000_000
    # Of probabilities: a smaller one is taken for this one, so that nothing is infinitely wrong; as scikit-learn's
    # `log_loss` does it.
    LEAST = 2.0**-52

    def shape(self, outputs: int) -> tuple[int, int]:
        """(3, 16)."""
        return 3, self.BINS + 1

    def of(self, truth: NDArray[Any], scores: NDArray[Any]) -> NDArray[np.int64]:
        """Sum what probabilities are worth; decided is for the largest, the first of equals.

        Args:
            truth: (n,) class indices in [0, K).
            scores: (n, K) natural logarithms of probabilities that sum to 1.

        Returns:
            (3, 16) int64.

        Raises:
            BenchError: As `SufficientStatistics.of`; or some are no such logarithms.
        """
        scores = finite(scores, "log-probabilities")
        return self.of_decisions(truth, scores, scores.argmax(axis=1))

    def of_decisions(self, truth: NDArray[Any], scores: NDArray[Any], decision: NDArray[Any]) -> NDArray[np.int64]:
        """As `of`, where it is known what was decided: rounding may make equals of probabilities that were none.

        Args:
            truth: (n,) class indices in [0, K).
            scores: (n, K) natural logarithms of probabilities that sum to 1.
            decision: (n,) class indices in [0, K).
        """
        scores = finite(scores, "log-probabilities")
        classes, decided = (
            indices(values, scores.shape[1], what) for values, what in ((truth, "truth"), (decision, "decision"))
        )
        if not len(classes) == len(decided) == len(scores):
            raise BenchError(f"{len(classes)} true classes and {len(scores)} log-probabilities", "one row for each")
        likely = np.exp(scores)
        if not (np.abs(likely.sum(axis=1) - 1) <= ROUNDING_OF_PROBABILITIES).all():
            worst = int(np.abs(likely.sum(axis=1) - 1).argmax())
            raise BenchError(
                f"the probabilities of utterance {worst} sum to {likely[worst].sum():.6g}",
                "log-probabilities are natural logarithms of numbers that sum to 1",
            )
        rows = np.arange(len(scores))
        confidence = np.minimum(likely[rows, decided], 1.0)
        place = np.searchsorted(self._edges(), confidence, side="left") - 1
        brier = np.square(likely - np.eye(scores.shape[1])[classes]).sum(axis=1)
        surprise = -np.maximum(scores[rows, classes], np.log(self.LEAST))
        result = np.zeros((3, self.BINS + 1), dtype=np.int64)
        for row, values in enumerate((np.ones(len(rows)), decided == classes, self._rounded(confidence))):
            np.add.at(result[row], place, values.astype(np.int64))
        result[:, -1] = len(rows), self._rounded(brier).sum(), self._rounded(surprise).sum()
        return result

    def truth(self, statistics: Array) -> Array:
        """The number of utterances (..., 1), which is all that these sums know of the truth."""
        return statistics[..., 0, -1:]

    def sizes(self, statistics: Array) -> Array:
        """The number of utterances: (..., 1)."""
        return self.truth(statistics)

    def per_class(self, statistics: Array, outputs: Sequence[str]) -> dict[str, int]:
        """Nothing: classes are not told apart."""
        return {}

    def right(self, statistics: Array) -> Array:
        """The number of utterances that are decided rightly: (...)."""
        return np.asarray(statistics[..., 1, : self.BINS].sum(axis=-1))

    def have_whole_numbers(self, statistics: Array) -> NDArray[np.bool_]:
        """Whether all of (..., 3, 16) are whole numbers, and some utterance is in a bin, as many as are said: (...)."""
        said = statistics[..., 0, : self.BINS].sum(axis=-1) == statistics[..., 0, -1]
        return np.asarray(are_whole(statistics) & said & (statistics[..., 0, -1] > 0))

    def are_possible(self, statistics: Array) -> NDArray[np.bool_]:
        """Whether some probabilities can have these sums: confidences are in their bins, and no score is too large.

        Args:
            statistics: (..., 3, 16) of whole numbers.
        """
        n, right, confidence = (statistics[..., row, : self.BINS] for row in range(3))
        edges, room = self._edges() * self.MILLIONTHS, n  # a rounding may move each by half a millionth
        inside = (right <= n) & (confidence >= n * edges[:-1] - room) & (confidence <= n * edges[1:] + room)
        total, brier, surprise = (statistics[..., row, -1] for row in range(3))
        most = total * self.MILLIONTHS
        return np.asarray(
            inside.all(axis=-1) & (brier <= 2 * most + total) & (surprise <= -np.log(self.LEAST) * most + total)
        )

    def _edges(self) -> Array:
        """The ends of bins (16,), from 0 to 1."""
        return np.arange(self.BINS + 1) / self.BINS

    def _rounded(self, values: Array) -> NDArray[np.int64]:
        return np.rint(values * self.MILLIONTHS).astype(np.int64)
