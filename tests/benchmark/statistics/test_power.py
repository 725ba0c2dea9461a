"""What a corpus can show, against statsmodels, scipy and simulated t tests."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from benchmark.statistics.power import detectable_difference, power


def test_the_textbook_case() -> None:
    """A paired t test of 34 with an effect of 0.5 standard deviations has a power of 0.81 (G*Power's manual: 34)."""
    assert power(0.5, 34**-0.5, 33) == pytest.approx(0.8078, abs=1e-4)
    assert detectable_difference(34**-0.5, 33) == pytest.approx(0.495, abs=1e-3)


@pytest.mark.parametrize("speakers", [3, 6, 10, 24, 200])
def test_without_seeds_it_is_that_of_a_paired_t_test(speakers: int) -> None:
    golden = pytest.importorskip("statsmodels.stats.power").TTestPower()
    difference = detectable_difference(speakers**-0.5, speakers - 1)
    assert golden.power(difference, speakers, 0.05) == pytest.approx(0.8, abs=1e-5)
    assert power(0.3, speakers**-0.5, speakers - 1) == pytest.approx(golden.power(0.3, speakers, 0.05), abs=1e-5)


@pytest.mark.parametrize("df", [1, 1.0001, 1.37, 2, 3.3, 7, 50, 1e6, np.inf])
def test_it_is_the_noncentral_t_also_where_scipys_has_no_numbers(df: float) -> None:
    """scipy's distribution function is nan far below a large noncentrality; its mirror image is not."""
    if np.isinf(df):
        bound, golden = scipy.stats.norm.ppf(0.975), lambda at: scipy.stats.norm.sf(bound - at)
    else:
        bound, golden = scipy.stats.t.ppf(0.975, df), lambda at: scipy.stats.nct.sf(bound, df, at)
    for at in (0.0, 0.5, 2.0, bound, 1.3 * bound):
        assert power(at, 1, df) == pytest.approx(golden(at) + golden(-at), abs=2e-5)
        assert power(-3 * at, 3, df) == pytest.approx(power(at, 1, df))
    assert power(detectable_difference(0.2, df), 0.2, df) == pytest.approx(0.8, abs=1e-5)


def test_without_a_true_difference_it_is_the_level() -> None:
    assert power(0.0, 0.3, 4) == pytest.approx(0.05, abs=1e-5)


def test_it_holds_in_simulated_tests() -> None:
    rng = np.random.default_rng(0)
    difference = detectable_difference(6**-0.5, 5)
    p = scipy.stats.ttest_1samp(rng.normal(difference, 1, (20_000, 6)), 0, axis=1).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=4 * (0.16 / 20_000) ** 0.5)


def test_more_spread_and_fewer_degrees_of_freedom_hide_more() -> None:
    assert detectable_difference(0.02, 9) == pytest.approx(2 * detectable_difference(0.01, 9))
    assert detectable_difference(0.01, 3) > detectable_difference(0.01, 9) > detectable_difference(0.01, np.inf)
    assert detectable_difference(0.0, 9) == 0
