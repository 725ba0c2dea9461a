"""Two linear layers around a mean over frames."""

from __future__ import annotations

import numpy as np
import torch

from downstreams.heads.linear import LinearModule
from downstreams.modules.drawing import build
from downstreams.modules.interface import Shape
from downstreams.training.frames import padded


def test_it_is_linear_relu_mean_linear() -> None:
    shape = Shape(layers=1, dim=5, parts=(5,), outputs=3, auxiliary=0)
    module = build(lambda: LinearModule(shape, 7, 0.0), "torch", np.random.default_rng(0)).eval()
    arrays = [np.random.default_rng(n).normal(size=(1, n, 5)).astype(np.float32) for n in (4, 9, 1)]
    batch = padded(arrays, np.arange(3), "cpu")
    w, b, v, c = (value.detach().numpy() for value in list(module.parameters())[1:])  # no layer weights
    expected = [v @ np.maximum(array[0] @ w.T + b, 0).mean(axis=0) + c for array in arrays]
    np.testing.assert_allclose(module(batch.x, batch.mask).scores.detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    assert torch.isfinite(module(batch.x, batch.mask).embedding).all()
