"""The head `xares-mlp`: its formula, and that means are all that it reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.registry.registry import Registry


def fitted(examples) -> Any:
    head = Registry().downstream("xares-mlp")
    head.fit(examples(60), examples(30, seed=1), seed=0)
    return head


def test_it_is_a_linear_layer_on_normalised_means(examples) -> None:
    head, test = fitted(examples), examples(20, seed=2)
    x = test.x[:, -1].astype(float)
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    weights = {name: value.detach().double().numpy() for name, value in head.module.named_parameters()}
    normed = (x - mean) / np.sqrt(variance + 1e-5) * weights["norm.weight"] + weights["norm.bias"]
    logits = normed @ weights["output.weight"].T + weights["output.bias"]
    expected = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(head.predict(replace(test, y=None)), expected, atol=1e-5)
    assert head.parameters() == 2 * 6 + 6 * 3 + 3


def test_it_reads_the_last_layer_of_means(examples) -> None:
    head, test = fitted(examples), examples(20, seed=2)
    assert head.needs == "mean"
    other = replace(test, x=np.concatenate([np.zeros_like(test.x[:, :2]), test.x[:, 2:]], axis=1))
    np.testing.assert_array_equal(head.predict(test), head.predict(other))


def test_other_features_than_it_was_fitted_on_are_refused(examples) -> None:
    with pytest.raises(BenchError, match="test has 2 layers of 6 values, the head was fitted on 3 of 6"):
        fitted(examples).predict(examples(5, layers=2))
