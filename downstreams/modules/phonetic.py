"""A constraint that brings a vowel of two corpora together, and keeps it apart from other vowels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot


def vowel_means(x: Tensor, vowels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The mean of the frames of each vowel over a batch.

    Args:
        x: (B, T, W).
        vowels: (B, T) int64, which vowel is spoken in each frame, below 0 for none, as in padding.
        count: K, of the vowels.

    Returns:
        (K, W), zero for a vowel that nobody speaks, and (K,) the number of its frames.
    """
    flat, spoken = x.flatten(0, 1), vowels.flatten()
    # As a product: it adds in the same order on every run, which scattering does not on a GPU.
    chosen = one_hot(spoken.clamp(min=0), count).to(x.dtype) * (spoken >= 0).unsqueeze(-1)
    frames = chosen.sum(dim=0)
    return chosen.mT @ flat / frames.clamp(min=1).unsqueeze(-1), frames


def phonetic_constraint(source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor], margin: float) -> Tensor:
    """How far vowels of a target are from being nearer to the same vowel of a source than to other vowels: a scalar.

    The mean, over all ordered pairs of different vowels v and w that both sets have, of

        max(0, margin + d(source v, target v) - d(source v, target w)),

    with d one minus the cosine: the triplet loss of Schroff, Kalenichenko and Philbin, "FaceNet: a unified embedding
    for face recognition and clustering" (CVPR 2015), equation 3, on means of vowels. Zero where they share fewer than
    two.

    Args:
        source: Means (K, W) and numbers (K,) of the frames of each vowel.
        target: Likewise.
        margin: By how much nearer they should be.
    """
    shared = (source[1] > 0) & (target[1] > 0)
    anchors, others = normalize(source[0][shared], dim=-1), normalize(target[0][shared], dim=-1)
    distances = 1 - anchors @ others.mT
    apart = ~torch.eye(len(distances), dtype=torch.bool, device=distances.device)
    hinges = (margin + distances.diagonal().unsqueeze(-1) - distances).clamp(min=0)
    # Without a pair the sum of nothing, so that there is a gradient all the same.
    return hinges[apart].sum() / apart.sum().clamp(min=1)
