"""Some values of the upstream trained with PEFT-SER's head.

Source: Feng and Narayanan, "PEFT-SER: On the use of parameter efficient transfer learning approaches for speech emotion
recognition using pre-trained speech models" (ACII 2023); usc-sail/peft-ser, package/model/wav2vec.py.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from benchmark.base import HeadParams
from downstreams.modules.drawing import Dropout
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.modules.pooling import masked_mean
from downstreams.params.finetune import FinetunePointwiseParams
from downstreams.training.tuned_head import TunedHead


class PointwiseModule(nn.Module):
    """Layer sum, layers with ReLU on every frame, their mean, a layer with ReLU and the output layer.

    Args:
        shape: What it is made for.
        hidden: Width of all layers.
        depth: Layers before the mean.
        dropout: After each of them but the last.
    """

    def __init__(self, shape: Shape, hidden: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.layers = LayerSum(shape.layers, "softmax")
        widths = [shape.dim, *[hidden] * depth]
        self.pointwise = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.dropout = Dropout(dropout)
        self.hidden = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, shape.outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Outputs:
        """From frames (B, L, T, D) and their mask (B, T) to outputs."""
        frames = self.layers(x)
        for number, layer in enumerate(self.pointwise):
            frames = layer(frames if number == 0 else self.dropout(frames)).relu()
        embedding = self.hidden(masked_mean(frames, mask)).relu()
        return Outputs(self.output(embedding), embedding=embedding)


class FinetunePointwise(TunedHead):
    """Some of the upstream is trained; layers on every frame, mean over frames, two layers."""

    name = "finetune-pointwise"
    version = 1
    Params: ClassVar[type[HeadParams]] = FinetunePointwiseParams
    params: FinetunePointwiseParams

    def _module(self, shape: Shape) -> nn.Module:
        return PointwiseModule(shape, self.params.hidden, self.params.depth, self.params.dropout)
