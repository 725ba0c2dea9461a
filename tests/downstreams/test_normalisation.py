"""Standardisation against scikit-learn's, constants, and speakers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from downstreams.normalisation import Normaliser, mean_and_scale


def random_means(n: int, layers: int = 3, dim: int = 4, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    scale, offset = 10 ** random.uniform(-1, 4, (layers, dim)), random.normal(0, 5, (layers, dim))
    return (random.normal(size=(n, layers, dim)) * scale + offset).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(5, 40), seed=st.integers(0, 1000))
def test_figures_are_those_of_scikit_learn(n: int, seed: int) -> None:
    x = random_means(n, seed=seed)
    mean, scale = mean_and_scale(x)
    for layer in range(x.shape[1]):
        reference = StandardScaler().fit(x[:, layer].astype(np.float64))
        np.testing.assert_allclose(scale[layer], reference.scale_, rtol=1e-9)
        np.testing.assert_allclose((mean[layer] - reference.mean_) / reference.scale_, 0, atol=1e-9)


def test_global_uses_train_alone() -> None:
    train, test = random_means(30), random_means(7, seed=1)
    normaliser = Normaliser.fit("global", train)
    own = normaliser.apply(train, ["anna"] * 30)
    np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(own.std(axis=0), 1, atol=1e-5)
    expected = (test - train.astype(np.float64).mean(axis=0)) / train.astype(np.float64).std(axis=0)
    applied = normaliser.apply(test, ["bert"] * 7)
    np.testing.assert_allclose(applied, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(normaliser.apply(test[2:3], ["bert"]), applied[2:3])
    assert applied.dtype == np.float32


def test_a_large_offset_loses_no_digits() -> None:
    x = random_means(50)
    x[:, 0, 0] = 16384 + np.arange(50) / 64  # exact in float32, whose squares are not
    applied = Normaliser.fit("global", x).apply(x, ["anna"] * 50)
    expected = (np.arange(50) - 24.5) / np.arange(50).std()
    np.testing.assert_allclose(applied[:, 0, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -123.456, 1e-30, 3e7])
def test_a_constant_is_divided_by_one(value: float) -> None:
    x = random_means(20)
    x[:, 1, 2] = value
    mean, scale = mean_and_scale(x)
    assert scale[1, 2] == 1
    other = x.copy()
    other[:, 1, 2] = np.float32(value) + 2
    np.testing.assert_allclose(Normaliser.fit("global", x).apply(other, ["a"] * 20)[:, 1, 2], 2, atol=1e-5)
    assert np.isfinite(Normaliser("speaker").apply(x, ["a"] * 10 + ["b"] * 10)).all()
    assert mean[1, 2] == pytest.approx(np.float32(value))


def test_float32_noise_does_not_make_a_feature_of_a_constant() -> None:
    x = random_means(20)
    x[:, 0, 0] = np.nextafter(np.float32(7), np.where(np.arange(20) % 2, 8, 6).astype(np.float32))
    assert StandardScaler().fit(x[:, 0].astype(np.float64)).scale_[0] < 1e-6  # there is noise
    assert np.abs(Normaliser.fit("global", x).apply(x, ["a"] * 20)[:, 0, 0]).max() < 1e-5


def test_speaker_uses_each_speakers_own_utterances() -> None:
    x = random_means(12)
    speakers = ["anna", "bert", "anna"] * 4
    moved = x.copy()
    moved[[i for i, name in enumerate(speakers) if name == "bert"]] *= 3
    moved[[i for i, name in enumerate(speakers) if name == "bert"]] += 5
    normaliser = Normaliser.fit("speaker", random_means(9, seed=5))
    applied = normaliser.apply(x, speakers)
    np.testing.assert_allclose(normaliser.apply(moved, speakers), applied, rtol=1e-4, atol=1e-3)
    rows = [1, 4, 7, 10]
    np.testing.assert_array_equal(normaliser.apply(x[rows], ["bert"] * 4), applied[rows])
    np.testing.assert_allclose(applied[rows].std(axis=0), 1, atol=1e-5)


def test_a_speaker_with_one_utterance_becomes_zero() -> None:
    assert not Normaliser("speaker").apply(random_means(1), ["anna"]).any()


def test_none_leaves_features_alone() -> None:
    x = random_means(5)
    np.testing.assert_array_equal(Normaliser.fit("none", x).apply(x, ["a"] * 5), x)


@pytest.mark.parametrize("kind", ["global", "speaker", "none"])
def test_the_input_is_not_changed(kind: str) -> None:
    x = random_means(6)
    before = x.copy()
    x.flags.writeable = False
    Normaliser.fit(kind, x).apply(x, ["a", "b"] * 3)
    np.testing.assert_array_equal(x, before)
