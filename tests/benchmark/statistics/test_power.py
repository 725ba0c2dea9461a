"""What a board would find, against statsmodels, scipy and simulated t tests."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
import scipy.stats
from small_cells import made_up, right, two

from benchmark.statistics import compare
from benchmark.statistics.pairs import Comparison
from benchmark.statistics.power import outlook, power


def test_the_textbook_case() -> None:
    """A paired t test of 34 with an effect of 0.5 standard deviations has a power of 0.81 (G*Power's manual: 34)."""
    assert power(0.5, 34**-0.5, 33) == pytest.approx(0.8078, abs=1e-4)


@pytest.mark.parametrize("speakers", [3, 6, 10, 24, 200])
@pytest.mark.parametrize("level", [0.95, 1 - 0.05 / 28])
def test_without_seeds_it_is_that_of_a_paired_t_test(speakers: int, level: float) -> None:
    golden = pytest.importorskip("statsmodels.stats.power").TTestPower()
    found = power(0.3, speakers**-0.5, speakers - 1, level=level)
    assert found == pytest.approx(golden.power(0.3, speakers, 1 - level), abs=1e-5)


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


def test_without_a_true_difference_it_is_the_level() -> None:
    assert power(0.0, 0.3, 4) == pytest.approx(0.05, abs=1e-5)
    assert power(0.0, 0.3, 4, level=0.99) == pytest.approx(0.01, abs=1e-5)


def test_it_holds_in_simulated_tests() -> None:
    rng = np.random.default_rng(0)
    p = scipy.stats.ttest_1samp(rng.normal(1.2, 1, (20_000, 6)), 0, axis=1).pvalue
    assert (p < 0.05).mean() == pytest.approx(power(1.2, 6**-0.5, 5), abs=4 * (0.16 / 20_000) ** 0.5)


@functools.cache
def some_pair() -> Comparison:
    """Two systems compared; not to be changed."""
    return compare(*two(made_up(3, 0.8, tag=1), made_up(3)), "uar")


def pairs(*spreads: float) -> list[Comparison]:
    one = some_pair()
    return [
        dataclasses.replace(one, spread=spread, df=5.0, pairs=len(spreads), utterances=100_000) for spread in spreads
    ]


def test_what_no_estimate_can_be_below_is_no_chance_either() -> None:
    """Three speakers of 40 utterances: to be found, five points must be 4.3 times 2, however alike speakers are."""
    rng = np.random.default_rng(0)
    least = (0.05 / 120) ** 0.5
    found = power(0.05, 0.01, 2, least=least)
    values = rng.normal(0.05, 0.01 * 3**0.5, (40_000, 3))
    sd = np.maximum(scipy.stats.sem(values, axis=1), least)
    golden = (np.abs(values.mean(axis=1)) / sd > scipy.stats.t.ppf(0.975, 2)).mean()
    assert found == pytest.approx(golden, abs=0.01)
    assert found < power(0.05, 0.01, 2) / 2
    (with_few,) = outlook([dataclasses.replace(pairs(0.01)[0], utterances=120, df=2.0)], [0.05])
    assert with_few.share == pytest.approx(found)


def test_a_table_is_judged_by_its_middle_pair_at_its_own_correction() -> None:
    (small, large) = outlook(pairs(0.03, 0.01, 0.02), [0.05, 0.1])
    assert small.share == pytest.approx(power(0.05, 0.02, 5, level=1 - 0.05 / 3), abs=1e-3)
    assert large.share == pytest.approx(power(0.1, 0.02, 5, level=1 - 0.05 / 3), abs=1e-3)
    assert small.low < small.share < small.high < 1
    assert outlook(pairs(0.02), [0.05])[0].share > small.share


def test_the_range_holds_the_power_of_four_corpora_in_five() -> None:
    """The estimated spread of six speakers: its power is an estimate too."""
    rng = np.random.default_rng(0)
    truth = power(0.1, 0.03, 5)
    held = []
    for spread in 0.03 * np.sqrt(rng.chisquare(5, 2000) / 5):
        (found,) = outlook(pairs(float(spread)), [0.1])
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) == pytest.approx(0.8, abs=0.03)


def test_nothing_is_said_of_two_speakers() -> None:
    untested = compare(*two(right([0.7, 0.8]), right([0.5, 0.6]), folds=["one"]), "uar")
    assert outlook([untested], [0.1]) == ()
    assert outlook([], [0.1]) == ()
