"""The upstream trained with a linear layer, a mean over frames and a linear layer: s3prl's way and audEERING's.

Source: s3prl/s3prl, downstream/emotion/model.py and downstream/runner.py; Wagner et al., "Dawn of the transformer era
in speech emotion recognition: Closing the valence gap" (TPAMI 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from benchmark.base import HeadParams
from downstreams.modules.drawing import Dropout
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.modules.pooling import masked_mean
from downstreams.params.finetune import FinetuneMeanParams
from downstreams.training.tuned_head import TunedHead

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"none": nn.Identity(), "relu": torch.relu, "tanh": torch.tanh}


class MeanModule(nn.Module):
    """A linear layer on every frame, their mean, an activation, and a linear layer.

    Args:
        shape: What it is made for; several layers are summed with learnt weights.
        hidden: Width of the first layer.
        activation: After the mean.
        dropout: After the activation.
    """

    def __init__(self, shape: Shape, hidden: int, activation: Literal["none", "relu", "tanh"], dropout: float) -> None:
        super().__init__()
        self.layers = LayerSum(shape.layers, "softmax")
        self.hidden = nn.Linear(shape.dim, hidden)
        self.activation = activation
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(hidden, shape.outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Outputs:
        """From frames (B, L, T, D) and their mask (B, T) to outputs."""
        pooled = masked_mean(self.hidden(self.layers(x)), mask)
        embedding = self.dropout(ACTIVATIONS[self.activation](pooled))
        return Outputs(self.output(embedding), embedding=embedding)


class Finetune(TunedHead):
    """The upstream is trained; linear layer, mean over frames, linear layer."""

    name = "finetune"
    version = 1
    Params: ClassVar[type[HeadParams]] = FinetuneMeanParams
    params: FinetuneMeanParams

    def _module(self, shape: Shape) -> nn.Module:
        params = self.params
        return MeanModule(shape, params.hidden, params.activation, params.dropout)
