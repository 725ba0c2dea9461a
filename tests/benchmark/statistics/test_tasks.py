"""Systems over several tasks, against the example of Demsar's paper and scikit-posthocs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import scipy.stats

from benchmark.statistics.tasks import across_tasks, signed_ranks, wilcoxon

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
OWN = {task: task for task in DEMSAR}
TABLE = {task: dict(zip(VARIANTS, scores, strict=True)) for task, scores in DEMSAR.items()}


def test_the_example_of_demsars_paper() -> None:
    """Mean ranks 3.143, 2.000, 2.893, 1.964; critical distance 2.569 sqrt(4 * 5 / (6 * 14)) = 1.25."""
    found = across_tasks(TABLE, OWN)
    assert found is not None
    assert found.systems == ("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")
    assert found.mean_ranks == pytest.approx((1.964, 2.0, 2.893, 3.143), abs=5e-4)
    assert found.critical_distance == pytest.approx(1.25, abs=5e-3)
    assert found.tasks == found.corpora == tuple(DEMSAR)
    assert found.left_out == ()
    # without a correction for ties, as in the paper: 12 N / (k (k + 1)) * (sum of squared ranks - k (k + 1)**2 / 4)
    ranks = np.array(found.mean_ranks)
    assert 12 * 14 / 20 * (np.square(ranks).sum() - 25) == pytest.approx(9.28, abs=5e-3)
    golden = scipy.stats.friedmanchisquare(*np.array(list(DEMSAR.values())).T)
    assert (found.friedman_statistic, found.friedman_p) == pytest.approx((golden.statistic, golden.pvalue))
    # at the 10 % level (2.291, distance 1.12) the paper finds C4.5+m and C4.5+m+cf better than C4.5, but not C4.5+cf
    assert (found.p_nemenyi[3, :2] < 0.10).all()
    assert (found.p_nemenyi[3, :2] > 0.05).all()
    assert found.p_nemenyi[2, 3] > 0.10


def own(scores: Iterable[str]) -> dict[str, str]:
    """Every task is of a corpus of its own."""
    return {task: task for task in scores}


def test_post_hoc_tests_are_those_of_scikit_posthocs() -> None:
    posthocs = pytest.importorskip("scikit_posthocs")
    rng = np.random.default_rng(0)
    table = rng.normal(size=(9, 5)) + np.arange(5)
    scores = {f"t{i}": {f"s{j}": table[i, j] for j in range(5)} for i in range(9)}
    found = across_tasks(scores, own(scores))
    assert found is not None
    order = [int(name[1:]) for name in found.systems]
    golden = posthocs.posthoc_nemenyi_friedman(table).to_numpy()[np.ix_(order, order)]
    off = ~np.eye(5, dtype=bool)
    assert found.p_nemenyi[off] == pytest.approx(golden[off], abs=1e-6)
    pairs = posthocs.posthoc_wilcoxon(list(table.T), p_adjust="holm").to_numpy()
    for one in signed_ranks(scores, own(scores)):
        assert one.p_adjusted == pytest.approx(pairs[int(one.a[1:]), int(one.b[1:])])


def test_nemenyi_marks_what_is_farther_apart_than_the_critical_distance() -> None:
    scores = {f"t{i}": {"a": 3.0, "b": 2.0, "c": 1.0} for i in range(6)}
    found = across_tasks(scores, own(scores))
    assert found is not None
    assert found.mean_ranks == (1, 2, 3)
    ranks = np.array(found.mean_ranks)
    gaps = np.abs(ranks[:, None] - ranks)
    assert ((found.p_nemenyi < 0.05) == (gaps > found.critical_distance)).all()
    assert found.critical_distance == pytest.approx(2.343 * (12 / 36) ** 0.5, abs=1e-3)
    # exact for six corpora that all agree: 2 / 2**6, times three pairs, which is also the least that they can give
    for one in signed_ranks(scores, own(scores)):
        assert (one.corpora, one.p, one.p_adjusted) == (6, pytest.approx(2 / 64), pytest.approx(6 / 64))
        assert one.smallest == pytest.approx(6 / 64)


def test_equal_scores_share_ranks_and_rounding_decides_nothing() -> None:
    scores = {"x": {"a": 0.3, "b": 0.1 + 0.2, "c": 0.1}} | {f"y{i}": dict.fromkeys("abc", 0.5) for i in range(4)}
    found = across_tasks(scores, own(scores))
    assert found is not None
    assert dict(zip(found.systems, found.mean_ranks, strict=True)) == pytest.approx({"a": 1.9, "b": 1.9, "c": 2.2})
    scores = {f"y{i}": dict.fromkeys("abc", 0.5 + i / 20) for i in range(5)}
    even = across_tasks(scores, own(scores))
    assert even is not None
    assert (even.friedman_statistic, even.friedman_p) == (0, 1)
    assert even.mean_ranks == (2, 2, 2)
    assert even.p_nemenyi == pytest.approx(np.ones((3, 3)))
    assert {one.p_adjusted for one in signed_ranks(scores, own(scores))} == {1.0}


def copied(times: int) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """Six corpora, the first with so many tasks that all say the same."""
    rng = np.random.default_rng(3)
    of_corpus = {f"c{i}": dict(zip("abc", rng.normal(size=3).tolist(), strict=True)) for i in range(6)}
    tasks = {f"c0-{copy}": of_corpus["c0"] for copy in range(times)} | {
        name: scores for name, scores in of_corpus.items() if name != "c0"
    }
    return tasks, {task: task.split("-")[0] for task in tasks}


def test_more_tasks_of_one_corpus_that_say_the_same_change_nothing() -> None:
    one, several = (across_tasks(*copied(times)) for times in (1, 5))
    assert one is not None
    assert several is not None
    assert (several.friedman_p, several.mean_ranks, several.corpora) == (one.friedman_p, one.mean_ranks, one.corpora)
    assert len(several.tasks) == len(one.tasks) + 4
    assert signed_ranks(*copied(5)) == signed_ranks(*copied(1))


def test_the_mean_over_the_tasks_of_a_corpus_is_its_number() -> None:
    scores = {f"t{i}": {"a": 0.5, "b": 0.4, "c": 0.3} for i in range(4)}
    scores |= {"u": {"a": 0.2, "b": 0.6, "c": 0.1}, "v": {"a": 0.9, "b": 0.2, "c": 0.1}}
    corpora = {task: "shared" if task in "uv" else task for task in scores}
    found = across_tasks(scores, corpora)
    assert found is not None
    assert found.corpora == ("t0", "t1", "t2", "t3", "shared")
    assert found.mean_ranks == (1, 2, 3)  # 0.55, 0.4 and 0.1 on the shared one


def test_fewer_than_five_corpora_are_no_sample() -> None:
    scores = {f"t{i}": {"a": 0.1, "b": 0.2, "c": 0.3} for i in range(12)}
    four = {task: f"c{int(task[1:]) % 4}" for task in scores}
    assert across_tasks(scores, four) is None
    assert signed_ranks(scores, four) == ()
    assert across_tasks({}, {}) is None
    five = {task: f"c{int(task[1:]) % 5}" for task in scores}
    assert across_tasks(scores, five) is not None
    assert across_tasks({task: {"a": 0.1, "b": 0.2} for task in scores}, five) is None


def test_what_some_run_more_undoes_nothing_of_others() -> None:
    """One more task by two systems; and a task by three alone of eight."""
    eight = dict.fromkeys("abcdefgh", 0.5)
    scores = {f"t{i}": {name: i / 10 + ord(name) / 300 for name in eight} for i in range(6)}
    for extra in ("ab", "abc"):
        found = across_tasks(scores | {"more": dict.fromkeys(extra, 0.5)}, own([*scores, "more"]))
        assert found is not None
        assert len(found.systems) == 8
        assert found.tasks == tuple(scores)
        assert found.left_out == ()


def test_who_has_too_little_is_left_out_and_named() -> None:
    scores = {f"t{i}": dict.fromkeys("abcd", 0.5) | {"late": 0.6} for i in range(6)}
    del scores["t0"]["late"], scores["t1"]["late"]
    found = across_tasks(scores, own(scores))
    assert found is not None
    assert found.left_out == ("late",)
    assert len(found.tasks) == 6


def test_every_pair_has_its_own_tasks() -> None:
    scores = {f"t{i}": {"a": 0.5, "b": 0.4 - i / 100} for i in range(7)}
    for i in range(2, 7):
        scores[f"t{i}"]["c"] = 0.1
    found = {one.a + one.b: one.corpora for one in signed_ranks(scores, own(scores))}
    assert found == {"ab": 7, "ac": 5, "bc": 5}
    for i in range(2, 4):
        del scores[f"t{i}"]["c"]
    assert [one.a + one.b for one in signed_ranks(scores, own(scores))] == ["ab"]


@pytest.mark.parametrize("number", [5, 9, 13, 25, 60])
def test_the_signed_rank_test_is_that_of_scipy_with_and_without_ties(number: int) -> None:
    rng = np.random.default_rng(number)
    for differences in (rng.normal(size=number), rng.integers(-3, 4, number) / 8 + 0.0, rng.integers(1, 3, number) / 8):
        assert wilcoxon(differences) == (scipy.stats.wilcoxon(differences).pvalue if differences.any() else 1)


def test_wilcoxons_test_is_exact_and_blind_to_rounding() -> None:
    """Six tasks that agree: 2 / 2**6. Differences that are rounding noise are ties, and none at all is no evidence."""
    assert wilcoxon(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])) == pytest.approx(2 / 64)
    assert wilcoxon(np.array([0.1, -0.2, 0.3, 0.4, 0.5, 0.6])) == pytest.approx(6 / 64)
    assert wilcoxon(np.array([0.1 + 0.2 - 0.3, 0.0])) == 1


def test_corpora_that_differ_by_rounding_alone_show_nothing() -> None:
    scores = {task: {"a": 0.3, "b": 0.1 + 0.2, "c": 0.3 - 1e-15} for task in "vwxyz"}
    found = across_tasks(scores, own(scores))
    assert found is not None
    assert (found.friedman_statistic, found.friedman_p) == (0, 1)
