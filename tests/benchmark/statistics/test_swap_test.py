"""The swap test against scipy, its limits, and the contributions of speakers against real swap_test."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats
from small_cells import REGRESSION, made_up, rated, two

from benchmark.metrics import METRICS
from benchmark.statistics import cell_scores, swap_test
from benchmark.statistics.swap_test import Seeds, contributions, holm, swap_tests

NOTHING = Seeds(0.0, 0, 1)


def alone(values: np.ndarray, first: Seeds = NOTHING, second: Seeds = NOTHING, **more) -> swap_test.SwapTests:
    return swap_tests(np.asarray(values, dtype=float)[:, None], [(0, 1)], [first, second], key=7, **more)


@pytest.mark.parametrize("speakers", [3, 6, 10])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_few_speakers_without_seeds_are_scipys_exact_paired_permutation_test(speakers: int, seed: int) -> None:
    rng = np.random.default_rng([speakers, seed])
    a, b = rng.normal(0.4, 1, speakers), rng.normal(0, 1, speakers)
    golden = scipy.stats.permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    found = alone(a - b)
    assert found.p[0] == pytest.approx(golden.pvalue, abs=1e-12)
    assert (found.exact, found.draws, found.smallest) == (True, 2 ** (speakers - 1), 2 ** (1 - speakers))


def test_ties_count_as_large() -> None:
    """Of the sums of +-1 +-1 +-2, four of eight are as large as |1 + 1 - 2| = 0 ... all are; of |1 - 1 + 2| six are."""
    assert alone([1, 1, -2]).p[0] == 1
    assert alone([1, -1, 2]).p[0] == 6 / 8
    assert alone([1, 1, 2]).p[0] == 2 / 8
    assert alone([0.1, 0.2, 0.3]).p[0] == 2 / 8
    assert alone([0.1, 0.2, -0.3]).p[0] == 1


def test_no_difference_at_all_is_no_evidence() -> None:
    assert alone([0, 0, 0, 0]).p[0] == 1
    assert alone(np.zeros(40)).p[0] == 1


def test_one_utterance_a_speaker_is_mcnemars_exact_test() -> None:
    """31 speakers of whom 21 are for the one and 10 for the other, and 9 on whom both are alike."""
    found = alone(np.repeat([1, -1, 0], [21, 10, 9]))
    golden = scipy.stats.binomtest(21, 31).pvalue
    assert not found.exact
    assert found.draws == 10_001
    error = np.sqrt(golden * (1 - golden) / found.draws)
    assert found.p[0] == pytest.approx(golden, abs=4 * error)


def test_with_speakers_who_are_alike_it_is_welchs_test_of_seeds() -> None:
    rng = np.random.default_rng(3)
    for shift in (0.0, 2.5):
        a, b = rng.normal(shift, 1, 5), rng.normal(0, 2, 4)
        seeds = [Seeds(float(scipy.stats.sem(one) ** 2), len(one) - 1, key) for key, one in enumerate((a, b))]
        difference = a.mean() - b.mean()
        found = alone(np.full(1000, difference / 1000), *seeds)
        golden = scipy.stats.ttest_ind(a, b, equal_var=False).pvalue
        assert found.p[0] == pytest.approx(golden, abs=0.02)


def test_with_many_speakers_and_no_seeds_it_is_students_test() -> None:
    values = np.random.default_rng(2).normal(0.1, 1, 150)
    assert alone(values).p[0] == pytest.approx(scipy.stats.ttest_1samp(values, 0).pvalue, abs=0.01)


def test_seeds_make_differences_less_certain() -> None:
    values = np.random.default_rng(2).normal(0.5, 1, 12)
    noisy = [Seeds(float(4 * len(values) * values.var() / 2), 4, key) for key in (1, 2)]
    found = alone(values, *noisy)
    assert found.p[0] > alone(values).p[0] + 0.1
    assert not found.exact
    assert found.smallest == 2**-11


def test_a_pair_does_not_depend_on_the_others() -> None:
    rng = np.random.default_rng(0)
    for speakers in (8, 20):
        values = rng.normal(0.3, 1, (speakers, 3))
        seeds = [Seeds(0.2, 2, 11), Seeds(0.4, 4, 22), Seeds(0.1, 1, 33)]
        together = swap_tests(values, [(0, 1), (0, 2), (1, 2)], seeds, key=7)
        last = swap_tests(values[:, 2:], [(0, 1)], seeds[1:], key=7)
        assert together.p[2] == last.p[0]


def test_without_seeds_other_systems_with_them_change_no_more_than_the_number_of_draws() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, (6, 2))
    mixed = swap_tests(values, [(0, 1), (0, 2)], [NOTHING, NOTHING, Seeds(0.3, 4, 5)], key=7)
    assert mixed.p[0] == pytest.approx(alone(values[:, 0]).p[0], abs=1e-3)


def test_blocks_do_not_change_p(monkeypatch: pytest.MonkeyPatch) -> None:
    values, seeds = np.random.default_rng(0).normal(0.3, 1, 20), (Seeds(0.2, 2, 1), Seeds(0.4, 4, 2))
    whole = alone(values, *seeds)
    monkeypatch.setattr(swap_test, "AT_ONCE", 137)
    assert alone(values, *seeds) != whole  # an object of its own
    assert alone(values, *seeds).p.tolist() == whole.p.tolist()


def test_the_key_of_the_task_decides_the_swaps() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, (20, 1))
    one, other = (swap_tests(values, [(0, 1)], [NOTHING, NOTHING], key=key).p[0] for key in (1, 2))
    assert one != other
    assert one == pytest.approx(other, abs=0.03)


def swapped(a: np.ndarray, b: np.ndarray, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The statistics (seeds, folds, S, ...) of two systems whose results of some speakers are exchanged."""
    a, b = a.copy(), b.copy()
    a[:, :, who], b[:, :, who] = b[:, :, who], a[:, :, who].copy()
    return a, b


def score(statistics: np.ndarray, pool: str, metric: str) -> float:
    compute = METRICS[metric].compute
    if pool == "utterances":
        return float(compute(statistics.sum(axis=(1, 2))).mean())
    return float(compute(statistics.sum(axis=2)).mean())


@pytest.mark.parametrize("metric", ["uar", "wa"])
@pytest.mark.parametrize("pool", ["utterances", "folds"])
def test_a_contribution_is_half_of_what_a_real_swap_changes(pool: str, metric: str) -> None:
    cells = two(made_up(3, 0.7, tag=1), made_up(3, 0.5), seeds=[0, 1], task__pool=pool)
    a, b = (cell.statistics() for cell in cells)
    found = contributions(a.mean(axis=0), b.mean(axis=0), cells[0].task, METRICS[metric])
    difference = cell_scores(cells[0], metric).mean - cell_scores(cells[1], metric).mean
    assert found.sum() == pytest.approx(difference, abs=1e-12)
    for speaker in range(a.shape[2]):
        now = [score(one, pool, metric) for one in swapped(a, b, np.arange(a.shape[2]) == speaker)]
        assert now[0] - now[1] == pytest.approx(difference - 2 * found[speaker], abs=1e-12)


@hypothesis.given(st.integers(0, 2**32 - 1))
@hypothesis.settings(deadline=None, max_examples=25)
def test_any_pattern_of_swaps_is_the_signed_sum_of_contributions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, (5, 4))

    def decided(share: float) -> np.ndarray:
        hits = rng.binomial(truth, share)
        return (hits[..., None] * np.eye(4) + (truth - hits)[..., None] * np.roll(np.eye(4), 1, axis=1))[None, None]

    a, b, who = decided(0.8), decided(0.4), rng.random(5) < 0.5
    task = two(made_up(2), made_up(2))[0].task
    found = contributions(a[0], b[0], task, METRICS["uar"])
    now = [score(one, "utterances", "uar") for one in swapped(a, b, who)]
    assert now[0] - now[1] == pytest.approx(np.where(who, -found, found).sum(), abs=1e-12)


@pytest.mark.parametrize("pool", ["utterances", "folds"])
def test_swaps_of_moments_are_right_but_for_third_order(pool: str) -> None:
    """Halving what the systems differ by makes the error of a swapped difference eight times smaller."""
    cells = two(rated(6, 0.6, tag=1), rated(6, 1.2), seeds=[0], task__pool=pool, **REGRESSION)
    first, second = (cell.statistics() for cell in cells)
    middle, half = (first + second) / 2, (first - second) / 2
    who = np.random.default_rng(1).random((20, first.shape[2])) < 0.5

    def worst(size: float) -> tuple[float, float]:
        a, b = middle + size * half, middle - size * half
        found = contributions(a[0], b[0], cells[0].task, METRICS["ccc"])
        errors = []
        for some in who:
            real = [score(one, pool, "ccc") for one in swapped(a, b, some)]
            errors.append(abs(real[0] - real[1] - np.where(some, -found, found).sum()))
        return max(errors), float(np.abs(found).max())

    (whole, largest), (halved, _) = worst(1.0), worst(0.5)
    assert whole < 0.2 * largest
    assert 6 < whole / halved < 10


def test_holm_by_hand_and_by_statsmodels() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])).tolist() == [1, 1]
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    for number in range(20):
        p = np.random.default_rng(number).random(1 + number) ** 3
        assert holm(p) == pytest.approx(multitest.multipletests(p, method="holm")[1])


def test_with_speakers_and_seeds_it_is_what_its_definition_says() -> None:
    """Six speakers, two systems with three and five seeds: written out once more, with other random numbers."""
    values, first, second = np.array([3.0, 0.2, 0.1, 0.3, 0.2, 0.1]), Seeds(0.3, 2, 1), Seeds(0.2, 4, 2)
    rng, draws = np.random.default_rng(5), 200_000

    def t(total: np.ndarray, moved: np.ndarray, of_seeds: np.ndarray, studentised: bool) -> np.ndarray:
        about = values.sum() if not studentised else total
        variance = 6 / 5 * ((values**2).sum() - about**2 / 6) + of_seeds
        return np.abs(total + moved) / np.sqrt(variance)

    total = rng.choice([-1.0, 1.0], (draws, 6)) @ values
    moved = rng.normal(0, 0.3**0.5, draws) - rng.normal(0, 0.2**0.5, draws)
    of_seeds = 0.3 * rng.chisquare(2, draws) / 2 + 0.2 * rng.chisquare(4, draws) / 4
    found = t(values.sum(), 0, 0.5, True)
    golden = (t(total, moved, of_seeds, True) >= found).mean()
    assert alone(values, first, second).p[0] == pytest.approx(golden, abs=0.008)
    # a spread that the swaps do not change is another test
    assert (t(total, moved, of_seeds, False) >= found).mean() > golden + 0.03
