"""Sufficient statistics: what a record holds of a speaker's test utterances, and all that metrics are computed from.

Statistics add up: those of a fold are the sum of those of its speakers, so every metric, interval and test is computed
from what a record holds, and no label of an utterance has to be published. The statistics of some utterances are a
matrix whose shape the number of outputs decides. A class here says what is in it and what can be read from it; arrays
of many such matrices have further axes in front, over which every method is vectorised.

    >>> import numpy as np
    >>> from benchmark.sufficient import CONFUSION_COUNTS
    >>> CONFUSION_COUNTS.of(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])).tolist()
    [[1, 1], [0, 1]]

A further statistic is one class, its entry in `STATISTICS` and in `benchmark.types.StatisticsKind`, and the
metrics in `benchmark.metrics.METRICS` that are computed from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.types import StatisticsKind

Array = NDArray[np.float64]
# What the outputs of a task are.
Outputs = Literal["classes", "dimensions"]

EXACT = 2**53  # below it float64 holds every number of utterances exactly
# How far moments may miss what numbers can have, relative: sums of a million float32 squares err by far less.
ROUNDING = 1e-9
LARGEST = 1e100  # of a moment; its products still fit into float64
ROUNDING_OF_PROBABILITIES = 1e-6  # how far the sum of an utterance's may lie from 1


class SufficientStatistics(ABC):
    """What adds up over utterances.

    Attributes:
        kind: The kind of tasks whose results are held so, or "calibration", which stands beside those of classes.
        outputs: What the outputs of such a task are.
        impossible: What statistics are called that `are_possible` refuses, in a message on a speaker who has them.
    """

    kind: ClassVar[StatisticsKind]
    outputs: ClassVar[Outputs]
    impossible: ClassVar[str]

    @abstractmethod
    def shape(self, outputs: int) -> tuple[int, int]:
        """The shape (a, b) of the statistics of a task with so many outputs."""

    @abstractmethod
    def of(self, truth: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
        """The statistics of some utterances.

        Args:
            truth: (n,) class indices; or (n, k) values.
            scores: (n, K) class scores; or (n, k) values.

        Returns:
            (a, b).

        Raises:
            BenchError: The shapes do not fit, a value is not finite, or a true class is out of range.
        """

    @abstractmethod
    def truth(self, statistics: Array) -> Array:
        """What statistics (..., a, b) know of the truth: the same for every system that was tested on the same."""

    @abstractmethod
    def sizes(self, statistics: Array) -> Array:
        """Utterances (..., g) in each of the groups over which a metric is averaged, of statistics (..., a, b)."""

    @abstractmethod
    def per_class(self, statistics: Array, outputs: Sequence[str]) -> dict[str, int]:
        """Utterances of each class by name, of statistics (a, b); empty where there are no classes."""

    @abstractmethod
    def have_whole_numbers(self, statistics: Array) -> NDArray[np.bool_]:
        """Whether statistics (..., a, b) are of a whole number of utterances, at least one: (...)."""

    @abstractmethod
    def are_possible(self, statistics: Array) -> NDArray[np.bool_]:
        """Whether some utterances can have statistics (..., a, b) of whole numbers: (...)."""

    def utterances(self, statistics: Array) -> Array:
        """The number of utterances (...) of statistics (..., a, b)."""
        return np.asarray(self.sizes(statistics).sum(axis=-1))

    def total(self, parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
        """The statistics (a, b) of the utterances of all parts together."""
        return np.asarray(np.sum(list(parts), axis=0))


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
        scores = _finite(scores, "scores")
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
        truth, decision = _indices(truth, n_classes, "truth"), _indices(decision, n_classes, "decision")
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
        return _are_whole(statistics)

    def are_possible(self, statistics: Array) -> NDArray[np.bool_]:
        """True: any whole numbers are the counts of some decisions."""
        return np.ones(statistics.shape[:-2], dtype=np.bool_)


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
        truth, scores = _finite(truth, "true values"), _finite(scores, "predicted values")
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
        return np.asarray(_are_whole(n) & (n == n[..., :1, :]).all(axis=(-2, -1)))

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
        scores = _finite(scores, "log-probabilities")
        return self.of_decisions(truth, scores, scores.argmax(axis=1))

    def of_decisions(self, truth: NDArray[Any], scores: NDArray[Any], decision: NDArray[Any]) -> NDArray[np.int64]:
        """As `of`, where it is known what was decided: rounding may make equals of probabilities that were none.

        Args:
            truth: (n,) class indices in [0, K).
            scores: (n, K) natural logarithms of probabilities that sum to 1.
            decision: (n,) class indices in [0, K).
        """
        scores = _finite(scores, "log-probabilities")
        classes, decided = (
            _indices(values, scores.shape[1], what) for values, what in ((truth, "truth"), (decision, "decision"))
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
        return np.asarray(_are_whole(statistics) & said & (statistics[..., 0, -1] > 0))

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


CONFUSION_COUNTS = ConfusionCounts()
MOMENTS = Moments()
CALIBRATION = Calibration()
STATISTICS: dict[str, SufficientStatistics] = {one.kind: one for one in (CONFUSION_COUNTS, MOMENTS, CALIBRATION)}


def _are_whole(numbers: Array) -> NDArray[np.bool_]:
    """Whether all of (..., a, b) are numbers of utterances that float64 holds exactly, and one is above 0: (...)."""
    whole = (numbers >= 0) & (numbers < EXACT) & (numbers == np.floor(numbers))
    return np.asarray(whole.all(axis=(-2, -1)) & numbers.any(axis=(-2, -1)))


def _indices(values: NDArray[Any], n_classes: int, what: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or not (array.size == 0 or np.issubdtype(array.dtype, np.integer)):
        raise BenchError(
            f"{what} has shape {array.shape} and dtype {array.dtype}", "class indices are (utterances,) integers"
        )
    outside = array[(array < 0) | (array >= n_classes)]
    if outside.size:
        raise BenchError(f"{what} holds the class index {outside[0]}", f"it must lie in 0..{n_classes - 1}")
    return array.astype(np.int64)


def _finite(values: NDArray[Any], what: str) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise BenchError(f"{what} have shape {array.shape}", "expected (utterances, outputs)")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise BenchError(
            f"{what} hold {array[row, column]} for utterance {row}, output {column}", "only finite numbers are scored"
        )
    return array
