"""What is learnt of targets is turned back into them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import BenchError
from downstreams.training.targets import Targets, truth_of


def test_classes_are_one_hot_and_scores_are_outputs(examples) -> None:
    train = examples(9)
    targets = Targets.fit(train, "train")
    np.testing.assert_array_equal(targets.learnt(train, "train").argmax(axis=1), train.y)
    assert targets.learnt(train, "train").sum() == 9
    outputs = np.random.default_rng(0).normal(size=(9, 3))
    np.testing.assert_array_equal(targets.scores(outputs), outputs)
    np.testing.assert_array_equal(truth_of(train, "train"), train.y)


def test_values_are_in_units_of_what_is_fitted_on(value_examples) -> None:
    train = value_examples(30)
    rows = np.arange(10)
    targets = Targets.fit(train, "train", rows)
    learnt = targets.learnt(train, "train")
    np.testing.assert_allclose(learnt[rows].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(learnt[rows].std(axis=0), 1)
    assert np.abs(learnt[10:].mean(axis=0)).min() > 1e-3
    np.testing.assert_allclose(targets.scores(learnt), train.y, rtol=1e-6)


def test_a_head_without_targets_is_refused(examples) -> None:
    from dataclasses import replace

    with pytest.raises(BenchError, match="train has no targets"):
        Targets.fit(examples(4), "train").learnt(replace(examples(4), y=None), "train")
