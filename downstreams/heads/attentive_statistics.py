"""The pooling and head of the MSP-Podcast challenge's baseline, on frozen layers.

Source: Goncalves et al., "Odyssey 2024 - Speech emotion recognition challenge: Dataset, baseline framework, and
results" (Odyssey 2024); lab-msp/MSP-Podcast_Challenge, net/pooling.py and net/ser.py.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from benchmark.base import HeadParams
from downstreams.modules.drawing import Dropout
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.modules.pooling import AttentiveStatistics
from downstreams.params.attentive_statistics import AttentiveStatisticsParams
from downstreams.training.module_head import ModuleHead


class AttentiveStatisticsModule(nn.Module):
    """Layer sum, attentive statistics, and a layer with LayerNorm and ReLU before the output layer.

    Args:
        shape: What it is made for.
        hidden: Width of the layer after the pooling.
        dropout: Before and after it.
    """

    def __init__(self, shape: Shape, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = LayerSum(shape.layers, "softmax")
        self.pooling = AttentiveStatistics(shape.dim)
        self.dropout = Dropout(dropout)
        self.hidden = nn.Linear(2 * shape.dim, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.output = nn.Linear(hidden, shape.outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Outputs:
        """From frames (B, L, T, D) and their mask (B, T) to outputs."""
        pooled = self.dropout(self.pooling(self.layers(x), mask))
        embedding = self.norm(self.hidden(pooled)).relu()
        return Outputs(self.output(self.dropout(embedding)), embedding=embedding)


class AttentiveStatisticsHead(ModuleHead):
    """Learnt layer sum, attention-weighted mean and deviation over frames, two layers."""

    name = "attentive-statistics"
    version = 1
    Params: ClassVar[type[HeadParams]] = AttentiveStatisticsParams
    params: AttentiveStatisticsParams

    def _module(self, shape: Shape) -> nn.Module:
        return AttentiveStatisticsModule(shape, self.params.hidden, self.params.dropout)
