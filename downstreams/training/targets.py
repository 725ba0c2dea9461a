"""What trained heads share: targets as they are learnt, the way back to the task's own scale, and the score on dev."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from benchmark.errors import BenchError
from benchmark.metrics import Metric, find, score
from benchmark.types import Examples
from downstreams import checks as check
from downstreams.normalisation import mean_and_scale


@dataclass(frozen=True)
class Scale:
    """From outputs of a head to the task's own scale.

    Values are learnt in units of their deviation on train; CCC does not change when truth and prediction are moved and
    stretched alike. Both attributes are (k,) float64; 0 and 1 for classes.
    """

    offset: NDArray[np.float64]
    unit: NDArray[np.float64]

    @classmethod
    def of(cls, train: Examples) -> Scale:
        """The scale that a head learns on train."""
        if train.kind == "classification":
            return cls(np.zeros(1), np.ones(1))
        mean, scale = mean_and_scale(check.values(train, "train")[:, None])
        return cls(mean[0], scale[0])

    def targets(self, examples: Examples, what: str) -> NDArray[np.float32]:
        """Targets as they are learnt: (n, K) one-hot classes, or (n, k) values in units of their deviation.

        Raises:
            BenchError: There are none, or they are not as they should be.
        """
        if examples.kind == "classification":
            one_hot: NDArray[np.float32] = np.eye(len(examples.outputs), dtype=np.float32)
            return one_hot[check.class_indices(examples, what)]
        return ((check.values(examples, what) - self.offset) / self.unit).astype(np.float32)

    def values(self, outputs: Tensor) -> NDArray[np.float64]:
        """Outputs (n, K) of a head in the task's own scale."""
        return np.asarray(outputs.double().cpu().numpy() * self.unit + self.offset)


def selecting_metric(select_on: str, train: Examples) -> Metric:
    """The metric that selects.

    Args:
        select_on: "primary" for that of the task, or its name.
        train: Of the task.

    Raises:
        BenchError: It is a metric of the other kind.
    """
    metric = find(train.metric if select_on == "primary" else select_on)
    if metric.kind != train.kind:
        raise BenchError(
            f"the head selects on {metric.name}, a metric of {metric.kind}, but the task is {train.kind}",
            "choose a recipe with select_on: primary",
        )
    return metric


def dev_score(metric: Metric, dev: Examples, scale: Scale) -> Callable[[Tensor], float]:
    """From outputs on dev (n, K) to the score that selects; higher is better."""
    truth = check.class_indices(dev, "dev") if dev.kind == "classification" else check.values(dev, "dev")
    sign = 1.0 if metric.higher_is_better else -1.0
    return lambda outputs: sign * score(metric.name, truth, scale.values(outputs))


def refuse_no_dev(name: str, dev: Examples) -> None:
    """Refuse an empty dev set, for a head that selects.

    Raises:
        BenchError: It is empty.
    """
    if not len(dev):
        raise BenchError(
            f"the head {name} selects on dev, but the protocol has no dev set",
            "give the task a dev set, or use a head that selects nothing, such as svm",
        )
