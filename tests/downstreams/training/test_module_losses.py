"""Losses are those of independently written formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from downstreams.training.module_losses import (
    CrossEntropy,
    auxiliary_cross_entropy,
    balanced_weights,
    one_minus_ccc,
)

RANDOM = np.random.default_rng(5)
LOGITS = RANDOM.normal(size=(7, 3))
CLASSES = np.array([0, 1, 1, 2, 1, 0, 1])
Y = torch.from_numpy(np.eye(3)[CLASSES])


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def loss(cross_entropy: CrossEntropy) -> float:
    return float(cross_entropy(torch.from_numpy(LOGITS), Y))


def test_plain_cross_entropy() -> None:
    assert loss(CrossEntropy()) == pytest.approx(-np.log(softmax(LOGITS)[np.arange(7), CLASSES]).mean())


def test_the_focal_loss_weighs_each_utterance_by_what_it_lacks() -> None:
    p = softmax(LOGITS)[np.arange(7), CLASSES]
    assert loss(CrossEntropy(focal=2.0)) == pytest.approx(float(np.mean((1 - p) ** 2 * -np.log(p))))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_weights_and_smoothing_are_those_of_torch(smoothing: float) -> None:
    weights = torch.tensor([0.5, 2.0, 1.5], dtype=torch.float64)
    theirs = torch.nn.functional.cross_entropy(
        torch.from_numpy(LOGITS), torch.from_numpy(CLASSES), weights, label_smoothing=smoothing
    )
    assert loss(CrossEntropy(weights, smoothing=smoothing)) == pytest.approx(float(theirs))


def test_balanced_weights_make_every_class_that_is_there_count_alike() -> None:
    with_a_missing_class = torch.cat([Y, torch.zeros(7, 1, dtype=Y.dtype)], dim=1)
    weights = balanced_weights(with_a_missing_class).numpy()
    np.testing.assert_allclose(weights[:3] * np.bincount(CLASSES), [7 / 3] * 3)
    assert weights[3] == 0
    assert balanced_weights(Y[:, :1] * 0 + 1).tolist() == [1.0]  # a single class


def test_ccc_has_population_variances() -> None:
    truth, predicted = RANDOM.normal(size=(9, 2)), RANDOM.normal(size=(9, 2))
    expected = []
    for t, p in zip(truth.T, predicted.T, strict=True):
        covariance = np.mean((t - t.mean()) * (p - p.mean()))
        expected.append(2 * covariance / (np.var(t) + np.var(p) + (t.mean() - p.mean()) ** 2))
    found = one_minus_ccc(torch.from_numpy(predicted), torch.from_numpy(truth))
    assert float(found) == pytest.approx(1 - np.mean(expected), abs=1e-6)


@pytest.mark.parametrize("size", [1, 4])
def test_constant_truth_and_prediction_give_a_loss_and_a_gradient_that_are_finite(size: int) -> None:
    for truth in (torch.ones(size, 2), torch.zeros(size, 2)):
        predicted = torch.ones(size, 2, requires_grad=True)
        value = one_minus_ccc(predicted, truth)
        value.backward()
        assert torch.isfinite(value)
        assert torch.isfinite(predicted.grad).all()


def test_auxiliary_classes_count_where_there_are_any() -> None:
    outputs = torch.from_numpy(LOGITS).requires_grad_()
    known = torch.tensor([0, -1, 1, -1, -1, 2, -1])
    rows, classes = [0, 2, 5], [0, 1, 2]
    expected = -np.log(softmax(LOGITS)[rows, classes]).mean()
    assert float(auxiliary_cross_entropy(outputs, known).detach()) == pytest.approx(expected)
    none = auxiliary_cross_entropy(outputs, torch.full((7,), -1))
    none.backward()
    assert float(none.detach()) == 0
    assert torch.isfinite(outputs.grad).all()
