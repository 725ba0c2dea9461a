"""Intervals of scores, against scipy and by hand."""

from __future__ import annotations

import tracemalloc

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.special
import scipy.stats
from records_factory import cell, decisions
from small_cells import OTHER, REGRESSION, accuracies, counts, made_up, only, rated, right

from benchmark.metrics import METRICS
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.statistics import all_intervals, cell_interval, cell_scores
from benchmark.statistics.intervals import _scale, variance_of_decisions


def by_logit(mean: float, error: float, df: float, level: float = 0.95) -> tuple[float, float]:
    reach = scipy.stats.t.ppf((1 + level) / 2, df) * error / (mean * (1 - mean))
    return tuple(scipy.special.expit(scipy.special.logit(mean) + np.array([-reach, reach])))


def uneven(fold: str, seed: int):
    """One speaker a fold, who is the harder to rate the later the fold."""
    return rated(1, 0.3 * (ord(fold) - ord("`")))(fold, seed)


def test_without_seeds_it_is_students_over_speakers_on_the_logit_scale() -> None:
    """With equally many utterances for each speaker, WA is the mean of the speakers' accuracies."""
    found = only(made_up(10), seeds=[0])
    of_speakers = accuracies(found)
    golden = by_logit(of_speakers.mean(), scipy.stats.sem(of_speakers), 19)
    interval = cell_interval(found, "wa")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(golden)
    assert (interval.n_clusters, interval.level, interval.cluster) == (20, 0.95, "speaker")
    assert interval.effective_clusters == pytest.approx(20)


def test_with_pooled_folds_of_one_speaker_the_folds_are_the_sample() -> None:
    found = only(made_up(1, correct=0.5), folds=list("abcdefghijkl"), seeds=[0], task__pool="folds")
    uars = METRICS["uar"].compute(found.statistics()[0].sum(axis=1))
    interval = cell_interval(found, "uar")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(by_logit(uars.mean(), scipy.stats.sem(uars), 11))


def test_speakers_and_seeds_add_up() -> None:
    """Three speakers and two seeds by hand.

    Speakers are right in 0.3, 0.5 and 0.7 with the one seed and in 0.5, 0.7 and 0.9 with the other: means of speakers
    0.4, 0.6 and 0.8, of seeds 0.5 and 0.7. Variance over speakers 0.04 / 3 with 2 degrees of freedom, over seeds
    0.02 / 2 = 0.01 with 1: together 0.023333, by Satterthwaite with 2.88 degrees; but speakers have 2.
    """
    hits = {"x": (3, 5), "y": (5, 7), "z": (7, 9)}
    found = only(lambda f, s: {n: counts(h[s], 10) for n, h in hits.items()}, folds=["one"], seeds=[0, 1])
    interval = cell_interval(found, "uar")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(by_logit(0.6, (0.04 / 3 + 0.01) ** 0.5, 2))


def of_decisions(found: Cell) -> float:
    """The variance of the UAR were all decisions drawn for themselves, by Jeffreys' shares: the mean over seeds."""
    pooled = found.statistics().sum(axis=(1, 2))
    sizes = pooled.sum(axis=-1)
    recalls = (np.diagonal(pooled, axis1=1, axis2=2) + 0.5) / (sizes + 1)
    tested = sizes > 0
    of_seeds = (recalls * (1 - recalls) / np.maximum(sizes, 1) * tested).sum(axis=1) / tested.sum(axis=1) ** 2
    return float(of_seeds.mean() / len(pooled))


def test_two_speakers_who_agree_leave_one_degree_of_freedom() -> None:
    """The variance left is that of the seeds, which know nothing of other speakers."""
    hits = [5, 6, 8, 9]
    found = only(lambda f, s: {"x": counts(hits[s], 10), "y": counts(hits[s], 10)}, folds=["one"], seeds=[0, 1, 2, 3])
    interval = cell_interval(found, "uar")
    assert interval is not None
    at_least = scipy.stats.sem(np.array(hits) / 10) ** 2
    golden = by_logit(0.7, (at_least + of_decisions(found)) ** 0.5, 1)
    assert (interval.low, interval.high) == pytest.approx(golden, abs=1e-6)


def test_few_effective_speakers_widen_it() -> None:
    """One speaker says as much as the other three: the variance is the jackknife's, its degrees of freedom 2 (of 3)."""
    sizes, hits = {"w": 30, "x": 10, "y": 10, "z": 10}, {"w": 18, "x": 9, "y": 7, "z": 2}
    found = only(lambda f, s: {n: counts(hits[n], sizes[n]) for n in sizes}, folds=["one"], seeds=[0])
    total = sum(hits.values()) / 60
    without = np.array([(36 - hits[n]) / (60 - sizes[n]) for n in sizes])
    variance = 3 / 4 * ((without - total) ** 2).sum()
    interval = cell_interval(found, "uar")
    assert interval is not None
    assert interval.effective_clusters == pytest.approx(3)  # 1 / (1/4 + 3/36)
    assert (interval.low, interval.high) == pytest.approx(by_logit(total, variance**0.5, 2))


def test_correlations_are_transformed_by_fisher() -> None:
    found = only(uneven, folds=list("abcdefgh"), seeds=[0], task__pool="folds", **REGRESSION)
    values = METRICS["ccc"].compute(found.statistics()[0].sum(axis=1))
    mean, reach = values.mean(), scipy.stats.t.ppf(0.975, 7) * scipy.stats.sem(values)
    golden = np.tanh(np.arctanh(mean) + np.array([-1, 1]) * reach / (1 - mean**2))
    interval = cell_interval(found, "ccc")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(tuple(golden))


def test_errors_are_transformed_by_the_logarithm() -> None:
    found = only(uneven, folds=list("abcdefgh"), seeds=[0], task__pool="folds", **REGRESSION)
    values = METRICS["rmse"].compute(found.statistics()[0].sum(axis=1))
    mean, reach = values.mean(), scipy.stats.t.ppf(0.975, 7) * scipy.stats.sem(values)
    interval = cell_interval(found, "rmse")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((mean * np.exp(-reach / mean), mean * np.exp(reach / mean)))


def test_a_speaker_in_several_folds_is_one() -> None:
    """Two speakers, each in both folds and each the same there: folds would have no spread."""

    def by_speaker(fold: str, seed: int):
        return {"good": counts(9, 10), "bad": counts(3, 10)}

    for pool in ("utterances", "folds"):
        interval = cell_interval(only(by_speaker, task__pool=pool, seeds=[0]), "uar")
        assert interval is not None
        assert interval.n_clusters == 2
        assert (interval.low, interval.high) == pytest.approx(by_logit(0.6, 0.3, 1))


@pytest.mark.parametrize("speakers", [2, 5, 30])
def test_where_all_is_right_each_speaker_is_one_trial(speakers: int) -> None:
    golden = scipy.stats.binomtest(speakers, speakers).proportion_ci(method="exact")
    everything = cell_interval(only(right([1.0] * speakers), folds=["one"]), "uar")
    nothing = cell_interval(only(right([0.0] * speakers), folds=["one"]), "uar")
    assert everything is not None
    assert nothing is not None
    assert (everything.low, everything.high) == pytest.approx((golden.low, 1))
    assert (nothing.low, nothing.high) == pytest.approx((0, 1 - golden.low))


@pytest.mark.parametrize("speakers", [2, 3, 10])
def test_where_all_are_alike_it_is_that_of_independent_decisions(speakers: int) -> None:
    """Speakers at 70 % each: nothing is seen of how they differ, but 40 decisions of each are a sample too."""
    found = only(right([0.7] * speakers), folds=["one"], seeds=[0])
    interval = cell_interval(found, "uar")
    assert interval is not None
    assert of_decisions(found) == pytest.approx(0.7 * 0.3 / (40 * speakers), rel=0.05)
    golden = by_logit(0.7, of_decisions(found) ** 0.5, speakers - 1)
    assert (interval.low, interval.high) == pytest.approx(golden, abs=1e-6)


def test_a_rare_class_has_the_weight_in_it_that_it_has_in_the_score() -> None:
    """Four utterances, all right, are a quarter of the UAR: an interval of some points would be too sure."""
    common = np.diag([90, 90, 90, 0]) + 10 * np.roll(np.diag([1, 1, 1, 0]), 1, axis=1)
    speakers = {f"s{number}": common + np.diag([0, 0, 0, number < 4]) for number in range(10)}
    found = only(lambda fold, seed: speakers, folds=["one"], seeds=[0])
    interval = cell_interval(found, "uar")
    assert interval is not None
    assert of_decisions(found) ** 0.5 == pytest.approx(0.25 * (0.9 * 0.1 / 4) ** 0.5, rel=0.05)
    assert (interval.low, interval.high) == pytest.approx(
        by_logit(0.925, of_decisions(found) ** 0.5, interval.effective_clusters - 1), abs=1e-6
    )
    assert interval.low < 0.81


@pytest.mark.parametrize("metric", ["uar", "wa", "macro_f1", "weighted_f1"])
def test_the_variance_of_decisions_is_that_of_decisions_that_are_drawn(metric: str) -> None:
    rng = np.random.default_rng(0)
    shares = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.2, 0.2, 0.6]])
    sizes, folds = (120, 40, 80), 2
    drawn = np.array([[rng.multinomial(sizes[k], shares[k], (4000, folds)) for k in range(3)]])[0].transpose(1, 2, 0, 3)
    of_folds = METRICS[metric].compute(drawn)
    expected = np.round(np.array(sizes)[:, None] * shares)[None, None, None].repeat(folds, axis=1)
    found = variance_of_decisions(METRICS[metric], expected, pooled=False)
    assert found == pytest.approx(of_folds.mean(axis=1).var(), rel=0.1)
    pooled = variance_of_decisions(METRICS[metric], expected, pooled=True)
    assert pooled == pytest.approx(METRICS[metric].compute(drawn.sum(axis=1)).var(), rel=0.1)


@pytest.mark.parametrize(("metric", "most"), [("ece", 1), ("brier", 2)])
def test_errors_with_an_end_stay_below_it(metric: str, most: float) -> None:
    assert METRICS[metric].most == most
    scale, at = _scale(METRICS[metric], 0.3)
    assert scale.back(scale.there(at)) == pytest.approx(0.3)
    assert scale.back(scale.there(at) + 50) <= most
    step = 1e-6
    assert scale.slope(at) == pytest.approx((scale.there(at + step) - scale.there(at - step)) / (2 * step))


def test_no_interval_is_without_width() -> None:
    """Perfect, hopeless, constant, by two speakers or ten: of shares, correlations and errors."""
    for share in (0.0, 0.5, 1.0):
        for speakers in (2, 10):
            for interval in all_intervals(only(right([share] * speakers)), ["uar", "wa", "macro_f1"]).values():
                assert interval is not None
                assert interval.low < interval.high
    for noise in (0.0, 1.0):
        for interval in all_intervals(only(rated(2, noise), folds=["one"], **REGRESSION), ["ccc", "rmse"]).values():
            assert interval is not None
            assert interval.low < interval.high


@pytest.mark.filterwarnings("error")
def test_near_the_ends_of_the_scale_nothing_overflows() -> None:
    """One decision of 9000 is wrong, in the one speaker of two: the reach on the logit scale is in the hundreds."""
    almost = {"x": counts(4500, 4500), "y": counts(4500, 4500) - np.diag([1, 0, 0, 0]) + np.eye(4, k=1) * [0, 1, 0, 0]}
    interval = cell_interval(only(lambda f, s: almost, folds=["one"], seeds=[0]), "uar")
    assert interval is not None
    assert 0 <= interval.low < interval.high <= 1


def test_one_speaker_has_no_interval() -> None:
    assert cell_interval(only(lambda fold, seed: {"s": np.eye(4)}), "uar") is None


def test_more_confidence_is_wider() -> None:
    found = only(made_up(3))
    narrow, wide = (cell_interval(found, "uar", level=level) for level in (0.8, 0.99))
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low < cell_scores(found, "uar").mean < narrow.high < wide.high


def test_an_interval_depends_on_its_own_cell_only() -> None:
    alone = cell_interval(only(made_up(3)), "uar")
    other = cell(made_up(3, tag=1), upstream__name="a-nose", upstream__sha256=OTHER)
    assert cell_interval(group(other + cell(made_up(3))).cells[1], "uar") == alone


def test_several_metrics_at_once_are_the_same_numbers() -> None:
    found, names = only(made_up(3)), ["wa", "uar", "macro_f1"]
    assert all_intervals(found, names) == {name: cell_interval(found, name) for name in names}


def test_groups_of_utterances_are_named_so() -> None:
    grouped = only(made_up(3), clusters__unit="utterance", counts__test_speakers=0)
    interval = cell_interval(grouped, "uar")
    assert interval is not None
    assert interval.cluster == "utterance"


@hypothesis.given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=2, max_size=5))
@hypothesis.settings(deadline=None, max_examples=60)
def test_it_holds_the_score_and_stays_on_the_scale(hits: list[list[int]]) -> None:
    confusions = [np.diag(one) + np.roll(np.diag([3 - hit for hit in one]), 1, axis=1) for one in hits]
    found = only(lambda f, s: {f"s{i}": c for i, c in enumerate(confusions)}, folds=["one"], seeds=[0])
    for name, interval in all_intervals(found, ["uar", "wa", "macro_f1"]).items():
        assert interval is not None
        assert 0 <= interval.low <= cell_scores(found, name).mean <= interval.high <= 1


def test_many_units_take_bounded_memory() -> None:
    """3000 units: leaving each out at once would take 3000 x 3000 weights, 72 MB."""
    rng = np.random.default_rng(0)
    everyone = {f"u{index}": decisions(rng, 0.5, per_class=1) for index in range(3000)}
    found = only(lambda fold, seed: everyone, folds=["one"], seeds=[0])
    tracemalloc.start()
    interval = cell_interval(found, "wa")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert interval is not None
    assert peak < 20e6
    p, error = cell_scores(found, "wa").mean, scipy.stats.sem([np.trace(c) / 4 for c in everyone.values()])
    assert (interval.low, interval.high) == pytest.approx((p - 1.96 * error, p + 1.96 * error), abs=0.1 * error)
