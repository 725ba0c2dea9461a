"""The head `stopped-logistic`: scikit-learn's own, ended early without a word."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from benchmark.types import Examples
from downstreams.heads.logistic import Logistic
from downstreams.heads.stopped_logistic import StoppedLogistic
from downstreams.params.logistic import LogisticParams

RECIPE: dict[str, Any] = {"C": 1.0, "max_iter": 100, "normalisation": "none", "layer": "last", "fit_on": "train"}


def predicted(cls: Any, train: Examples, test: Examples, **changes: Any) -> np.ndarray:
    fitted = cls(LogisticParams.model_validate({**RECIPE, **changes}))
    nobody = replace(test, ids=(), x=test.x[:0], y=test.y[:0], speakers=())
    fitted.fit(train, nobody, seed=0)
    return fitted.predict(replace(test, y=None))


@pytest.mark.parametrize("iterations", [1, 3, 100])
def test_it_is_as_far_as_scikit_learn_gets(examples, iterations: int) -> None:
    train, test = examples(45), examples(20, seed=1)
    found = predicted(StoppedLogistic, train, test, max_iter=iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = LogisticRegression(max_iter=iterations).fit(train.x[:, -1].astype(float), train.y)
    np.testing.assert_allclose(found, known.predict_proba(test.x[:, -1].astype(float)), atol=1e-6)


def test_where_it_converges_it_is_the_head_logistic(examples) -> None:
    train, test = examples(45), examples(20, seed=1)
    np.testing.assert_array_equal(*(predicted(cls, train, test, max_iter=5000) for cls in (StoppedLogistic, Logistic)))


def test_a_single_class_is_all_there_is(examples) -> None:
    train, test = examples(45), examples(9, seed=1)
    only = train.part(np.flatnonzero(train.y == 2))
    np.testing.assert_array_equal(predicted(StoppedLogistic, only, test), np.tile([0.0, 0.0, 1.0], (9, 1)))
