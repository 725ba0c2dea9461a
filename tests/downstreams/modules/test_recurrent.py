"""Recurrent layers that torch has not, against their equations step by step."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from downstreams.modules.drawing import build
from downstreams.modules.recurrent import relu_lstm


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_a_relu_lstm_follows_its_equations() -> None:
    layer = build(lambda: nn.LSTM(3, 4, batch_first=True), "keras", np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(2, 6, 3))
    inward, recurrent, bias, _ = (parameter.detach().double().numpy() for parameter in layer.parameters())
    expected = np.zeros((2, 6, 4))
    for row in range(2):
        output, cell = np.zeros(4), np.zeros(4)
        for step in range(6):
            into, forget, new, out = np.split(inward @ x[row, step] + recurrent @ output + bias, 4)
            cell = logistic(forget) * cell + logistic(into) * np.maximum(new, 0)
            output = logistic(out) * np.maximum(cell, 0)
            expected[row, step] = output
    found = relu_lstm(layer, torch.from_numpy(x.astype(np.float32))).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
