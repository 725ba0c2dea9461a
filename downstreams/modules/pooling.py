"""From padded frames to one vector an utterance; padding never changes it."""

from __future__ import annotations

import torch
from torch import Tensor


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """The mean over the frames of each utterance.

    Args:
        x: (B, T, D).
        mask: (B, T) bool, True where there is a frame; at least one in each row.

    Returns:
        (B, D).
    """
    inside = mask.unsqueeze(-1)
    return torch.where(inside, x, 0.0).sum(dim=1) / inside.sum(dim=1)


def last_frame(x: Tensor, mask: Tensor) -> Tensor:
    """The last frame of each utterance: (B, D) of (B, T, D), with a mask as in `masked_mean`."""
    last = mask.sum(dim=1) - 1
    return x[torch.arange(len(x), device=x.device), last]
