"""Distances of embeddings, their threshold and the match of decisions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from benchmark.analyses import embedding_distance
from benchmark.analyses.embeddings import cosine_distances
from benchmark.errors import BenchError, UsageError

IDS = [f"u{i}" for i in range(6)]


def test_distances_are_those_of_scipy() -> None:
    a, b = np.random.default_rng(0).normal(0, 1, (2, 6, 5))
    np.testing.assert_allclose(cosine_distances(a, b, IDS), [cosine(x, y) for x, y in zip(a, b, strict=True)])
    np.testing.assert_allclose(cosine_distances(a, -3 * a, IDS), 2)
    np.testing.assert_allclose(cosine_distances(a, 7 * a, IDS), 0, atol=1e-12)


def test_other_dimensions_and_no_direction_are_refused() -> None:
    a = np.ones((6, 5))
    with pytest.raises(UsageError, match="embeddings of 5 and of 4 dimensions have no cosine"):
        cosine_distances(a, a[:, :4], IDS)
    b = a.copy()
    b[2] = 0
    with pytest.raises(BenchError, match="the embedding of 'u2' is zero"):
        cosine_distances(a, b, IDS)


def test_the_rule_takes_in_seventy_percent() -> None:
    found = embedding_distance(np.array([0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.66, 0.85, 1.0]))
    assert found.threshold == 0.65
    assert (found.within, found.is_given) == (pytest.approx(0.7), False)
    assert found.counts.tolist() == [1, 1, 1, 1, 1, 1, 2, 0, 1, 1]
    assert found.counts.sum() == 10
    assert (found.edges[0], found.edges[-1], len(found.edges)) == (0.0, 1.0, 11)
    assert found.match_within is None


def test_decisions_match_inside_and_outside_as_counted_by_hand() -> None:
    distances = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8])
    agreeing = np.array([1, 1, 0.5, 0, 1, 0])
    found = embedding_distance(distances, threshold=0.5, agreeing=agreeing, speakers=["a", "b"] * 3)
    assert (found.within, found.is_given) == (0.5, True)
    assert found.match_within is not None
    assert found.match_beyond is not None
    assert found.match_within.value == pytest.approx(2.5 / 3)
    assert found.match_beyond.value == pytest.approx(1 / 3)
    everything = embedding_distance(distances, threshold=2.0, agreeing=agreeing, speakers=["a", "b"] * 3)
    assert everything.match_beyond is None


def test_embeddings_that_are_all_equal_have_a_histogram_too() -> None:
    found = embedding_distance(np.zeros(4))
    assert (found.threshold, found.within, int(found.counts.sum())) == (0.0, 1.0, 4)
