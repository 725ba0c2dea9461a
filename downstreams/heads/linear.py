"""Two linear layers with a ReLU between them and a mean over frames before the last: the head of emotion2vec, EmoBox.

Source: Ma et al., "emotion2vec: Self-supervised pre-training for speech emotion representation" (Findings of ACL 2024);
ddlBoJack/emotion2vec, iemocap_downstream/model.py; EmoBox's SuperbBaseModel is the same network.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from benchmark.base import HeadParams
from downstreams.modules.drawing import Dropout
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.modules.pooling import masked_mean
from downstreams.params.linear import LinearParams
from downstreams.training.module_head import ModuleHead


class LinearModule(nn.Module):
    """A linear layer and a ReLU on every frame, their mean, and a linear layer.

    Args:
        shape: What it is made for; several layers are summed with learnt weights.
        hidden: Width of the first layer.
        dropout: Of its values.
    """

    def __init__(self, shape: Shape, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = LayerSum(shape.layers, "softmax")
        self.hidden = nn.Linear(shape.dim, hidden)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(hidden, shape.outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Outputs:
        """From frames (B, L, T, D) and their mask (B, T) to outputs."""
        pooled = masked_mean(self.dropout(self.hidden(self.layers(x)).relu()), mask)
        return Outputs(self.output(pooled), embedding=pooled)


class Linear(ModuleHead):
    """Linear layer and ReLU on every frame, mean over frames, linear layer."""

    name = "linear"
    version = 1
    Params: ClassVar[type[HeadParams]] = LinearParams
    params: LinearParams

    def _module(self, shape: Shape) -> nn.Module:
        return LinearModule(shape, self.params.hidden, self.params.dropout)
