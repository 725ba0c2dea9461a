"""Bhattacharyya distances by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmark.analyses import attention_distance, bhattacharyya
from benchmark.errors import BenchError, UsageError


def test_two_distributions_by_hand() -> None:
    found = bhattacharyya(np.array([0.5, 0.5]), np.array([0.9, 0.1]))
    assert float(found) == pytest.approx(-math.log(math.sqrt(0.45) + math.sqrt(0.05)))
    # three values, two of which overlap: sqrt(1/2 * 1/3) + sqrt(1/2 * 1/3)
    found = bhattacharyya(np.array([0.5, 0.5, 0.0]), np.array([1 / 3, 1 / 3, 1 / 3]))
    assert float(found) == pytest.approx(-math.log(2 / math.sqrt(6)))


def test_it_is_0_for_equal_symmetric_and_finite_without_overlap() -> None:
    p, q = np.random.default_rng(0).dirichlet(np.ones(5), (2, 7))
    assert bhattacharyya(p, p) == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(bhattacharyya(p, q), bhattacharyya(q, p))
    assert float(bhattacharyya(np.array([1.0, 0.0]), np.array([0.0, 1.0]))) == pytest.approx(12 * math.log(10))


def maps(rng: np.random.Generator, frames: int) -> np.ndarray:
    return rng.dirichlet(np.ones(frames), (2, 3, frames)).astype(np.float32)


def test_frames_are_averaged_and_then_utterances() -> None:
    rng = np.random.default_rng(1)
    pairs = [(f"u{frames}", maps(rng, frames), maps(rng, frames)) for frames in (4, 9)]
    found = attention_distance(iter(pairs))
    expected = np.zeros((2, 3))
    for _, a, b in pairs:
        for block in range(2):
            for head in range(3):
                rows = [
                    -math.log(sum(math.sqrt(x * y) for x, y in zip(p, q, strict=True)))
                    for p, q in zip(a[block, head], b[block, head], strict=True)
                ]
                expected[block, head] += np.mean(rows) / 2
    np.testing.assert_allclose(found.distances, expected, rtol=1e-5)
    assert found.utterances == 2
    assert found.normalised.max() == 1.0
    np.testing.assert_allclose(found.normalised * found.distances.max(), found.distances)


def test_one_system_beside_itself_is_0_everywhere() -> None:
    same = maps(np.random.default_rng(2), 5)
    found = attention_distance([("u", same, same)])
    assert not found.normalised.any()  # rounding is not drawn as a distance
    assert not found.distances.any()
    certain = np.ones((1, 1, 1, 1), dtype=np.float32)
    assert attention_distance([("u", certain, certain)]).normalised.tolist() == [[0.0]]


def test_other_architectures_are_refused_with_both_shapes() -> None:
    rng = np.random.default_rng(3)
    with pytest.raises(
        UsageError, match=r"'u' is of 2 blocks x 3 heads x 4 frames and of 2 blocks x 3 heads x 5 frames"
    ):
        attention_distance([("u", maps(rng, 4), maps(rng, 5))])
    with pytest.raises(UsageError, match="no utterance"):
        attention_distance([])
    broken = maps(rng, 4)
    broken[0, 0, 0, 0] = np.nan
    with pytest.raises(BenchError, match="not finite"):
        attention_distance([("u", broken, maps(rng, 4))])
