"""The difference of two systems: its interval, its p-value, and what cannot be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest
import scipy.stats
from records_factory import cell
from small_cells import OTHER, REGRESSION, accuracies, counts, made_up, only, rated, right, two

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.statistics import cell_interval, cell_scores, compare
from benchmark.statistics.pairs import compare_all


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
    assert (result.cluster, result.n_clusters, result.seeds, result.level) == ("speaker", 20, (1, 1), 0.95)


def test_without_seeds_p_is_that_of_a_paired_t_test() -> None:
    a, b = pair(5)
    result = compare(a, b, "wa")
    assert result.p == pytest.approx(scipy.stats.ttest_rel(accuracies(a), accuracies(b)).pvalue)
    assert (result.pairs, result.family, result.p_adjusted) == (1, "alone", result.p)


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
@pytest.mark.parametrize("metric", ["uar", "macro_f1"])
def test_p_is_below_five_percent_exactly_where_the_interval_leaves_out_0(seeds: tuple[int, ...], metric: str) -> None:
    for tag in range(30):
        found = compare(*two(made_up(3, 0.7, tag=tag), made_up(3, 0.55, tag=100 + tag), seeds=seeds), metric)
        assert found.p is not None
        assert found.low is not None
        assert found.high is not None
        assert (found.p < 0.05) == (not found.low <= 0 <= found.high)


def identical(extra: int):
    """Six speakers; of the better system's five seeds the last decides `extra` more of the first speaker right."""
    hits = [6, 7, 8, 6, 9, 7]

    def better(fold: str, seed: int) -> dict[str, np.ndarray]:
        more = np.diag([1, 0, 0, 0]) - np.eye(4, k=1) * [0, 1, 0, 0]
        made = {f"s{index}": counts(hit, 10) for index, hit in enumerate(hits)}
        return made | {"s0": made["s0"] + more * extra * (seed == 4)}

    return better, lambda f, s: {f"s{index}": counts(hit, 10) for index, hit in enumerate([5, 7, 6, 4, 8, 5])}


def test_from_one_seed_to_equal_ones_to_almost_equal_ones_there_is_no_step() -> None:
    one = compare(*two(*identical(0), folds=["one"], seeds=[0]), "uar")
    five = compare(*two(*identical(0), folds=["one"], seeds=range(5)), "uar")
    changed = compare(*two(*identical(1), folds=["one"], seeds=range(5)), "uar")
    assert one.p is not None
    assert one.p < 0.05
    assert five.p == pytest.approx(one.p)
    assert changed.p == pytest.approx(one.p, rel=0.1)


@pytest.mark.parametrize("speakers", [3, 6, 12])
def test_speakers_who_all_differ_by_the_same_are_no_certainty(speakers: int) -> None:
    """Nothing is seen of how they differ: at least so many decisions do as the systems differ by, as if independent."""
    shares = np.linspace(0.2, 0.6, speakers).round(1)
    a, b = two(right(shares + 0.1), right(shares), folds=["one"], seeds=[0])
    result = compare(a, b, "uar")
    sd = (0.1 / (40 * speakers)) ** 0.5
    assert result.spread == pytest.approx(sd)
    assert result.p == pytest.approx(2 * scipy.stats.t.sf(0.1 / sd, speakers - 1))


def test_two_speakers_are_no_test_however_clear() -> None:
    """Both agree, and with seeds too: an interval of one degree of freedom, no p-value and no verdict."""
    for seeds in ([0], [0, 1, 2, 3, 4]):
        result = compare(*two(right([0.9, 0.9]), right([0.3, 0.3]), folds=["one"], seeds=seeds), "uar")
        assert (result.p, result.p_adjusted, result.significant, result.at_most()) == (None, None, False, None)
        assert result.low is not None
        assert result.high is not None
        assert result.low < 0.6 < result.high
        assert result.df == 1


def test_three_speakers_of_whom_one_hardly_speaks_are_two() -> None:
    sizes = {"x": 100, "y": 100, "z": 1}

    def system(share: float):
        return lambda f, s: {name: counts(round(share * size), size) for name, size in sizes.items()}

    assert compare(*two(system(0.9), system(0.5), folds=["one"]), "uar").p is None
    sizes["z"] = 60
    assert compare(*two(system(0.9), system(0.5), folds=["one"]), "uar").p is not None


def test_seeds_alone_are_welchs_test() -> None:
    """Many speakers, all alike; the systems differ in the accuracy of their seeds."""
    hits = {"better": [6, 8, 9], "ears": [5, 6, 4]}

    def system(name: str):
        return lambda f, s: {f"{f}{i}": counts(hits[name][s], 10) for i in range(400)}

    result = compare(*two(system("better"), system("ears")), "uar")
    golden = scipy.stats.ttest_ind(np.array(hits["better"]) / 10, np.array(hits["ears"]) / 10, equal_var=False)
    assert (result.low, result.high) == pytest.approx(tuple(golden.confidence_interval()), rel=1e-2)
    assert result.p == pytest.approx(golden.pvalue, rel=1e-2)
    assert result.df == pytest.approx(golden.df, rel=1e-2)


def test_what_the_true_difference_is_at_most_is_that_of_two_one_sided_tests() -> None:
    a, b = pair(10)
    result = compare(a, b, "wa")
    bound = result.at_most()
    assert bound is not None
    difference = accuracies(a) - accuracies(b)
    upper = scipy.stats.ttest_1samp(difference, bound, alternative="less").pvalue
    lower = scipy.stats.ttest_1samp(difference, -bound, alternative="greater").pvalue
    assert max(upper, lower) == pytest.approx(0.05)
    corrected = dataclasses.replace(result, pairs=10).at_most()
    assert corrected is not None
    assert scipy.stats.ttest_1samp(difference, corrected, alternative="less").pvalue == pytest.approx(0.005)


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
    assert (back.p, back.spread, back.a, back.b) == (there.p, there.spread, there.b, there.a)
    assert back.mirrored() == there


def test_mirroring_exchanges_what_is_of_one_system() -> None:
    one = compare(*pair(), "uar")
    uneven = dataclasses.replace(one, seeds=(3, 1), low=0.1, high=0.5)
    assert uneven.mirrored() == dataclasses.replace(one.mirrored(), seeds=(1, 3), low=-0.5, high=-0.1)
    assert dataclasses.replace(one, low=None, high=None).mirrored().low is None


def test_a_system_does_not_differ_from_itself_and_its_interval_has_a_width() -> None:
    for seeds in ([0], [0, 1, 2]):
        one = only(made_up(3), seeds=seeds)
        result = compare(one, one, "uar")
        assert (result.delta, result.p, result.significant) == (0, 1, False)
        assert result.low is not None
        assert result.low < 0 < (result.high or 0)


def test_one_speaker_shows_a_difference_and_no_more() -> None:
    a, b = two(right([0.7]), right([0.5]), folds=["one"])
    result = compare(a, b, "uar")
    assert result.delta == pytest.approx(0.2)
    assert (result.low, result.high, result.p, result.p_adjusted, result.spread, result.at_most()) == (None,) * 6
    assert (result.n_clusters, result.significant) == (1, False)


def test_a_pair_depends_on_these_two_alone() -> None:
    cells = systems(4)
    every = {(one.a, one.b): one for one in compare_all(cells, "uar")}
    assert list(every) == [(a.name, b.name) for i, a in enumerate(cells) for b in cells[i + 1 :]]
    for one in every.values():
        a, b = (next(cell for cell in cells if cell.name == name) for name in (one.a, one.b))
        assert compare(a, b, "uar") == one


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
    assert compare(*pair(3, **grouped), "uar").cluster == "utterance"


def test_fewer_than_two_systems_are_no_pair() -> None:
    assert list(compare_all([], "uar")) == []
    assert list(compare_all([only()], "uar")) == []


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
    assert (result.df, result.effective_clusters) == pytest.approx((2, 3))


def test_of_an_error_a_gain_is_a_difference_below_0() -> None:
    a, b = two(rated(4, 0.3, tag=1), rated(4, 1.5), seeds=[0, 1, 2], **REGRESSION)
    assert compare(a, b, "rmse").gain == -compare(a, b, "rmse").delta > 0
    assert compare(a, b, "ccc").gain == compare(a, b, "ccc").delta > 0


def test_perfect_systems_are_compared_without_dividing_by_nothing() -> None:
    a, b = two(rated(3, 0.0, tag=1), rated(3, 0.0), seeds=[0], **REGRESSION)
    for metric in ("ccc", "rmse"):
        result = compare(a, b, metric)
        assert (result.delta, result.p) == (0, 1)
    result = compare(*two(right([1.0] * 4), right([1.0] * 4)), "uar")
    assert (result.delta, result.p) == (0, 1)
