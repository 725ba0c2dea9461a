"""The head `logistic` against its own conditions of optimality, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.types import Examples
from downstreams.heads.logistic import Logistic
from downstreams.params.logistic import LogisticParams

RECIPE: dict[str, Any] = {"C": 1.0, "max_iter": 1000, "normalisation": "global", "layer": "last", "fit_on": "train"}


def fitted(train: Examples, **changes: Any) -> Logistic:
    head = Logistic(LogisticParams.model_validate({**RECIPE, **changes}))
    head.fit(train, replace(train, ids=(), x=train.x[:0], y=train.y[:0], speakers=()), seed=0)
    return head


def without(examples: Examples, *classes: int) -> Examples:
    kept = [row for row in range(len(examples)) if examples.y[row] not in classes]
    return replace(
        examples,
        ids=tuple(examples.ids[row] for row in kept),
        x=examples.x[kept],
        y=examples.y[kept],
        speakers=tuple(examples.speakers[row] for row in kept),
    )


@pytest.mark.parametrize("cost", [0.01, 1.0])
def test_it_is_the_optimum(examples, cost: float) -> None:
    """The gradient of C x cross entropy + half the squared weights is 0: weights are C x what is left to explain."""
    train = examples(90)
    head = fitted(train, C=cost)
    x = train.x[:, -1].astype(float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    probabilities = head.predict(replace(train, y=None))
    left = np.eye(3)[train.y] - probabilities
    logits = np.log(probabilities) - np.log(probabilities).mean(axis=1, keepdims=True)
    *weights, _bias = np.linalg.lstsq(np.column_stack([x, np.ones(90)]), logits)[0]
    np.testing.assert_allclose(weights, cost * x.T @ left, atol=5e-3 * np.abs(weights).max())
    np.testing.assert_allclose(left.sum(axis=0), 0, atol=0.01)  # of the biases, which have no penalty


def test_probabilities_sum_to_one_and_tell_classes_apart(examples) -> None:
    train, test = examples(90, separation=1.0), examples(60, seed=1, separation=1.0)
    found = fitted(train).predict(replace(test, y=None))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert score("uar", test.y, found) > 0.7


def test_balanced_classes_count_alike(examples) -> None:
    train, test = examples(90, separation=0.2), examples(90, seed=1, separation=0.2)
    some = [*range(3), *[row for row in range(90) if train.y[row] != 0]]
    few = replace(
        train,
        ids=tuple(train.ids[row] for row in some),
        x=train.x[some],
        y=train.y[some],
        speakers=tuple(train.speakers[row] for row in some),
    )
    plain, balanced = (
        (fitted(few, class_weight=weight).predict(replace(test, y=None)).argmax(axis=1) == 0).sum()
        for weight in (None, "balanced")
    )
    assert balanced > plain


def test_a_class_absent_from_train_has_probability_0(examples) -> None:
    found = fitted(without(examples(45), 1)).predict(replace(examples(9, seed=1), y=None))
    assert (found[:, 1] == 0).all()
    assert (found[:, [0, 2]] > 0).all()


def test_one_class_is_predicted(examples) -> None:
    head = fitted(without(examples(45), 0, 1))
    assert head.predict(replace(examples(9, seed=1), y=None)).tolist() == [[0.0, 0.0, 1.0]] * 9
    assert head.parameters() == 0


def test_two_classes_have_one_vector_of_weights(examples) -> None:
    head = fitted(examples(40, classes=2))
    assert head.parameters() == 6 + 1
    assert head.predict(replace(examples(9, seed=1, classes=2), y=None)).shape == (9, 2)


def test_an_optimum_that_is_not_reached_is_an_error(examples) -> None:
    with pytest.raises(BenchError, match="has not converged after 2 iterations"):
        fitted(examples(90), max_iter=2)
