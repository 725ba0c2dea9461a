"""The first linear layer of fitted heads: against their own weights, and whatever stands before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.base import Downstream
from benchmark.contracts.toys import toy, toy_of
from benchmark.errors import BenchError
from benchmark.registry.registry import Registry
from downstreams.training.first_layer import first_linear
from downstreams.training.frames import padded

REGISTRY = Registry()


def fitted(name: str, **changes: Any) -> Downstream:
    made = REGISTRY.downstream(name)
    params = {**made.params.model_dump(exclude_unset=True), "maximum": 1, "normalisation": "none", **changes}
    head = type(made)(type(made).Params.model_validate(params))
    train, dev = (toy_of(head, utterances=n, speakers=3, seed=seed) for seed, n in enumerate((24, 12)))
    head.fit(train, dev, seed=0)
    return head


def test_it_is_the_mean_over_frames_of_the_first_layer_before_its_activation() -> None:
    head: Any = fitted("linear", batch_size=4)
    test = replace(toy("frames", utterances=11, speakers=3, seed=5), y=None)
    found = head.first_layer(test)
    assert found.shape == (11, 256)
    assert found.dtype == np.float32
    with torch.no_grad():
        for x, values in zip(test.x, found, strict=True):
            frames = head.module.layers(torch.from_numpy(np.asarray(x)[-1:]).unsqueeze(0))[0]
            np.testing.assert_allclose(values, head.module.hidden(frames).mean(dim=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "width"), [("dense", 128), ("gru", 128), ("tcgru", 128), ("transformer", 128), ("attentive-statistics", 8)]
)
def test_every_network_of_frames_has_one(name: str, width: int) -> None:
    head = fitted(name)
    found = head.first_layer(replace(toy_of(head, utterances=6, speakers=3, seed=5), y=None))
    assert found.shape == (6, width)
    assert np.isfinite(found).all()
    predicted = head.predict(replace(toy_of(head, utterances=6, speakers=3, seed=5), y=None))
    assert np.isfinite(predicted).all()  # the hooks are gone


def test_a_head_that_has_none_says_so() -> None:
    with pytest.raises(BenchError, match="the head svm has no first layer to look at"):
        REGISTRY.downstream("svm").first_layer(toy("mean", utterances=3, speakers=3, seed=0))
    batch = padded([np.ones((1, 3, 2), np.float32)], np.array([0]), "cpu")
    with pytest.raises(BenchError, match="the head has no linear layer"):
        first_linear(nn.Identity(), lambda batch: None, [batch])
    layer = nn.Linear(2, 4)
    with pytest.raises(BenchError, match=r"gives values of shape \(5, 4\) for 1 utterances"):
        first_linear(layer, lambda batch: layer(torch.ones(5, 2)), [batch])
