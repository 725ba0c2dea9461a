"""Systems over several tasks, against the example of Demsar's paper, scikit-posthocs and Dror's published code."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.stats
from small_cells import made_up, two

from benchmark.statistics import Comparison, compare
from benchmark.statistics.tasks import across_tasks, partial_conjunction, replicability, wilcoxon

# AUC of four variants of C4.5 on 14 data sets: Demsar (2006), table 6. Of "voting" the paper ranks the last two 2 and 3
# by digits that it does not print, hence 0.97501.
VARIANTS = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")
DEMSAR = {
    "adult": (0.763, 0.768, 0.771, 0.798),
    "breast cancer": (0.599, 0.591, 0.590, 0.569),
    "breast cancer wisconsin": (0.954, 0.971, 0.968, 0.967),
    "cmc": (0.628, 0.661, 0.654, 0.657),
    "ionosphere": (0.882, 0.888, 0.886, 0.898),
    "iris": (0.936, 0.931, 0.916, 0.931),
    "liver disorders": (0.661, 0.668, 0.609, 0.685),
    "lung cancer": (0.583, 0.583, 0.563, 0.625),
    "lymphography": (0.775, 0.838, 0.866, 0.875),
    "mushroom": (1.000, 1.000, 1.000, 1.000),
    "primary tumor": (0.940, 0.962, 0.965, 0.962),
    "rheum": (0.619, 0.666, 0.614, 0.669),
    "voting": (0.972, 0.981, 0.97501, 0.975),
    "wine": (0.957, 0.978, 0.946, 0.970),
}
TABLE = {task: dict(zip(VARIANTS, scores, strict=True)) for task, scores in DEMSAR.items()}


def test_the_example_of_demsars_paper() -> None:
    """Mean ranks 3.143, 2.000, 2.893, 1.964; critical distance 2.569 sqrt(4 * 5 / (6 * 14)) = 1.25."""
    found = across_tasks(TABLE)
    assert found is not None
    assert found.systems == ("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")
    assert found.mean_ranks == pytest.approx((1.964, 2.0, 2.893, 3.143), abs=5e-4)
    assert found.critical_distance == pytest.approx(1.25, abs=5e-3)
    assert found.tasks == tuple(DEMSAR)
    # without a correction for ties, as in the paper: 12 N / (k (k + 1)) * (sum of squared ranks - k (k + 1)**2 / 4)
    ranks = np.array(found.mean_ranks)
    assert 12 * 14 / 20 * (np.square(ranks).sum() - 25) == pytest.approx(9.28, abs=5e-3)
    golden = scipy.stats.friedmanchisquare(*np.array(list(DEMSAR.values())).T)
    assert (found.friedman_statistic, found.friedman_p) == pytest.approx((golden.statistic, golden.pvalue))
    # at the 10 % level (2.291, distance 1.12) the paper finds C4.5+m and C4.5+m+cf better than C4.5, but not C4.5+cf
    assert (found.p_nemenyi[3, :2] < 0.10).all()
    assert (found.p_nemenyi[3, :2] > 0.05).all()
    assert found.p_nemenyi[2, 3] > 0.10


def test_post_hoc_tests_are_those_of_scikit_posthocs() -> None:
    posthocs = pytest.importorskip("scikit_posthocs")
    rng = np.random.default_rng(0)
    table = rng.normal(size=(9, 5)) + np.arange(5)
    found = across_tasks({f"t{i}": {f"s{j}": table[i, j] for j in range(5)} for i in range(9)})
    assert found is not None
    order = [int(name[1:]) for name in found.systems]
    golden = posthocs.posthoc_nemenyi_friedman(table).to_numpy()[np.ix_(order, order)]
    off = ~np.eye(5, dtype=bool)
    assert found.p_nemenyi[off] == pytest.approx(golden[off], abs=1e-6)
    pairs = posthocs.posthoc_wilcoxon(list(table[:, order].T), p_adjust="holm").to_numpy()
    assert found.p_wilcoxon_holm[off] == pytest.approx(pairs[off])


def test_nemenyi_marks_what_is_farther_apart_than_the_critical_distance() -> None:
    found = across_tasks({f"t{i}": {"a": 3.0, "b": 2.0, "c": 1.0} for i in range(6)})
    assert found is not None
    assert found.mean_ranks == (1, 2, 3)
    ranks = np.array(found.mean_ranks)
    gaps = np.abs(ranks[:, None] - ranks)
    assert ((found.p_nemenyi < 0.05) == (gaps > found.critical_distance)).all()
    assert found.critical_distance == pytest.approx(2.343 * (12 / 36) ** 0.5, abs=1e-3)
    # exact for six tasks that all agree: 2 / 2**6, times three pairs
    assert found.p_wilcoxon_holm[0, 2] == pytest.approx(3 / 32)


def test_equal_scores_share_ranks_and_rounding_decides_nothing() -> None:
    found = across_tasks({"x": {"a": 0.3, "b": 0.1 + 0.2, "c": 0.1}, "y": {"a": 0.5, "b": 0.5, "c": 0.5}})
    assert found is not None
    assert dict(zip(found.systems, found.mean_ranks, strict=True)) == {"a": 1.75, "b": 1.75, "c": 2.5}
    even = across_tasks({"x": dict.fromkeys("abc", 0.5), "y": dict.fromkeys("abc", 0.7)})
    assert even is not None
    assert (even.friedman_statistic, even.friedman_p) == (0, 1)
    assert even.mean_ranks == (2, 2, 2)
    assert (even.p_wilcoxon_holm == 1).all()
    assert even.p_nemenyi == pytest.approx(np.ones((3, 3)))


def test_only_systems_of_every_task_count_and_too_few_are_nothing() -> None:
    full = {"a": 0.1, "b": 0.2, "c": 0.3}
    found = across_tasks({"x": {**full, "d": 0.9}, "y": full})
    assert found is not None
    assert found.systems == ("c", "b", "a")
    assert across_tasks({}) is None
    assert across_tasks({"x": full}) is None
    assert across_tasks({"x": full, "y": {"a": 0.1, "b": 0.2}}) is None


def on_tasks(p: list[float | None], delta: float = 0.1) -> list[Comparison]:
    """Comparisons of one system with another with these one-sided p-values."""
    one = compare(*two(made_up(3, 0.8, tag=1), made_up(3)), "uar")
    return [
        dataclasses.replace(one, task=f"dataset{number}", delta=delta, p=None if value is None else 2 * value)
        for number, value in enumerate(p, start=1)
    ]


def test_the_example_of_drors_published_code() -> None:
    """README of rtmdrr/replicability-analysis-NLP: Bonferroni's count is 1, Holm names the sixth data set."""
    found = replicability(on_tasks([0.168, 0.297, 0.357, 0.019, 0.218, 0.001]), {"uar": True})
    assert (found.count, found.holm) == (1, ("dataset6",))
    assert found.p == pytest.approx((0.168, 0.297, 0.357, 0.019, 0.218, 0.001))


def test_partial_conjunctions_by_hand() -> None:
    """Sorted, times 4, 3, 2, 1, and never below the one before."""
    assert partial_conjunction(np.array([0.01, 0.015, 0.02, 0.04])) == 4
    assert partial_conjunction(np.array([0.01, 0.02, 0.02, 0.04])) == 1  # 0.04, 0.06, then 0.06
    assert partial_conjunction(np.array([0.013, 0.001, 0.001])) == 3
    assert partial_conjunction(np.array([0.02, 0.03, 0.04])) == 0
    assert partial_conjunction(np.array([])) == 0


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_the_count_exceeds_the_truth_in_no_more_than_five_percent(shared: float) -> None:
    """Two of five tasks show a gain; tasks may depend on each other."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=(4000, 1))
    z = shared**0.5 * common + (1 - shared) ** 0.5 * rng.normal(size=(4000, 5)) + np.array([5, 5, 0, 0, 0])
    counts = np.array([partial_conjunction(one) for one in scipy.stats.norm.sf(z)])
    assert (counts > 2).mean() <= 0.055
    assert (counts >= 2).mean() > 0.8


def test_a_gain_on_the_wrong_side_is_none() -> None:
    assert replicability(on_tasks([0.001], delta=-0.1), {"uar": True}).p == pytest.approx((0.999,))
    lower = replicability(on_tasks([0.001], delta=-0.1), {"uar": False})
    assert (lower.p, lower.count, lower.holm) == (pytest.approx((0.001,)), 1, ("dataset1",))
    assert replicability(on_tasks([0.5], delta=0.0), {"uar": True}).p == pytest.approx((0.5,))


def test_tasks_without_a_test_are_left_out() -> None:
    found = replicability(on_tasks([None, 0.001]), {"uar": True})
    assert (found.tasks, found.count) == (("dataset2",), 1)
    nothing = replicability(on_tasks([None]), {"uar": True})
    assert (nothing.tasks, nothing.p, nothing.count, nothing.holm) == ((), (), 0, ())
    with pytest.raises(ValueError, match="no comparison"):
        replicability([], {})


def test_wilcoxons_test_is_exact_and_blind_to_rounding() -> None:
    """Six tasks that agree: 2 / 2**6. Differences that are rounding noise are ties, and none at all is no evidence."""
    assert wilcoxon(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])) == pytest.approx(2 / 64)
    assert wilcoxon(np.array([0.1, -0.2, 0.3, 0.4, 0.5, 0.6])) == pytest.approx(6 / 64)
    assert wilcoxon(np.array([0.1 + 0.2 - 0.3, 0.0])) == 1


def test_tasks_that_differ_by_rounding_alone_show_nothing() -> None:
    found = across_tasks({task: {"a": 0.3, "b": 0.1 + 0.2, "c": 0.3 - 1e-15} for task in "xyz"})
    assert found is not None
    assert (found.friedman_statistic, found.friedman_p) == (0, 1)
