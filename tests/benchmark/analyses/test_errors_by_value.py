"""RMSE by interval of the true value, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.analyses import Decisions, error_by_value
from benchmark.analyses.errors_by_value import edges_of
from benchmark.errors import UsageError

TRUTH = [1.0, 1.5, 2.0, 3.0, 3.0, 7.0]
PREDICTED = [[2.0, 1.5, 4.0, 3.0, 2.0, 4.0], [0.0, 1.5, 2.0, 3.0, 4.0, 4.0]]


def decisions() -> Decisions:
    truth = np.stack([np.zeros(6), np.array(TRUTH)], axis=1)
    decided = np.stack([np.stack([np.ones(6), np.array(seed)], axis=1) for seed in PREDICTED])
    return Decisions(
        system="s",
        task="toy-dims",
        outputs=("arousal", "valence"),
        tests=tuple(("one", f"u{i}") for i in range(6)),
        speakers=("anna", "anna", "bela", "bela", "anna", "bela"),
        truth=truth,
        decided=decided,
    )


def test_bins_are_those_counted_by_hand() -> None:
    found = error_by_value(decisions(), "valence", np.array([1.0, 2.0, 3.0, 5.0, 7.0]))
    assert [one.utterances for one in found.bins] == [2, 1, 2, 1]  # 2.0 opens the second, 7.0 closes the last
    rmse = [None if one.rmse is None else one.rmse.value for one in found.bins]
    # (1 + 1 + 0 + 0) / 4, (4 + 0) / 2, (0 + 0 + 1 + 1) / 4, (9 + 9) / 2
    assert rmse == pytest.approx([0.5**0.5, 2**0.5, 0.5**0.5, 3.0])
    assert [one.bias for one in found.bins] == pytest.approx([0.0, 1.0, 0.0, -3.0])
    assert (found.bins[0].start, found.bins[-1].end) == (1.0, 7.0)


def test_the_interval_is_that_of_the_mean_square_over_speakers() -> None:
    found = error_by_value(decisions(), "valence", np.array([1.0, 4.0, 7.0])).bins
    assert found[0].rmse is not None
    assert found[0].rmse.speakers == 2
    assert found[0].rmse.low == 0.0  # two speakers say little
    assert found[1].rmse is not None
    assert found[1].rmse.low is None  # one says nothing


def test_an_empty_interval_has_no_error() -> None:
    empty = error_by_value(decisions(), "valence", np.array([1.0, 4.0, 5.0, 7.0])).bins[1]
    assert (empty.utterances, empty.rmse, empty.bias) == (0, None, None)


def test_equal_intervals_reach_from_the_smallest_to_the_largest() -> None:
    np.testing.assert_allclose(edges_of(decisions(), "valence", 3), [1, 3, 5, 7])
    assert len(error_by_value(decisions(), "valence").bins) == 10
    np.testing.assert_allclose(edges_of(decisions(), "arousal", 2), [0, 0.5, 1])  # all alike


def test_values_that_lie_on_an_edge_belong_to_the_interval_that_it_begins() -> None:
    """Also as they are kept, in float32, in which 2.8 is less than 2.8."""
    steps = np.float32(np.linspace(1, 7, 61)).astype(float)  # 1.0, 1.1, ... 7.0, as a file holds them
    tests = tuple(("one", f"u{i}") for i in range(61))
    speakers = tuple(f"s{i % 5}" for i in range(61))
    one = Decisions("A", "toy", ("valence",), tests, speakers, steps[:, None], steps[None, :, None])
    assert edges_of(one, "valence").tolist() == [1.0, 1.6, 2.2, 2.8, 3.4, 4.0, 4.6, 5.2, 5.8, 6.4, 7.0]
    found = error_by_value(one, "valence")
    assert [part.utterances for part in found.bins] == [6] * 9 + [7]


def test_unknown_dimensions_and_classes_are_refused() -> None:
    with pytest.raises(UsageError, match=r"no dimension .valense. .did you mean .valence."):
        error_by_value(decisions(), "valense")
    classes = Decisions("s", "toy", ("a", "b"), (("one", "u"),), ("anna",), np.array([0]), np.array([[0]]))
    with pytest.raises(UsageError, match="toy has classes"):
        error_by_value(classes, "valence")
