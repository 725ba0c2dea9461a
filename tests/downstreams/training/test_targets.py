"""Targets as they are learnt, and the way back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from benchmark.errors import BenchError
from benchmark.metrics import find, score
from benchmark.types import Examples
from downstreams.training.targets import Scale, dev_score, refuse_no_dev, selecting_metric

Make = Callable[..., Examples]


def test_classes_are_one_hot(examples: Make) -> None:
    data = examples(7)
    scale = Scale.of(data)
    np.testing.assert_array_equal(scale.targets(data, "train"), np.eye(3)[data.y])
    np.testing.assert_array_equal(scale.values(torch.tensor([[1.5, -2.0]])), [[1.5, -2.0]])


def test_values_are_learnt_in_units_of_their_deviation_on_train(value_examples: Make) -> None:
    train, dev = value_examples(50), value_examples(20, seed=1)
    scale = Scale.of(train)
    learnt = scale.targets(train, "train")
    np.testing.assert_allclose(learnt.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(learnt.std(axis=0), 1, rtol=1e-5)
    back = scale.values(torch.from_numpy(scale.targets(dev, "dev")))
    np.testing.assert_allclose(back, dev.y, rtol=1e-5)


def test_a_dimension_that_is_constant_on_train_stays_finite(value_examples: Make) -> None:
    train = value_examples(10)
    train.y[:, 0] = 3.0
    assert np.isfinite(Scale.of(train).targets(train, "train")).all()


def test_the_metric_selects_in_the_scale_of_the_task_and_higher_is_better(value_examples: Make) -> None:
    train, dev = value_examples(50), value_examples(20, seed=1)
    scale = Scale.of(train)
    outputs = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    assert dev_score(find("ccc"), dev, scale)(outputs) == score("ccc", dev.y, scale.values(outputs))
    assert dev_score(find("rmse"), dev, scale)(outputs) == -score("rmse", dev.y, scale.values(outputs))


def test_a_metric_of_the_other_kind_is_refused(examples: Make, value_examples: Make) -> None:
    assert selecting_metric("primary", examples(4)).name == "uar"
    assert selecting_metric("wa", examples(4)).name == "wa"
    with pytest.raises(BenchError, match="selects on ccc, a metric of regression, but the task is classification"):
        selecting_metric("ccc", examples(4))


def test_an_empty_dev_set_is_refused(examples: Make) -> None:
    refuse_no_dev("h", examples(1))
    with pytest.raises(BenchError, match="the head h selects on dev, but the protocol has no dev set"):
        refuse_no_dev("h", examples(0))
