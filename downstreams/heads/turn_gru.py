"""A head that hears what was said before an utterance and predicts its emotion: a GRU over turns.

Emotion prediction in conversation, after Shi et al., "Emotion awareness in multi-utterance turn for improving emotion
prediction in multi-speaker conversation" (Interspeech 2023), who stack several GRUs on frames, utterances and turns.
Here a turn is the mean of its utterances, so that the head trains from per-layer means; it is not their model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.base import HeadParams
from benchmark.types import Examples
from downstreams import checks as check
from downstreams.params.turn_gru import TurnGRUParams
from downstreams.training.initial import uniform
from downstreams.training.stacked import Trained


def initial_parameters(
    layers: int, dim: int, hidden: int, outputs: int, generator: np.random.Generator
) -> list[Tensor]:
    """Draw one head: layer weights zero, GRU and output layer uniform in ± H**-0.5, as torch's GRU initialises itself.

    Args:
        layers: L.
        dim: D.
        hidden: H.
        outputs: K.
        generator: Draws.

    Returns:
        Float64 on the CPU: layer weights before their softmax (L,), input weights (3H, D), recurrent weights (3H, H)
        and their biases (3H,) each, in torch's order (reset, update, new), output layer (K, H) and bias (K,).
    """
    bound = hidden**-0.5
    shapes = [(3 * hidden, dim), (3 * hidden, hidden), (3 * hidden,), (3 * hidden,), (outputs, hidden), (outputs,)]
    weights = torch.zeros(layers, dtype=torch.float64, device="cpu")
    return [weights, *(uniform(generator, bound, *shape) for shape in shapes)]


def forward(parameters: Sequence[Tensor], x: Tensor) -> Tensor:
    """Outputs of stacked heads from what was said before.

    Args:
        parameters: As `initial_parameters` returns, each with a leading axis of M members.
        x: (T * L, n, D), the L layers of the oldest turn first.

    Returns:
        (M, n, K) logits or values, from the state after the last turn.
    """
    layer_weights, inward, recurrent, inward_bias, recurrent_bias, output, output_bias = parameters
    members, layers = layer_weights.shape
    turns = x.view(-1, layers, *x.shape[1:])
    weights = torch.softmax(layer_weights, dim=-1)
    state = x.new_zeros(members, x.shape[1], recurrent.shape[-1])
    for turn in turns:
        pooled = torch.einsum("ml,lnd->mnd", weights, turn)
        given = pooled @ inward.mT + inward_bias.unsqueeze(1)
        kept = state @ recurrent.mT + recurrent_bias.unsqueeze(1)
        (reset_in, update_in, new_in), (reset_kept, update_kept, new_kept) = given.chunk(3, -1), kept.chunk(3, -1)
        reset, update = torch.sigmoid(reset_in + reset_kept), torch.sigmoid(update_in + update_kept)
        new = torch.tanh(new_in + reset * new_kept)
        state = (1 - update) * new + update * state
    return state @ output.mT + output_bias.unsqueeze(1)


class TurnGRU(Trained):
    """A GRU over the turns before an utterance, for tasks that predict its emotion from them."""

    name = "turn-gru"
    version = 2
    Params: ClassVar[type[HeadParams]] = TurnGRUParams
    params: TurnGRUParams

    def _means(self, examples: Examples, what: str, shape: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Means (n * T, L, D) of the turns, all turns of an example together."""
        means = check.turn_means(examples, what, shape)
        return means.reshape(-1, *means.shape[2:])

    def _layers_first(self, x: NDArray[np.float32], examples: int) -> NDArray[np.float32]:
        """Means of turns as (T * L, n, D), the L layers of the oldest turn first."""
        _, layers, dim = x.shape
        by_example = x.reshape(examples, -1, layers, dim)
        layers_first: NDArray[np.float32] = by_example.transpose(1, 2, 0, 3).reshape(-1, examples, dim)
        return layers_first

    def _initial_parameters(self, layers: int, dim: int, outputs: int, generator: np.random.Generator) -> list[Tensor]:
        return initial_parameters(layers, dim, self.params.hidden, outputs, generator)

    def _forward(self, parameters: Sequence[Tensor], x: Tensor) -> Tensor:
        return forward(parameters, x)
