"""What every sufficient statistic can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.types import StatisticsKind

Array = NDArray[np.float64]
# What the outputs of a task are.
Outputs = Literal["classes", "dimensions"]


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
