"""Point-wise layers on a learnt layer sum."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.registry.registry import Registry
from downstreams.heads.dense import DenseModule
from downstreams.modules.drawing import build
from downstreams.modules.interface import Shape
from downstreams.modules.recurrent import relu_lstm
from downstreams.training.frames import padded

REGISTRY = Registry()
ARRAYS = [np.random.default_rng(n).normal(size=(3, n, 6)).astype(np.float32) for n in (4, 9, 1)]


@pytest.mark.parametrize("name", ["dense", "lstm"])
def test_the_network_without_dropout(name: str) -> None:
    params = REGISTRY.downstream(name).params.model_copy(update={"hidden": 4})
    module = build(lambda: DenseModule(Shape(3, 6, (6,), 2, 0), params), "keras", np.random.default_rng(0)).eval()
    batch = padded(ARRAYS, np.arange(3), "cpu")
    first, output = module.branches[0], module.output
    for row, array in enumerate(ARRAYS):
        hidden = np.maximum(array.mean(axis=0) @ first.weight.detach().numpy().T, 0)  # biases begin at zero
        if name == "dense":
            hidden = np.maximum(hidden @ module.second.weight.detach().numpy().T, 0)
        else:
            alone = padded([hidden[np.newaxis]], np.arange(1), "cpu").x[:, 0]
            hidden = relu_lstm(module.second, alone)[0].detach().numpy()
        expected = output.weight.detach().numpy() @ hidden.mean(axis=0)
        found = module(batch.x, batch.mask).scores[row].detach().numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
