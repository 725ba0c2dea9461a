"""Emotion prediction in conversation: GRUs over the frames of utterances, the utterances of turns, and the turns.

The hierarchy of Shi et al., "Emotion awareness in multi-utterance turn for improving emotion prediction in
multi-speaker conversation" (Interspeech 2023), whose sizes are not public; emotion2vec's table on conversation uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

import torch
from torch import Tensor, nn

from benchmark.base import HeadParams
from downstreams.modules.drawing import Dropout
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.modules.pooling import last_frame
from downstreams.params.epc_gru import EPCGRUParams
from downstreams.training.frames import Batch, Said
from downstreams.training.module_head import ModuleHead


class EPCGRUModule(nn.Module):
    """Layer sum, and a GRU over each level of a conversation, of which the state after the last step is read.

    Args:
        shape: What it is made for.
        hidden: Width of the GRUs.
        dropout: Of what one gives to the next.
    """

    def __init__(self, shape: Shape, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = LayerSum(shape.layers, "softmax")
        self.frames = nn.GRU(shape.dim, hidden, batch_first=True)
        self.utterances = nn.GRU(hidden, hidden, batch_first=True)
        self.turns = nn.GRU(hidden, hidden, batch_first=True)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(hidden, shape.outputs)

    def forward(self, x: Tensor, said: Sequence[Said]) -> Outputs:
        """Predict from what was said before.

        Args:
            x: (B, L, T, D), the frames of all utterances of an example one after the other.
            said: Of each example the turn and the number of frames of every utterance.
        """
        frames = self.layers(x)
        lengths = [[count for _, count in one] for one in said]
        utterances = self._read(self.frames, [
            piece for row, counts in enumerate(lengths) for piece in torch.split(frames[row, : sum(counts)], counts)
        ])  # fmt: skip
        in_turn = [len(list(group)) for one in said for _, group in groupby(one, key=lambda spoken: spoken[0])]
        turns = self._read(self.utterances, torch.split(utterances, in_turn))
        in_example = [len({turn for turn, _ in one}) for one in said]
        state = self._read(self.turns, torch.split(turns, in_example))
        return Outputs(self.output(state), embedding=state)

    def _read(self, gru: nn.GRU, pieces: Sequence[Tensor]) -> Tensor:
        """The state of a GRU after the last step of each of P pieces (T_i, D): (P, H)."""
        steps = torch.tensor([len(piece) for piece in pieces], device=pieces[0].device)
        together = nn.utils.rnn.pad_sequence(list(pieces), batch_first=True)
        mask = torch.arange(together.shape[1], device=steps.device) < steps.unsqueeze(-1)
        return self.dropout(last_frame(gru(together)[0], mask))  # type: ignore[no-any-return]


class EPCGRU(ModuleHead):
    """GRUs over the frames, utterances and turns before an utterance, for tasks that predict its emotion from them."""

    name = "epc-gru"
    version = 1
    Params: ClassVar[type[HeadParams]] = EPCGRUParams
    params: EPCGRUParams

    def _module(self, shape: Shape) -> nn.Module:
        return EPCGRUModule(shape, self.params.hidden, self.params.dropout)

    def _forward(self, module: nn.Module, batch: Batch) -> Outputs:
        outputs: Outputs = module(batch.x, batch.said)
        return outputs
