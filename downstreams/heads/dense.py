"""Two point-wise layers on a learnt layer sum, with a mean over frames.

Source: Pepino, Riera and Ferrer, "Emotion recognition from speech using wav2vec 2.0 embeddings" (Interspeech 2021),
section 2.3 and figure 1; habla-liaa/ser-with-w2v2.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from benchmark.base import HeadParams
from downstreams.modules.drawing import Dropout
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.modules.pooling import masked_mean
from downstreams.modules.recurrent import relu_lstm
from downstreams.params.dense import DenseParams
from downstreams.training.module_head import ModuleHead


class DenseModule(nn.Module):
    """A layer on every frame of each branch, a second one on what they give together, a mean, and the output layer.

    Args:
        shape: What it is made for: the layers of the first part are summed with learnt weights that begin at 1 and are
            divided by their sum; every further part is a single layer.
        params: Widths, dropout, and what the second layer is.
    """

    def __init__(self, shape: Shape, params: DenseParams) -> None:
        super().__init__()
        hidden = params.hidden
        self.parts = shape.parts
        self.activation = params.activation
        self.layers = LayerSum(shape.layers, "ratio")
        self.branches = nn.ModuleList(nn.Linear(size, hidden) for size in shape.parts)
        inward = hidden * len(shape.parts)
        self.second: nn.Linear | nn.LSTM
        if params.second == "lstm":
            self.second = nn.LSTM(inward, hidden, batch_first=True)
        else:
            self.second = nn.Linear(inward, hidden)
        self.dropout = Dropout(params.dropout)
        self.output = nn.Linear(hidden, shape.outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Outputs:
        """From frames (B, L, T, D) and their mask (B, T) to outputs."""
        first, *others = torch.split(x, list(self.parts), dim=-1)
        inputs = [self.layers(first), *(other[:, 0] for other in others)]
        branches = [self.dropout(branch(part).relu()) for branch, part in zip(self.branches, inputs, strict=True)]
        hidden = self.dropout(self._second(torch.cat(branches, dim=-1)))
        pooled = masked_mean(hidden, mask)
        return Outputs(self.output(pooled), embedding=pooled)

    def _second(self, x: Tensor) -> Tensor:
        if isinstance(self.second, nn.Linear):
            return self.second(x).relu()  # type: ignore[no-any-return]
        return relu_lstm(self.second, x) if self.activation == "relu" else self.second(x)[0]


class Dense(ModuleHead):
    """Learnt layer sum, two layers on every frame (the second may be an LSTM), mean over frames, output layer."""

    name = "dense"
    version = 1
    Params: ClassVar[type[HeadParams]] = DenseParams
    params: DenseParams

    def _module(self, shape: Shape) -> nn.Module:
        return DenseModule(Shape(shape.layers, shape.dim, (shape.dim,), shape.outputs, 0), self.params)
