"""The head of the MSP-Podcast challenge: what stands after the pooling, which has its own test."""

from __future__ import annotations

import numpy as np
import torch

from downstreams.heads.attentive_statistics import AttentiveStatisticsModule
from downstreams.modules.drawing import build
from downstreams.modules.interface import Shape
from downstreams.training.frames import padded


def test_pooled_values_go_through_a_layer_with_layer_norm() -> None:
    shape = Shape(layers=2, dim=4, parts=(4,), outputs=3, auxiliary=0)
    module = build(lambda: AttentiveStatisticsModule(shape, 6, 0.5), "torch", np.random.default_rng(0)).eval()
    arrays = [np.random.default_rng(n).normal(size=(2, n, 4)).astype(np.float32) for n in (5, 2)]
    batch = padded(arrays, np.arange(2), "cpu")
    pooled = module.pooling(batch.x.mean(dim=1), batch.mask)
    hidden = module.hidden(pooled)
    normal = (hidden - hidden.mean(dim=1, keepdim=True)) / (hidden.var(dim=1, correction=0, keepdim=True) + 1e-5).sqrt()
    expected = module.output(normal.relu())
    assert pooled.shape == (2, 8)
    torch.testing.assert_close(module(batch.x, batch.mask).scores, expected, rtol=1e-4, atol=1e-5)
