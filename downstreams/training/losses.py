"""The losses that heads minimise, for a stack of members at once, and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from downstreams.training.batches import Step

# Keeps the batch CCC of constant values defined; targets have variance 1, so it is far below what matters.
CCC_EPSILON = 1e-8

OfOutputs: TypeAlias = Callable[[Tensor, Tensor, Step], Tensor]


@dataclass(frozen=True)
class Loss:
    """A loss of outputs (M, n, K), targets (n, K) and the micro-batches that the n utterances come in.

    Attributes:
        value: Gives the members' losses (M,).
        gradient: Gives the derivative of each member's loss by its outputs, (M, n, K): what autograd would give, in a
            fraction of the time.
    """

    value: OfOutputs
    gradient: OfOutputs


def cross_entropy(outputs: Tensor, y: Tensor, step: Step) -> Tensor:
    """The cross entropy of each member, averaged over each micro-batch.

    Args:
        outputs: (M, n, K) logits.
        y: (n, K) one-hot.
        step: The micro-batches of these n utterances.

    Returns:
        (M,) losses.
    """
    return -(torch.log_softmax(outputs, dim=-1) * (y * _weights(outputs, step))).sum(dim=(1, 2))


def cross_entropy_gradient(outputs: Tensor, y: Tensor, step: Step) -> Tensor:
    """The derivative of `cross_entropy`, with its arguments: (M, n, K)."""
    return (torch.softmax(outputs, dim=-1) - y) * _weights(outputs, step)


def ccc_loss(outputs: Tensor, y: Tensor, step: Step) -> Tensor:
    """1 - CCC, the CCC averaged over dimensions and computed on each micro-batch with population variances.

    Source: Mitra et al., "Speech Emotion: Investigating Model Representations, Multi-Task Learning and Knowledge
    Distillation" (Interspeech 2022), equations 1 and 2 with equal weights.

    Args:
        outputs: (M, n, k) predictions.
        y: (n, k) values.
        step: The micro-batches of these n utterances.

    Returns:
        (M,) losses in [0, 2] where a step is one micro-batch.
    """
    total = outputs.new_zeros(len(outputs))
    for predicted, truth in _micro_batches(outputs, y, step):
        total = total + 1 - _ccc(predicted, truth)[0].mean(dim=-1)
    return total / step.accumulate


def ccc_gradient(outputs: Tensor, y: Tensor, step: Step) -> Tensor:
    """The derivative of `ccc_loss`, with its arguments: (M, n, k).

    With CCC = 2 cov(p, t) / s and s = var(p) + var(t) + (mean(p) - mean(t))², the derivative of CCC by one of N
    predictions p is 2 / (N s) times (t - mean(t)) - CCC (p - mean(t)).
    """
    parts = []
    for predicted, truth in _micro_batches(outputs, y, step):
        ccc, spread = (value.unsqueeze(1) for value in _ccc(predicted, truth))
        mean_t = truth.mean(dim=0)
        scale = -2 / (len(truth) * truth.shape[-1] * step.accumulate)
        parts.append(((truth - mean_t) - ccc * (predicted - mean_t)) / spread * scale)
    return torch.cat(parts, dim=1)


def _ccc(predicted: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Of (M, N, k) and (N, k): CCC and what it is divided by, (M, k) each."""
    mean_p, mean_t = predicted.mean(dim=1, keepdim=True), truth.mean(dim=0)
    error_p, error_t = predicted - mean_p, truth - mean_t
    covariance = (error_p * error_t).mean(dim=1)
    spread = error_p.square().mean(dim=1) + error_t.square().mean(dim=0) + (mean_p[:, 0] - mean_t).square()
    spread = spread + CCC_EPSILON
    return 2 * covariance / spread, spread


def _micro_batches(outputs: Tensor, y: Tensor, step: Step) -> list[tuple[Tensor, Tensor]]:
    sizes = list(step.sizes)
    return list(zip(torch.split(outputs, sizes, dim=1), torch.split(y, sizes), strict=True))


def _weights(outputs: Tensor, step: Step) -> Tensor | float:
    """(n, 1), or one number where all utterances weigh the same."""
    if len(set(step.sizes)) == 1:
        return 1.0 / (step.sizes[0] * step.accumulate)
    return torch.tensor(step.weights, dtype=outputs.dtype, device=outputs.device).unsqueeze(-1)


CROSS_ENTROPY = Loss(cross_entropy, cross_entropy_gradient)
CCC = Loss(ccc_loss, ccc_gradient)
