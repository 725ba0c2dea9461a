"""A layer normalisation and a linear layer on means: the trained probe of X-ARES.

Source: jimbozhang/xares, src/xares/models/simple.py. Its head takes the mean over time first, so that it trains exactly
from stored means.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from torch import Tensor, nn

from benchmark.base import HeadParams
from benchmark.types import Examples
from downstreams import checks as check
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.modules.pooling import masked_mean
from downstreams.params.xares_mlp import XaresMLPParams
from downstreams.training.frames import Frames
from downstreams.training.module_head import ModuleHead


class XaresMLPModule(nn.Module):
    """Mean over frames, layer normalisation, linear layer.

    Args:
        shape: What it is made for; several layers are summed with learnt weights.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.layers = LayerSum(shape.layers, "softmax")
        self.norm = nn.LayerNorm(shape.dim)
        self.output = nn.Linear(shape.dim, shape.outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Outputs:
        """From frames (B, L, T, D) and their mask (B, T) to outputs."""
        embedding = self.norm(masked_mean(self.layers(x), mask))
        return Outputs(self.output(embedding), embedding=embedding)


class XaresMLP(ModuleHead):
    """Layer normalisation and a linear layer on means."""

    name = "xares-mlp"
    version = 1
    Params: ClassVar[type[HeadParams]] = XaresMLPParams
    params: XaresMLPParams

    def _module(self, shape: Shape) -> nn.Module:
        return XaresMLPModule(shape)

    def _frames(self, examples: Examples, what: str, shape: tuple[int, int] | None, memory: float) -> Frames:
        """Every mean as the one frame of its utterance."""
        means = check.means(examples, what, shape)
        return super()._frames(replace(examples, x=tuple(means[:, :, None])), what, shape, memory)
