"""Scores of any precision are taken as they are, whoever asks; anything else is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmark.base import Downstream
from benchmark.errors import BenchError
from benchmark.run.asking import scores_of
from benchmark.types import Examples

EXAMPLES = Examples(
    ids=("a", "b"),
    x=np.zeros((2, 1, 1), np.float32),
    y=None,
    speakers=("anna", "anna"),
    outputs=("high", "low", "mid"),
    kind="classification",
    metric="uar",
)


class Says(Downstream):
    """Says what it is told to."""

    def __init__(self, said: Any) -> None:
        self.said = said

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Any:
        raise NotImplementedError

    def predict(self, examples: Examples) -> Any:
        return self.said


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, list])
def test_numbers_of_any_precision_are_scores(dtype: Any) -> None:
    values = [[0.5, 1, 2], [3, 4, 5]] if dtype in (np.float64, np.float32, np.float16) else [[0, 1, 2], [3, 4, 5]]
    found = scores_of(Says(values if dtype is list else np.array(values, dtype)), EXAMPLES)
    assert found.dtype == np.float64
    assert found.tolist() == values


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ([0, 1], r"shape \(2,\) and dtype int64 for 2 utterances of 3 classes"),
        ([[0.0, 1.0]] * 2, r"shape \(2, 2\) and dtype float64 for 2"),
        ([["0", "1", "2"]] * 2, r"shape \(2, 3\) and dtype <U1 for 2"),
        (np.ones((2, 3), bool), "dtype bool"),
        (np.ones((2, 3), complex), "dtype complex128"),
        (None, r"shape \(\) and dtype object"),
    ],
)
def test_what_is_no_score_is_named(said: Any, what: str) -> None:
    with pytest.raises(BenchError, match=what) as error:
        scores_of(Says(said), EXAMPLES)
    assert error.value.hint == "it returns an array of numbers, of shape (2, 3)"
