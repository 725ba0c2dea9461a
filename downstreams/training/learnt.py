"""What a torch head learns of utterances, and the loss that its recipe gives for it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from benchmark.types import Kind
from downstreams.modules.interface import Outputs
from downstreams.params.frames import LearningParams
from downstreams.training.frames import Frames
from downstreams.training.module_losses import (
    CrossEntropy,
    OfOutputs,
    auxiliary_cross_entropy,
    balanced_weights,
    one_minus_ccc,
)


@dataclass(frozen=True)
class Learnt:
    """Utterances with what is learnt of them, on the device.

    Attributes:
        frames: How they are read.
        y: (n, K) targets as they are learnt.
        auxiliary: (n,) auxiliary classes, -1 for none; None where the task has none, or the recipe no weight for them.
    """

    frames: Frames
    y: Tensor
    auxiliary: Tensor | None


@dataclass(frozen=True)
class Supervised:
    """The loss of targets.

    Attributes:
        of_targets: Of scores and targets.
        auxiliary: Weight of the cross entropy of auxiliary classes beside it.
    """

    of_targets: OfOutputs
    auxiliary: float

    @classmethod
    def of(cls, params: LearningParams, kind: Kind, y: Tensor) -> Supervised:
        """What a recipe says.

        Args:
            params: Of the recipe.
            kind: Of the targets.
            y: (n, K) targets of train, which decide the weights of classes.
        """
        if kind == "regression":
            return cls(one_minus_ccc, params.auxiliary)
        weights = balanced_weights(y) if params.class_weight == "balanced" else None
        return cls(CrossEntropy(weights, params.focal, params.label_smoothing), params.auxiliary)

    def __call__(self, outputs: Outputs, learnt: Learnt, rows: Tensor) -> Tensor:
        """The loss of some utterances, a scalar.

        Args:
            outputs: For n utterances.
            learnt: Of all utterances of a set.
            rows: Which n of them, (n,).
        """
        rows = rows.to(learnt.y.device)
        value = self.of_targets(outputs.scores, learnt.y[rows])
        if outputs.auxiliary is None or learnt.auxiliary is None:
            return value
        return value + self.auxiliary * auxiliary_cross_entropy(outputs.auxiliary, learnt.auxiliary[rows])
