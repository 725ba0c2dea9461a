"""What the module of a head is made for, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Shape:
    """What a module is made for.

    Attributes:
        layers: Of what it reads, L.
        dim: Of each layer, D.
        parts: Dimensions of the upstreams that were joined, which sum to D; of a single one (D,).
        outputs: Classes, or dimensions.
        auxiliary: Auxiliary classes that it predicts beside; 0 for none.
    """

    layers: int
    dim: int
    parts: tuple[int, ...]
    outputs: int
    auxiliary: int


@dataclass(frozen=True)
class Outputs:
    """What a module gives for a batch.

    Attributes:
        scores: (B, K) logits, or values in units of their deviation on train.
        auxiliary: (B, C) logits of auxiliary classes, where it has them.
        embedding: (B, E), what the scores are made of, where another head may learn from it.
    """

    scores: Tensor
    auxiliary: Tensor | None = None
    embedding: Tensor | None = None
