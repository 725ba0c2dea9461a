"""What a head learns of the targets of utterances, and how its outputs become scores again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.metrics import Metric, find
from benchmark.types import Examples, Kind
from downstreams import checks as check
from downstreams.normalisation import mean_and_scale

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Targets:
    """One-hot classes, or values in units of their deviation on train.

    CCC does not change when truth and prediction are moved and stretched alike, so the unit decides nothing but how
    far an initial head is from them.

    Attributes:
        kind: "classification" or "regression".
        outputs: K classes or k dimensions.
        offset: (k,) mean of each dimension on train; 0 for classes.
        unit: (k,) deviation of each dimension on train, 1 in place of that of a constant; 1 for classes.
    """

    kind: Kind
    outputs: int
    offset: Values
    unit: Values

    @classmethod
    def fit(cls, examples: Examples, what: str, rows: NDArray[np.intp] | None = None) -> Targets:
        """Measure the units of what a head is fitted on.

        Args:
            examples: With targets.
            what: What to call them in an error.
            rows: Those that it is fitted on; None for all.

        Raises:
            BenchError: There are no targets, or they are not as they should be.
        """
        outputs = len(examples.outputs)
        if examples.kind == "classification":
            return cls(examples.kind, outputs, np.zeros(1), np.ones(1))
        values = check.values(examples, what)
        mean, scale = mean_and_scale((values if rows is None else values[rows])[:, None])
        return cls(examples.kind, outputs, mean[0], scale[0])

    def learnt(self, examples: Examples, what: str) -> Values:
        """What a head learns of some utterances: (n, K).

        Raises:
            BenchError: There are no targets, or they are not as they should be.
        """
        truth = truth_of(examples, what)
        return np.eye(self.outputs)[truth] if self.kind == "classification" else (truth - self.offset) / self.unit

    def scores(self, outputs: Values) -> Values:
        """The scores of a head's outputs (n, K): as they are for classes, else values in the corpus's own unit."""
        return np.asarray(outputs * self.unit + self.offset)


def truth_of(examples: Examples, what: str) -> NDArray[np.int64] | Values:
    """Class indices (n,) or values (n, k).

    Raises:
        BenchError: There are no targets, or they are not as they should be.
    """
    return check.class_indices(examples, what) if examples.kind == "classification" else check.values(examples, what)


def selecting_metric(select_on: str, examples: Examples) -> Metric:
    """The metric that selects.

    Args:
        select_on: "primary" for that of the task, or its name.
        examples: Of the task.

    Raises:
        BenchError: It is a metric of the other kind.
    """
    metric = find(examples.metric if select_on == "primary" else select_on)
    if metric.kind != examples.kind:
        raise BenchError(
            f"the head selects on {metric.name}, a metric of {metric.kind}, but the task is {examples.kind}",
            "choose a recipe with select_on: primary",
        )
    return metric


def refuse_nothing_to_select_on(name: str, train: Examples, dev: Examples) -> None:
    """Refuse an empty dev set without inner folds in its place, for a head that selects.

    Raises:
        BenchError: There is nothing to select on.
    """
    if not len(dev) and train.inner is None:
        raise BenchError(
            f"the head {name} selects on dev, but the protocol has no dev set",
            "give the task a dev set, or use a head that selects nothing, such as svm",
        )
