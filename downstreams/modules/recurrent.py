"""Recurrent layers that torch has not."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def relu_lstm(layer: nn.LSTM, x: Tensor) -> Tensor:
    """An LSTM whose cell input and output go through a ReLU where others have tanh, as `activation="relu"` of Keras.

    Args:
        layer: Has the parameters: one layer, one direction, batch first.
        x: (B, T, D).

    Returns:
        (B, T, H), the outputs of every step.
    """
    inward, recurrent, bias, recurrent_bias = layer.all_weights[0]
    given = x @ inward.T + bias + recurrent_bias
    output = x.new_zeros(len(x), layer.hidden_size)
    cell = torch.zeros_like(output)
    outputs = []
    for step in given.unbind(dim=1):
        into, forget, new, out = (step + output @ recurrent.T).chunk(4, dim=-1)
        cell = forget.sigmoid() * cell + into.sigmoid() * new.relu()
        output = out.sigmoid() * cell.relu()
        outputs.append(output)
    return torch.stack(outputs, dim=1)
