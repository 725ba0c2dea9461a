"""The spread of a score or a difference: one rule for interval and test."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats

from benchmark.statistics.spread import Variance, jackknife_variance, spread

POSITIVE = st.floats(1e-6, 10)


def test_the_jackknife_variance_of_a_mean_is_its_squared_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=(3, 9))
    without = (values.sum(axis=1, keepdims=True) - values) / 8
    golden = scipy.stats.sem(values, axis=1) ** 2
    assert jackknife_variance(without, values.mean(axis=1)) == pytest.approx(golden)
    assert jackknife_variance(without[0], values[0].mean()) == pytest.approx(golden[0])


def test_without_seeds_it_is_students() -> None:
    values = np.random.default_rng(1).normal(0.3, 1, 9)
    found = spread(scipy.stats.sem(values) ** 2, 9, [], 1e-9)
    golden = scipy.stats.ttest_1samp(values, 0)
    assert found.p(values.mean()) == pytest.approx(golden.pvalue)
    ends = golden.confidence_interval()
    assert 2 * found.reach(0.95) == pytest.approx(ends.high - ends.low)


def test_speakers_who_are_alike_leave_welchs_test_of_the_seeds_if_they_are_many() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.5, 1, 5), rng.normal(0, 2, 4)
    parts = [Variance(scipy.stats.sem(one) ** 2, len(one) - 1) for one in (a, b)]
    golden = scipy.stats.ttest_ind(a, b, equal_var=False)
    found = spread(0.0, 400, parts, 1e-12)
    assert found.df == pytest.approx(golden.df)
    assert found.p(a.mean() - b.mean()) == pytest.approx(golden.pvalue)


@pytest.mark.parametrize("effective", [1.0, 2.0, 3.0, 4.5])
def test_seeds_never_bring_more_degrees_of_freedom_than_the_speakers_have(effective: float) -> None:
    """Speakers who agree by chance leave the seeds' variance, which says nothing of other speakers."""
    found = spread(0.0, effective, [Variance(0.01, 4), Variance(0.01, 4)], 1e-9)
    assert found.df == max(1.0, effective - 1)


def test_no_spread_is_below_the_floor() -> None:
    assert spread(0.0, 5, [], 0.04).sd == pytest.approx(0.2)
    assert spread(0.09, 5, [], 0.04).sd == pytest.approx(0.3)


@hypothesis.given(POSITIVE, st.floats(2, 50), POSITIVE, st.floats(-5, 5), st.sampled_from([1.0, 2.0, 4.0]))
def test_p_is_below_five_percent_exactly_where_the_interval_leaves_out_0(
    speakers: float, effective: float, seeds: float, value: float, df: float
) -> None:
    found = spread(speakers, effective, [Variance(seeds, df)], 1e-9)
    reach = float(found.reach(0.95))
    hypothesis.assume(abs(abs(value) - reach) > 1e-9 * reach)
    assert (found.p(value) < 0.05) == (abs(value) > reach)


@hypothesis.given(POSITIVE, st.floats(2, 50), st.floats(0.1, 3))
def test_a_little_variance_of_seeds_changes_p_a_little(speakers: float, effective: float, at: float) -> None:
    """From heads without seeds to heads with equal seeds, and to almost equal ones, there is no step."""
    value = at * speakers**0.5
    without = spread(speakers, effective, [], 1e-9).p(value)
    equal = spread(speakers, effective, [Variance(0.0, 4), Variance(0.0, 4)], 1e-9).p(value)
    almost = spread(speakers, effective, [Variance(1e-6 * speakers, 4), Variance(0.0, 4)], 1e-9).p(value)
    assert equal == without
    assert almost == pytest.approx(without, rel=1e-4)


def test_it_is_of_many_at_once() -> None:
    found = spread(np.array([0.01, 0.04]), 6, [Variance(np.array([0.01, 0.0]), 4)], np.array([1e-9, 1e-9]))
    for index, (over, between) in enumerate(((0.01, 0.01), (0.04, 0.0))):
        alone = spread(over, 6, [Variance(between, 4)], 1e-9)
        assert (found.sd[index], found.df[index]) == (pytest.approx(alone.sd), pytest.approx(alone.df))
        assert found.p(0.2)[index] == pytest.approx(alone.p(0.2))
