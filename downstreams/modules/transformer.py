"""A transformer encoder whose dropout draws from a generator of its own; padding never reaches a frame.

Source: Vaswani et al., "Attention is all you need" (NIPS 2017), with layer normalisation before each part of a block
(Xiong et al., "On layer normalization in the transformer architecture", ICML 2020), which needs no warm-up.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from downstreams.modules.drawing import Dropout


def positions(frames: int, width: int, like: Tensor) -> Tensor:
    """Sinusoids (T, W) that tell positions, section 3.5 of the paper: sines in even columns, cosines in odd ones."""
    steps = torch.arange(frames, dtype=torch.float64).unsqueeze(-1)
    angles = steps * torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10_000.0) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).reshape(frames, width).to(like)


class Block(nn.Module):
    """Self-attention and a feed-forward layer, each added to its input.

    Args:
        width: W.
        heads: Divide the width.
        feedforward: Width between the two linear layers.
        dropout: Of what is added.
    """

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inward, self.outward = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, feedforward), nn.Linear(feedforward, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """From (B, T, W) and a mask (B, T) to (B, T, W)."""
        x = x + self.dropout(self._attend(self.attention_norm(x), mask))
        inside = self.dropout(self.widen(self.feedforward_norm(x)).relu())
        return x + self.dropout(self.narrow(inside))  # type: ignore[no-any-return]

    def _attend(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, frames, width = x.shape
        query, key, value = self.inward(x).view(batch, frames, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = query @ key.mT / math.sqrt(width / self.heads)
        weights = torch.softmax(scores.masked_fill(~mask[:, None, None], -torch.inf), dim=-1)
        return self.outward((weights @ value).transpose(1, 2).reshape(batch, frames, width))  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """A projection of frames, positions, blocks, and a last layer normalisation.

    Args:
        dim: D, of the frames.
        width: W.
        heads: Attention heads of each block.
        blocks: How many.
        feedforward: Width inside a block.
        dropout: In each block, and of the projected frames.
    """

    def __init__(self, dim: int, width: int, heads: int, blocks: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.projection = nn.Linear(dim, width)
        self.blocks = nn.ModuleList(Block(width, heads, feedforward, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """From frames (B, T, D) and their mask (B, T) to (B, T, W)."""
        projected = self.projection(x)
        hidden = self.dropout(projected + positions(projected.shape[1], projected.shape[2], projected))
        for block in self.blocks:
            hidden = block(hidden, mask)
        return self.norm(hidden)  # type: ignore[no-any-return]
