"""The transformer of the layer-anchoring study: four fully connected layers after an encoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from benchmark.registry.registry import Registry
from downstreams.heads.transformer import TransformerModule
from downstreams.modules.drawing import build
from downstreams.modules.interface import Shape
from downstreams.params.transformer import TransformerParams
from downstreams.training.frames import padded

PARAMS = Registry().downstream("transformer").params


def test_the_mean_of_the_encoder_goes_through_the_layers() -> None:
    module = build(lambda: TransformerModule(Shape(3, 5, (5,), 4, 0), PARAMS), "torch", np.random.default_rng(0)).eval()
    assert isinstance(module, TransformerModule)
    arrays = [np.random.default_rng(n).normal(size=(3, n, 5)).astype(np.float32) for n in (5, 2)]
    batch = padded(arrays, np.arange(2), "cpu")
    for row, array in enumerate(arrays):
        alone = torch.from_numpy(array.mean(axis=0, keepdims=True))
        hidden = module.encoder(alone, torch.ones(1, alone.shape[1], dtype=torch.bool)).mean(dim=1)
        for layer in module.hidden:
            hidden = layer(hidden).relu()
        found = module(batch.x, batch.mask).scores[row]
        torch.testing.assert_close(found, module.output(hidden)[0], rtol=1e-4, atol=1e-5)
    assert len(module.hidden) + 1 == 4


def test_a_width_that_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ValidationError, match="width is 30, which is no even number for each of 4 heads"):
        TransformerParams.model_validate({**PARAMS.model_dump(exclude_unset=True), "width": 30})
