"""A GRU over frames, after a convolution over time or without one, for dimensions with auxiliary classes beside them.

Source: Mitra et al., "Speech emotion: Investigating model representations, multi-task learning and knowledge
distillation" (Interspeech 2022), section 3.3 and figure 1.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from benchmark.base import HeadParams
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.modules.pooling import last_frame, masked_mean
from downstreams.params.recurrent import RecurrentParams
from downstreams.training.module_head import ModuleHead


class RecurrentModule(nn.Module):
    """Convolution over time with a skip connection, GRU, embedding, and output layers.

    Args:
        shape: What it is made for; several layers are summed with learnt weights.
        params: Widths, and what is read of the GRU.
    """

    def __init__(self, shape: Shape, params: RecurrentParams) -> None:
        super().__init__()
        self.layers = LayerSum(shape.layers, "softmax")
        window, dim = params.time_convolution, shape.dim
        self.convolution = None if window is None else nn.Conv1d(dim, dim, window, padding="same")
        inward = dim if window is None else 2 * dim
        self.gru = nn.GRU(inward, params.hidden, num_layers=params.depth, batch_first=True)
        self.readout = last_frame if params.readout == "last" else masked_mean
        self.embedding = nn.Linear(params.hidden, params.embedding)
        self.output = nn.Linear(params.embedding, shape.outputs)
        self.auxiliary = nn.Linear(params.embedding, shape.auxiliary) if shape.auxiliary else None

    def forward(self, x: Tensor, mask: Tensor) -> Outputs:
        """From frames (B, L, T, D), zero where an utterance has ended, and their mask (B, T) to outputs."""
        frames = self.layers(x)
        if self.convolution is not None:
            # What lies beyond an utterance is zero for the convolution, as what lies before it.
            frames = torch.cat([self.convolution(frames.mT).mT.relu(), frames], dim=-1)
        hidden, _ = self.gru(frames)  # forward in time: padding comes after all that is read
        embedding = self.embedding(self.readout(hidden, mask)).relu()
        auxiliary = None if self.auxiliary is None else self.auxiliary(embedding)
        return Outputs(self.output(embedding), auxiliary, embedding)


class Recurrent(ModuleHead):
    """Convolution over time or not, GRU over frames, embedding, output layer, and one for auxiliary classes."""

    name = "recurrent"
    version = 1
    Params: ClassVar[type[HeadParams]] = RecurrentParams
    params: RecurrentParams

    def _module(self, shape: Shape) -> nn.Module:
        return RecurrentModule(shape, self.params)
