"""The losses that heads minimise, for a stack of members at once."""

from __future__ import annotations

import torch
from torch import Tensor

from downstreams.batches import Step

# Keeps the batch CCC of constant values defined; targets have variance 1, so it is far below what matters.
CCC_EPSILON = 1e-8


def cross_entropy(outputs: Tensor, y: Tensor, step: Step) -> Tensor:
    """The cross entropy of each member, averaged over each micro-batch.

    Args:
        outputs: (M, n, K) logits.
        y: (n, K) one-hot.
        step: The micro-batches of these n utterances.

    Returns:
        (M,) losses.
    """
    weights = torch.tensor(step.weights, dtype=outputs.dtype, device=outputs.device)
    return -(torch.log_softmax(outputs, dim=-1) * (y * weights.unsqueeze(-1))).sum(dim=(1, 2))


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
    sizes = list(step.sizes)
    total = torch.zeros(len(outputs), dtype=outputs.dtype, device=outputs.device)
    for predicted, truth in zip(torch.split(outputs, sizes, dim=1), torch.split(y, sizes), strict=True):
        mean_p, mean_t = predicted.mean(dim=1, keepdim=True), truth.mean(dim=0)
        error_p, error_t = predicted - mean_p, truth - mean_t
        covariance = (error_p * error_t).mean(dim=1)
        spread = error_p.square().mean(dim=1) + error_t.square().mean(dim=0) + (mean_p[:, 0] - mean_t).square()
        total = total + 1 - (2 * covariance / (spread + CCC_EPSILON)).mean(dim=-1)
    return total / step.accumulate
