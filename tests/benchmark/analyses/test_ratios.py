"""Ratios of sums over speakers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from benchmark.analyses.ratios import by_speaker, ratio, share


def test_of_speakers_with_equally_many_it_is_student_t_of_their_shares() -> None:
    shares = np.array([0.1, 0.4, 0.25, 0.3, 0.7])
    found = ratio(20 * shares, np.full(5, 20))
    test = stats.ttest_1samp(shares, 0.0)
    low, high = test.confidence_interval(0.95)
    assert (found.value, found.low, found.high, found.p) == pytest.approx((shares.mean(), low, high, test.pvalue))
    assert found.speakers == 5


def test_speakers_with_more_utterances_weigh_more() -> None:
    assert ratio([1, 30], [10, 40]).value == pytest.approx(31 / 50)


def test_one_speaker_has_no_interval_and_none_no_value() -> None:
    one, none = ratio([3], [4]), ratio([0, 0], [0, 0])
    assert (one.value, one.low, one.p, one.speakers) == (0.75, None, None, 1)
    assert math.isnan(none.value)
    assert none.speakers == 0
    assert ratio([3, 0], [4, 0]) == one


@pytest.mark.parametrize("shares", [[0, 0, 0], [5, 6, 7], [0.5, 0.6, 0.7], [0.1, 0.2, 0.3]])
def test_of_speakers_who_are_all_alike_nothing_is_said_of_others(shares: list[float]) -> None:
    """Also where they differ by rounding alone, as 0.1, 0.2 and 0.3 of 1, 2 and 3 do."""
    found = ratio(shares, [1, 2, 3] if shares[0] == 0.1 else [5, 6, 7])
    assert (found.low, found.high, found.p, found.speakers) == (None, None, None, 3)


def test_of_two_speakers_there_is_an_interval_and_no_test() -> None:
    found = ratio([3, 1], [10, 10])
    assert found.low is not None
    assert found.p is None
    assert ratio([3, 1, 2], [10, 10, 1]).p is None  # worth little more than two of equal weight
    assert ratio([3, 1, 2], [10, 10, 10]).p is not None


def test_a_share_ends_at_0_and_1() -> None:
    found = share([0, 1, 10], [10, 10, 10])
    assert found.low == 0.0
    wide = ratio([0, 1, 10], [10, 10, 10]).low
    assert wide is not None
    assert wide < 0
    assert share([10, 9, 0], [10, 10, 10]).high == 1.0


def test_sums_are_by_speaker_in_alphabetical_order() -> None:
    assert by_speaker(np.array([1.0, 2.0, 4.0]), ["b", "a", "b"]).tolist() == [2.0, 5.0]


def test_the_interval_holds_the_true_share_about_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        sizes = rng.integers(5, 40, 20)
        counted = rng.binomial(sizes, rng.beta(4, 6, 20))
        found = ratio(counted, sizes)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.4 <= found.high
    assert 0.90 <= held / 400 <= 0.99
