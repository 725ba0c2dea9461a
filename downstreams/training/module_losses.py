"""What torch heads minimise: of classes, of values, and of auxiliary classes beside values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from downstreams.training.batches import Step
from downstreams.training.losses import ccc_loss

OfOutputs: TypeAlias = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class CrossEntropy:
    """Cross entropy of logits (n, K) and one-hot classes (n, K), as a mean over utterances.

    With label smoothing e the target of the true class is 1 - e + e / K and that of any other e / K. With class weights
    the term of class k is multiplied by its weight, and the sum divided by the sum of the weights of the true classes,
    as in `torch.nn.functional.cross_entropy`. With a focal exponent g each utterance's loss is multiplied by (1 - p)^g,
    p the probability of its true class: Lin et al., "Focal loss for dense object detection" (ICCV 2017), equation 4.

    Attributes:
        weights: (K,), or None.
        focal: g, 0 for none.
        smoothing: e, 0 for none.
    """

    weights: Tensor | None = None
    focal: float = 0.0
    smoothing: float = 0.0

    def __call__(self, outputs: Tensor, y: Tensor) -> Tensor:
        """The loss, a scalar."""
        logs = torch.log_softmax(outputs, dim=-1)
        terms = logs * (y * (1 - self.smoothing) + self.smoothing / y.shape[-1])
        of_utterance = -(terms if self.weights is None else terms * self.weights).sum(dim=-1)
        if self.focal:
            of_utterance = of_utterance * (1 - (logs * y).sum(dim=-1).exp()).clamp(min=0) ** self.focal
        if self.weights is None:
            return of_utterance.mean()
        return of_utterance.sum() / (y * self.weights).sum()


def balanced_weights(y: Tensor) -> Tensor:
    """Weights (K,) of classes by one-hot targets (n, K): n / (classes that are there x utterances of the class).

    A class without an utterance, which no target asks for, has weight 0.
    """
    counts = y.sum(dim=0)
    return torch.where(counts > 0, len(y) / ((counts > 0).sum() * counts.clamp(min=1)), 0.0)


def one_minus_ccc(outputs: Tensor, y: Tensor) -> Tensor:
    """1 - CCC of values (n, k), the CCC averaged over dimensions: see `downstreams.training.losses.ccc_loss`."""
    whole = Step(torch.arange(len(y), device="cpu"), (len(y),), 1)
    return ccc_loss(outputs.unsqueeze(0), y, whole)[0]


def auxiliary_cross_entropy(outputs: Tensor, classes: Tensor) -> Tensor:
    """Cross entropy of auxiliary classes, a mean over the utterances that have one; 0 where none has.

    Args:
        outputs: (n, C) logits.
        classes: (n,) int64, -1 for none.
    """
    known = classes >= 0
    return functional.cross_entropy(outputs[known], classes[known], reduction="sum") / known.sum().clamp(min=1)
