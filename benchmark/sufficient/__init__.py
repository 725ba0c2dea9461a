"""Sufficient statistics: what a record holds of a speaker's test utterances, and all that metrics are computed from.

Statistics add up: those of a fold are the sum of those of its speakers, so every metric, interval and test is computed
from what a record holds, and no label of an utterance has to be published. The statistics of some utterances are a
matrix whose shape the number of outputs decides. A class here says what is in it and what can be read from it; arrays
of many such matrices have further axes in front, over which every method is vectorised.

    >>> import numpy as np
    >>> from benchmark.sufficient import CONFUSION_COUNTS
    >>> CONFUSION_COUNTS.of(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])).tolist()
    [[1, 1], [0, 1]]

A further statistic is one class in a file of its own, its entry in `STATISTICS` and in
`benchmark.types.StatisticsKind`, and the metrics in `benchmark.metrics.METRICS` that are computed from it.
"""

from benchmark.sufficient.calibration import ROUNDING_OF_PROBABILITIES, Calibration
from benchmark.sufficient.checks import EXACT
from benchmark.sufficient.confusion import ConfusionCounts
from benchmark.sufficient.interface import Outputs, SufficientStatistics
from benchmark.sufficient.moments import Moments

__all__ = [
    "CALIBRATION",
    "CONFUSION_COUNTS",
    "EXACT",
    "MOMENTS",
    "ROUNDING_OF_PROBABILITIES",
    "STATISTICS",
    "Calibration",
    "ConfusionCounts",
    "Moments",
    "Outputs",
    "SufficientStatistics",
]

CONFUSION_COUNTS = ConfusionCounts()
MOMENTS = Moments()
CALIBRATION = Calibration()
STATISTICS: dict[str, SufficientStatistics] = {one.kind: one for one in (CONFUSION_COUNTS, MOMENTS, CALIBRATION)}
