"""An attention-weighted layer sum, a transformer encoder over frames, and fully connected layers.

The source-only network of Upadhyay et al., "A layer-anchoring strategy for enhancing cross-lingual speech emotion
recognition" (2024), section 3. It gives no sizes and has no public code; see the recipe.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Literal

from torch import Tensor, nn

from benchmark.base import HeadParams
from downstreams.modules.drawing import Dropout
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.modules.pooling import masked_mean
from downstreams.modules.transformer import Encoder
from downstreams.params.transformer import TransformerParams
from downstreams.training.module_head import ModuleHead


class TransformerModule(nn.Module):
    """Layer sum, encoder, mean over frames, fully connected layers with ReLU, output layer.

    Args:
        shape: What it is made for.
        params: Sizes.
        layer_weights: As in `LayerSum`.
    """

    def __init__(
        self, shape: Shape, params: TransformerParams, layer_weights: Literal["softmax", "equal"] = "softmax"
    ) -> None:
        super().__init__()
        self.layers = LayerSum(shape.layers, layer_weights)
        self.encoder = Encoder(shape.dim, params.width, params.heads, params.blocks, params.feedforward, params.dropout)
        widths = pairwise((params.width, *params.fully_connected))
        self.hidden = nn.ModuleList(nn.Linear(inward, outward) for inward, outward in widths)
        self.dropout = Dropout(params.dropout)
        self.output = nn.Linear((params.width, *params.fully_connected)[-1], shape.outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Outputs:
        """From frames (B, L, T, D) and their mask (B, T) to outputs."""
        return self.read_out(self.encode(x, mask), mask)

    def encode(self, x: Tensor, mask: Tensor) -> Tensor:
        """From frames (B, L, T, D) and their mask (B, T) to frames (B, T, W)."""
        encoded: Tensor = self.encoder(self.layers(x), mask)
        return encoded

    def read_out(self, encoded: Tensor, mask: Tensor) -> Outputs:
        """From encoded frames (B, T, W) and their mask (B, T) to outputs."""
        hidden = masked_mean(encoded, mask)
        for layer in self.hidden:
            hidden = self.dropout(layer(hidden).relu())
        return Outputs(self.output(hidden), embedding=hidden)


class Transformer(ModuleHead):
    """Attention-weighted layer sum, transformer encoder over frames, fully connected layers."""

    name = "transformer"
    version = 1
    Params: ClassVar[type[HeadParams]] = TransformerParams
    params: TransformerParams

    def _module(self, shape: Shape) -> nn.Module:
        return TransformerModule(shape, self.params)
