"""Similarity on planted layers, and CKA and SVCCA against independent formulas."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA

from benchmark.analyses import cka, cosine_by_class, most_similar, pairwise, svcca
from benchmark.errors import BenchError

RNG = np.random.default_rng(0)


def hsic_cka(x: np.ndarray, y: np.ndarray) -> float:
    """By centred Gram matrices and HSIC, the other way in Kornblith et al."""
    n = len(x)
    h = np.eye(n) - np.ones((n, n)) / n
    k, m = h @ (x @ x.T) @ h, h @ (y @ y.T) @ h
    return float((k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum()))


@pytest.mark.parametrize(("n", "d", "e"), [(30, 4, 6), (8, 20, 15), (8, 20, 3)])
def test_cka_is_that_of_gram_matrices(n: int, d: int, e: int) -> None:
    x = RNG.normal(3, 1, (n, d))
    y = x @ RNG.normal(0, 1, (d, e)) + RNG.normal(0, 2, (n, e))
    assert cka(x, y) == pytest.approx(hsic_cka(x, y))


def test_cka_knows_no_rotation_scale_or_shift_and_no_other_map() -> None:
    x = RNG.normal(0, [1, 2, 3, 4, 5], (40, 5))
    rotation = np.linalg.qr(RNG.normal(0, 1, (5, 5)))[0]
    assert cka(x, 7 * x @ rotation + 3) == pytest.approx(1.0)
    assert cka(x, x @ np.diag([100, 1, 1, 1, 1])) < 0.9
    assert np.isnan(cka(x, np.ones((40, 2))))


def test_svcca_of_few_directions_is_the_mean_canonical_correlation() -> None:
    x = RNG.normal(0, 1, (200, 3))
    y = x @ RNG.normal(0, 1, (3, 3)) + RNG.normal(0, 1, (200, 3))
    u, v = CCA(n_components=3, scale=False, max_iter=5000, tol=1e-12).fit_transform(x, y)
    expected = np.mean([np.corrcoef(u[:, i], v[:, i])[0, 1] for i in range(3)])
    assert svcca(x, y) == pytest.approx(expected, abs=1e-4)
    assert svcca(x, x @ np.array([[2.0, 1, 0], [0, 1, 0], [1, 0, 5]])) == pytest.approx(1.0)


def test_svcca_leaves_out_what_hardly_varies() -> None:
    strong, weak = RNG.normal(0, 1, (300, 2)), 1e-3 * RNG.normal(0, 1, (300, 2))
    other = np.concatenate([strong, 1e-3 * RNG.normal(0, 1, (300, 2))], axis=1)
    assert svcca(np.concatenate([strong, weak], axis=1), other) == pytest.approx(1.0, abs=1e-4)


def test_svcca_of_too_few_utterances_says_nothing() -> None:
    assert np.isnan(svcca(RNG.normal(0, 1, (10, 8)), RNG.normal(0, 1, (10, 8))))


def test_every_layer_meets_every_layer() -> None:
    a, b = RNG.normal(0, 1, (20, 2, 3)), RNG.normal(0, 1, (20, 4, 5))
    found = pairwise(cka, a, b)
    assert found.shape == (2, 4)
    assert found[1, 3] == cka(a[:, 1], b[:, 3])


def planted() -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Two corpora that are alike in layer 2 of 4 alone, and there in the angry utterances more than in the sad ones."""
    labels = ["angry"] * 30 + ["sad"] * 30
    source, target = RNG.normal(0, 1, (60, 4, 16)), RNG.normal(0, 1, (60, 4, 16))
    for values in (source, target):
        values[:30, 2, 0] += 10
        values[30:, 2, 1] += 3
    return source, target, labels, labels


def test_the_planted_layer_is_found_for_each_class() -> None:
    source, target, *classes = planted()
    found = cosine_by_class(source, target, (classes[0], classes[1]), ["angry", "sad"])
    assert found.shape == (2, 4)
    assert found.argmax(axis=1).tolist() == [2, 2]
    assert found[0, 2] > found[1, 2] > 0.2
    assert np.abs(np.delete(found, 2, axis=1)).max() < 0.2
    assert most_similar(found.mean(axis=0), 1) == (2,)


def test_it_is_the_mean_cosine_of_all_pairs() -> None:
    source, target, *classes = planted()
    found = cosine_by_class(source, target, (classes[0], classes[1]), ["sad"])
    pairs = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a in source[30:, 1] for b in target[30:, 1]]
    assert found[0, 1] == pytest.approx(np.mean(pairs))


def test_layers_are_in_order_and_of_equals_the_first() -> None:
    assert most_similar(np.array([0.1, 0.9, 0.3, 0.9, 0.9]), 2) == (1, 3)
    assert most_similar(np.array([0.5, 0.4]), 3) == (0, 1)


def test_a_class_that_a_corpus_lacks_is_named() -> None:
    source, target, *_ = planted()
    with pytest.raises(BenchError, match="the second corpus has no utterance of 'sad' in train"):
        cosine_by_class(source, target, (["sad"] * 60, ["angry"] * 60), ["sad"])
