"""Learnt sums of layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from downstreams.modules.drawing import build
from downstreams.modules.layers import LayerSum

X = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32))


def made(kind: str, layers: int = 3) -> LayerSum:
    module = build(lambda: LayerSum(layers, kind), "torch", np.random.default_rng(0))
    assert isinstance(module, LayerSum)
    return module


@pytest.mark.parametrize("kind", ["softmax", "ratio"])
def test_it_begins_as_the_mean_of_the_layers(kind: str) -> None:
    torch.testing.assert_close(made(kind)(X), X.mean(dim=1))


def test_weights_are_softmaxed_or_divided_by_their_sum() -> None:
    for kind, weights in (("softmax", np.exp([1, 2, -1]) / np.exp([1, 2, -1]).sum()), ("ratio", [0.5, 1.0, -0.5])):
        module = made(kind)
        with torch.no_grad():
            module.scores.copy_(torch.tensor([1.0, 2.0, -1.0]))
        expected = np.einsum("l,bltd->btd", np.asarray(weights), X.numpy())
        np.testing.assert_allclose(module(X).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
        assert float(module.weights().sum().detach()) == pytest.approx(1)


def test_a_single_layer_is_itself_and_nothing_is_learnt_of_it() -> None:
    module = made("softmax", 1)
    assert sum(parameter.numel() for parameter in module.parameters()) == 0
    assert torch.equal(module(X[:, :1]), X[:, 0])
