"""What every head refuses, with a text that names the set, what was found and what was expected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmark.contracts.toys import toy
from benchmark.errors import BenchError
from downstreams.checks import class_indices, frames, means, values


def test_good_examples_pass(examples, value_examples) -> None:
    good = examples(5)
    assert means(good, "train") is good.x
    assert means(good, "dev", shape=(3, 6)) is good.x
    np.testing.assert_array_equal(class_indices(good, "train"), good.y)
    assert values(value_examples(5), "train").dtype == np.float64


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda e: {"x": e.x.astype(np.float64)}, "the features of dev have shape (5, 3, 6) and dtype float64"),
        (lambda e: {"x": e.x[:, 0]}, "the features of dev have shape (5, 6)"),
        (lambda e: {"x": e.x[:, :0]}, "the features of dev have shape (5, 0, 6)"),
        (lambda e: {"x": tuple(e.x)}, "the features of dev have type tuple"),
        (lambda e: {"x": e.x[:4]}, "dev has 5 ids, 4 features and 5 speakers"),
        (lambda e: {"speakers": ("s",)}, "dev has 5 ids, 5 features and 1 speakers"),
        (lambda e: {"x": e.x[:, :2]}, "dev has 2 layers of 6 values, the head was fitted on 3 of 6"),
        (lambda e: {"x": e.x[:, :, :5]}, "dev has 3 layers of 5 values, the head was fitted on 3 of 6"),
        (lambda e: {"ids": (), "x": e.x[:0], "speakers": ()}, "dev holds no utterance"),
        (lambda e: {"x": np.where(np.arange(5)[:, None, None] == 3, np.nan, e.x)}, "features of '0-3' in dev"),
        (lambda e: {"x": np.where(np.arange(5)[:, None, None] == 2, np.inf, e.x)}, "features of '0-2' in dev"),
    ],
)
def test_features_that_are_refused(examples, change, text: str) -> None:
    good = examples(5)
    with pytest.raises(BenchError) as error:
        means(replace(good, **change(good)), "dev", shape=(3, 6))
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x: x.astype(np.float64), "of 'toy0-001' in dev have shape (3, 9, 8) and dtype float64"),
        (lambda x: x[0], "of 'toy0-001' in dev have shape (9, 8)"),
        (lambda x: x[:, :0], "of 'toy0-001' in dev have shape (3, 0, 8)"),
        (lambda x: x.tolist(), "of 'toy0-001' in dev have type list"),
        (lambda x: x[:2], "'toy0-001' in dev have 2 layers of 8 values, others 3 of 8"),
        (lambda x: x[..., :7], "'toy0-001' in dev have 3 layers of 7 values, others 3 of 8"),
        (lambda x: np.where(np.arange(8) == 3, np.nan, x), "the features of 'toy0-001' in dev are not finite"),
    ],
)
def test_frames_that_are_refused(change, text: str) -> None:
    good = toy("frames", utterances=3, speakers=3, seed=0, frames=(9, 9))
    assert all(read is given for read, given in zip(frames(good, "dev"), good.x, strict=True))
    with pytest.raises(BenchError) as error:
        list(frames(replace(good, x=(good.x[0], change(good.x[1]), good.x[2])), "dev"))
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (None, "train has no targets"),
        (np.array([0, 1, 2, 3, 0]), "train holds the class index 3 (it must lie in 0..2)"),
        (np.array([0, -1, 2, 0, 0]), "train holds the class index -1"),
        (np.zeros(5), "the targets of train have shape (5,) and dtype float64"),
        (np.zeros(4, dtype=np.int64), "the targets of train have shape (4,)"),
    ],
)
def test_classes_that_are_refused(examples, y: np.ndarray | None, text: str) -> None:
    with pytest.raises(BenchError) as error:
        class_indices(replace(examples(5), y=y), "train")
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (np.zeros((5, 3), np.float32), "have shape (5, 3) and dtype float32 (expected float32 of shape (5, 2))"),
        (np.zeros((5, 2), np.int64), "have shape (5, 2) and dtype int64"),
        (np.where(np.eye(5)[:, :2] > 0, np.nan, 0).astype(np.float32), "the targets of '0-0' in train are not finite"),
    ],
)
def test_values_that_are_refused(value_examples, y: np.ndarray, text: str) -> None:
    with pytest.raises(BenchError) as error:
        values(replace(value_examples(5), y=y), "train")
    assert text in str(error.value)
