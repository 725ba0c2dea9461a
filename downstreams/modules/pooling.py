"""From padded frames to one vector an utterance; padding never changes it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from downstreams.modules.drawing import Drawn


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


class AttentiveStatistics(Drawn):
    """Mean and standard deviation over frames, weighted by self-attention.

    With h = tanh(W x + b) the weights of the frames are the softmax of h v over time; the variance is the weighted mean
    of squares less the square of the weighted mean, and at least 1e-5. Source: lab-msp/MSP-Podcast_Challenge,
    net/pooling.py (AttentiveStatisticsPooling).

    Args:
        dim: D.
    """

    LEAST_VARIANCE = 1e-5

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(dim, dim)
        self.attention = nn.Parameter(torch.empty(dim))

    def draw(self, random: np.random.Generator) -> None:
        """A standard normal attention vector."""
        self.attention.copy_(torch.from_numpy(random.standard_normal(len(self.attention))))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """From (B, T, D) and a mask (B, T) to (B, 2 D)."""
        scores = torch.tanh(self.hidden(x)) @ self.attention
        weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=1).unsqueeze(-1)
        mean = (weights * x).sum(dim=1)
        variance = (weights * x.square()).sum(dim=1) - mean.square()
        return torch.cat([mean, variance.clamp(min=self.LEAST_VARIANCE).sqrt()], dim=-1)
