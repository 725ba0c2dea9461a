"""The difference of two systems: its interval, its p-value, and what cannot be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest
import scipy.stats
from records_factory import cell
from small_cells import OTHER, REGRESSION, accuracies, counts, made_up, only, rated, right, single_decisions, two

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.statistics import cell_interval, cell_scores, compare
from benchmark.statistics.pairs import compare_all
from benchmark.statistics.power import detectable_difference


def systems(number: int, seeds: tuple[int, ...] = (0, 1, 2), **changes) -> list[Cell]:
    records = [
        record
        for index in range(number)
        for record in cell(
            made_up(6, 0.5 + 0.08 * index, tag=index),
            seeds=seeds,
            upstream__name=f"u{index}",
            upstream__sha256=f"{index + 1:064x}",
            **changes,
        )
    ]
    return list(group(records).cells)


def pair(n: int = 10, seeds: tuple[int, ...] = (0,), **changes) -> tuple[Cell, Cell]:
    return two(made_up(n, 0.75, tag=1), made_up(n, 0.6), seeds=seeds, **changes)


def test_without_seeds_the_interval_is_that_of_a_paired_t_test() -> None:
    a, b = pair()
    golden = scipy.stats.ttest_rel(accuracies(a), accuracies(b))
    result = compare(a, b, "wa")
    assert result.delta == pytest.approx((accuracies(a) - accuracies(b)).mean())
    assert (result.low, result.high) == pytest.approx(tuple(golden.confidence_interval()))
    assert result.df == pytest.approx(golden.df)
    assert (result.a, result.b, result.task, result.metric) == ("better + superb", "ears + superb", "toy", "wa")
    assert (result.unit, result.n_units, result.seeds, result.level) == ("speaker", 20, (1, 1), 0.95)


def test_the_p_value_is_scipys_exact_paired_permutation_test() -> None:
    a, b = pair(5)
    golden = scipy.stats.permutation_test(
        (accuracies(a), accuracies(b)), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    result = compare(a, b, "wa")
    assert result.smallest_p == 2**-9
    assert golden.pvalue > 2**-9
    assert result.p == pytest.approx(golden.pvalue, abs=1e-12)
    assert (result.p_error, result.pairs, result.p_adjusted) == (0, 1, result.p)


def test_one_utterance_a_speaker_is_the_sign_test() -> None:
    """12 speakers: 8 for the one, 1 for the other, 3 alike."""
    first = single_decisions([True] * 8 + [False] + [True] * 3)
    second = single_decisions([False] * 8 + [True] * 4)
    a, b = two(first, second, folds=["one"], seeds=[0])
    result = compare(a, b, "uar")
    assert result.delta == pytest.approx(7 / 12)
    assert result.p == pytest.approx(scipy.stats.binomtest(8, 9).pvalue)


def test_below_what_swaps_can_tell_it_is_students_p() -> None:
    """Six speakers who all agree: 2 / 2**6 is what swaps can say; the paired t test says more."""
    shares = [0.5, 0.6, 0.7, 0.6, 0.5, 0.4]
    a, b = two(right([s + d for s, d in zip(shares, (0.2, 0.3, 0.2, 0.2, 0.3, 0.2), strict=True)]), right(shares),
               folds=["one"], seeds=[0])  # fmt: skip
    result = compare(a, b, "uar")
    assert result.smallest_p == 2**-5
    golden = scipy.stats.ttest_rel(accuracies(a), accuracies(b)).pvalue
    assert golden < 2**-5
    assert result.p == pytest.approx(golden)
    assert result.significant


def test_students_p_never_weakens_what_swaps_say() -> None:
    """All six agree, but one of them so strongly that Student's t is small: p stays 2 / 2**6."""
    shares = [0.1] * 6
    a, b = two(right([0.9, 0.2, 0.2, 0.2, 0.2, 0.2]), right(shares), folds=["one"], seeds=[0])
    assert scipy.stats.ttest_rel(accuracies(a), accuracies(b)).pvalue > 2**-5
    assert compare(a, b, "uar").p == 2**-5


@pytest.mark.parametrize("speakers", [2, 3, 6])
def test_speakers_who_all_differ_by_the_same_are_no_certainty(speakers: int) -> None:
    """Without a spread Student's p would be 0, of two speakers as well."""
    shares = np.linspace(0.2, 0.6, speakers)
    a, b = two(right(shares + 0.1), right(shares), folds=["one"], seeds=[0])
    result = compare(a, b, "uar")
    assert result.p == 2 ** (1 - speakers)
    assert result.significant == (speakers == 6)


def test_seeds_alone_are_welchs_interval() -> None:
    """Many speakers, all alike; the systems differ in the accuracy of their seeds."""
    hits = {"better": [6, 8, 9], "ears": [5, 6, 4]}

    def system(name: str):
        return lambda f, s: {f"{f}{i}": counts(hits[name][s], 10) for i in range(400)}

    a, b = two(system("better"), system("ears"))
    result = compare(a, b, "uar")
    golden = scipy.stats.ttest_ind(np.array(hits["better"]) / 10, np.array(hits["ears"]) / 10, equal_var=False)
    assert (result.low, result.high) == pytest.approx(tuple(golden.confidence_interval()))
    assert result.p == pytest.approx(golden.pvalue, abs=0.02)
    assert result.df == pytest.approx(golden.df)


def test_what_could_be_detected_is_that_of_the_spread() -> None:
    result = compare(*pair(seeds=(0, 1)), "uar")
    assert result.spread is not None
    assert result.df is not None
    assert result.detectable == detectable_difference(result.spread, result.df)
    assert result.detectable > 2 * result.spread


def test_pairing_removes_what_the_speakers_share() -> None:
    a, b = pair(seeds=(0, 1, 2))
    paired = compare(a, b, "uar")
    alone = [cell_interval(one, "uar") for one in (a, b)]
    widths = [interval.high - interval.low for interval in alone if interval is not None]
    assert len(widths) == 2
    assert paired.low is not None
    assert paired.high is not None
    assert paired.high - paired.low < 0.9 * np.hypot(*widths)


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_exchanging_the_systems_mirrors_the_difference(seeds: tuple[int, ...]) -> None:
    a, b = pair(seeds=seeds)
    there, back = compare(a, b, "uar"), compare(b, a, "uar")
    assert back == there.mirrored()
    assert (back.delta, back.low, back.high) == (-there.delta, -there.high, -there.low)
    assert (back.p, back.detectable, back.a, back.b) == (there.p, there.detectable, there.b, there.a)
    assert back.mirrored() == there


def test_mirroring_exchanges_what_is_of_one_system() -> None:
    one = compare(*pair(), "uar")
    uneven = dataclasses.replace(one, seeds=(3, 1), low=0.1, high=0.5)
    assert uneven.mirrored() == dataclasses.replace(one.mirrored(), seeds=(1, 3), low=-0.5, high=-0.1)
    assert dataclasses.replace(one, low=None, high=None).mirrored().low is None


def test_a_system_does_not_differ_from_itself_but_for_its_seeds() -> None:
    one = only(made_up(3), seeds=[0])
    result = compare(one, one, "uar")
    assert (result.delta, result.low, result.high, result.p, result.significant) == (0, 0, 0, 1, False)
    several = only(made_up(3), seeds=[0, 1, 2])
    result = compare(several, several, "uar")
    assert result.low is not None
    assert result.low < 0 < result.high
    assert result.p == pytest.approx(1)


def test_one_speaker_shows_a_difference_and_no_more() -> None:
    a, b = two(right([0.7]), right([0.5]), folds=["one"])
    result = compare(a, b, "uar")
    assert result.delta == pytest.approx(0.2)
    assert (result.low, result.high, result.p, result.p_adjusted, result.smallest_p) == (None,) * 5
    assert (result.detectable, result.n_units, result.significant) == (None, 1, False)


def test_p_of_a_pair_depends_on_these_two_and_p_adjusted_on_all() -> None:
    cells = systems(4)
    every = {(one.a, one.b): one for one in compare_all(cells, "uar")}
    assert list(every) == [(a.name, b.name) for i, a in enumerate(cells) for b in cells[i + 1 :]]
    for one in every.values():
        a, b = (next(cell for cell in cells if cell.name == name) for name in (one.a, one.b))
        alone = compare(a, b, "uar")
        assert (alone.p, alone.delta, alone.low, alone.high) == (one.p, one.delta, one.low, one.high)
        assert one.pairs == 6
        assert one.p_adjusted is not None
        assert alone.p_adjusted == alone.p
        assert one.p_adjusted >= alone.p
    p = np.array([one.p for one in every.values()])
    worst = np.argmin(p)
    assert [one.p_adjusted for one in every.values()][worst] == pytest.approx(min(1, 6 * p[worst]))


def test_the_same_records_give_the_same_bytes_in_any_order() -> None:
    forward, backward = systems(3), systems(3)[::-1]
    there = {frozenset((one.a, one.b)): one for one in compare_all(forward, "uar")}
    for one in compare_all(backward, "uar"):
        assert one.mirrored() == there[frozenset((one.a, one.b))]


def test_heads_with_and_without_seeds_can_be_compared() -> None:
    fixed = cell(made_up(4), downstream__name="svm", downstream__sha256=OTHER, downstream__stochastic=False)
    a, b = group([r for r in fixed if r.seed == 0] + cell(made_up(4))).cells
    assert compare(a, b, "uar").seeds == (3, 1)


def test_values_are_compared_as_classes_are() -> None:
    a, b = two(rated(4, 0.3, tag=1), rated(4, 1.5), seeds=[0, 1], **REGRESSION)
    ccc, rmse = (compare(a, b, metric) for metric in ("ccc", "rmse"))
    assert ccc.delta == pytest.approx(cell_scores(a, "ccc").mean - cell_scores(b, "ccc").mean)
    assert ccc.delta > 0 > rmse.delta
    for one in (ccc, rmse):
        assert one.low is not None
        assert one.low < one.delta < one.high
        assert one.significant


def test_groups_of_utterances_are_named_so() -> None:
    grouped = {"clusters__unit": "utterance", "counts__test_speakers": 0}
    assert compare(*pair(3, **grouped), "uar").unit == "utterance"


def test_fewer_than_two_systems_are_no_pair() -> None:
    assert compare_all([], "uar") == []
    assert compare_all([only()], "uar") == []


def test_different_protocols_cannot_be_compared() -> None:
    with pytest.raises(BenchError, match="different protocols, recordings or folds"):
        compare(only(), only(task__sha256=OTHER), "uar")


@pytest.mark.parametrize("n", [1, 3])
def test_different_speakers_cannot_be_compared(n: int) -> None:
    with pytest.raises(BenchError, match="not tested on the same utterances of toy"):
        compare(only(made_up(n), upstream__sha256=OTHER), only(made_up(2)), "uar")


def test_different_utterances_of_the_same_speakers_cannot_be_compared() -> None:
    def more(fold: str, seed: int) -> Mapping[str, np.ndarray]:
        return {speaker: one + np.eye(4) for speaker, one in made_up(2)(fold, seed).items()}

    with pytest.raises(BenchError, match="not tested on the same utterances of toy"):
        compare(only(more, upstream__sha256=OTHER), only(made_up(2)), "uar")


def test_few_effective_speakers_leave_few_degrees_of_freedom() -> None:
    """One of four speakers says as much as the other three together: worth 3, so 2 degrees of freedom."""
    sizes = {"w": 30, "x": 10, "y": 10, "z": 10}

    def system(hits: list[int]):
        return lambda f, s: {name: counts(one, sizes[name]) for name, one in zip(sizes, hits, strict=True)}

    a, b = two(system([20, 8, 7, 5]), system([15, 6, 7, 1]), folds=["one"], seeds=[0])
    result = compare(a, b, "uar")
    difference = np.array([5, 2, 0, 4])
    without = (difference.sum() - difference) / (60 - np.array(list(sizes.values())))
    variance = 3 / 4 * ((without - 11 / 60) ** 2).sum()
    reach = scipy.stats.t.ppf(0.975, 2) * variance**0.5
    assert (result.low, result.high) == pytest.approx((11 / 60 - reach, 11 / 60 + reach))
    assert (result.df, result.effective_units) == pytest.approx((2, 3))


def test_heads_without_seeds_are_tested_exactly_whichever_others_there_are() -> None:
    """The head `svm` has one seed; that of the third system three."""
    fixed = {"downstream__name": "svm", "downstream__sha256": OTHER, "downstream__stochastic": False}
    records = cell(made_up(4, 0.7, tag=1), upstream__name="a", upstream__sha256="1" * 64, **fixed)
    records += cell(made_up(4, 0.5, tag=2), upstream__name="b", upstream__sha256="2" * 64, **fixed)
    records = [record for record in records if record.seed == 0] + cell(made_up(4, tag=3))
    exact, first, second = compare_all(group(records).cells, "uar")
    assert (exact.exact, exact.p_error, exact.seeds) == (True, 0, (1, 1))
    assert exact.smallest_p == 2**-7
    assert (exact.p or 0) * 2**7 == pytest.approx(round((exact.p or 0) * 2**7))
    assert (first.exact, second.exact) == (False, False)
    assert (first.p_error or 0) > 0


def test_without_a_spread_there_are_no_degrees_of_freedom() -> None:
    a, b = two(right([0.5, 0.5]), right([0.5, 0.5]), folds=["one"], seeds=[0])
    result = compare(a, b, "uar")
    assert (result.spread, result.df, result.detectable) == (0, None, 0)
