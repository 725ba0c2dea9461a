"""Correlation alignment: how far the second moments of two sets of vectors are apart."""

from __future__ import annotations

import torch
from torch import Tensor


def covariance(x: Tensor) -> Tensor:
    """The covariance (D, D) of n vectors (n, D), divided by n - 1; zeros for a single vector."""
    centred = x - x.mean(dim=0)
    return centred.mT @ centred / max(1, len(x) - 1)


def coral(source: Tensor, target: Tensor) -> Tensor:
    """The Frobenius norm of the difference of two covariances: a scalar.

    Source: Upadhyay, Busso and Lee, "A layer-anchoring strategy for enhancing cross-lingual speech emotion recognition"
    (2024), equation 1, for one layer. Sun, Feng and Saenko, "Correlation alignment for unsupervised domain adaptation"
    (2017), have the square of it, divided by 4 D².

    Args:
        source: (n, D).
        target: (m, D).
    """
    return torch.linalg.vector_norm(covariance(source) - covariance(target))  # type: ignore[no-any-return]
