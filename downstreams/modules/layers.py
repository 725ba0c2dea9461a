"""Sums of layers."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from downstreams.modules.drawing import Drawn


class LayerSum(Drawn):
    """A weighted sum of layers; of a single one that layer.

    Args:
        layers: L.
        weights: "softmax": scores that begin at 0 and are softmaxed. "ratio": weights that begin at 1 and are divided
            by their sum, as in Pepino et al., "Emotion recognition from speech using wav2vec 2.0 embeddings"
            (Interspeech 2021), equation 1: they may become negative. "equal": nothing is learnt, all weigh alike.
    """

    def __init__(self, layers: int, weights: Literal["softmax", "ratio", "equal"]) -> None:
        super().__init__()
        self.kind = weights
        self.scores = nn.Parameter(torch.empty(layers if layers > 1 and weights != "equal" else 0))

    def draw(self, random: np.random.Generator) -> None:
        """All layers alike."""
        self.scores.fill_(0.0 if self.kind == "softmax" else 1.0)

    def weights(self) -> Tensor:
        """(L,), summing to one."""
        if self.kind == "softmax":
            return torch.softmax(self.scores, dim=0)
        return self.scores / self.scores.sum()

    def forward(self, x: Tensor) -> Tensor:
        """From (B, L, T, D) to (B, T, D)."""
        batch, layers, frames, dim = x.shape
        if layers == 1:
            return x[:, 0]
        if self.kind == "equal":
            return x.mean(dim=1)
        return torch.matmul(self.weights(), x.reshape(batch, layers, frames * dim)).view(batch, frames, dim)
