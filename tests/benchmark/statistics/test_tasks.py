"""Systems over several tasks, against the example of Demsar's paper, scikit-posthocs and Dror's published code."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable

import numpy as np
import pytest
import scipy.stats
from small_cells import made_up, two

from benchmark.statistics import Comparison, compare
from benchmark.statistics.pairs import Compared
from benchmark.statistics.task import Pairs
from benchmark.statistics.tasks import (
    across_tasks,
    blocks_of,
    every_replicability,
    partial_conjunction,
    pooled,
    replicability,
    signed_ranks,
    together,
    wilcoxon,
)

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


@functools.cache
def pattern() -> Comparison:
    return compare(*two(made_up(3, 0.8, tag=1), made_up(3)), "uar")


def on_tasks(p: list[float | None], gain: float = 0.1, corpora: str | None = None) -> list[Comparison]:
    """Comparisons of one system with another with these one-sided p-values, of as many corpora or of those named."""
    one, found = pattern(), []
    for number, value in enumerate(p, start=1):
        corpus = f"corpus{number}" if corpora is None else corpora[number - 1]
        t = 1.0 if value is None else float(scipy.stats.t.isf(value, 9))
        spread, two_sided = (None, None) if value is None else (gain / abs(t), 2 * min(value, 1 - value))
        found.append(
            dataclasses.replace(
                one,
                task=f"task{number}",
                corpus=corpus,
                delta=float(np.copysign(gain, t)),
                p=two_sided,
                spread=spread,
                df=9.0,
            )
        )
    return found


def test_the_example_of_drors_published_code() -> None:
    """README of rtmdrr/replicability-analysis-NLP: Bonferroni's count is 1, Holm names the sixth data set."""
    found = replicability(on_tasks([0.168, 0.297, 0.357, 0.019, 0.218, 0.001]))
    assert (found.count, found.holm) == (1, ("corpus6",))
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
    mirrored = [one.mirrored() for one in on_tasks([0.001])]
    assert replicability(mirrored).p == pytest.approx((0.999,))
    lower = [dataclasses.replace(one, metric="rmse") for one in mirrored]
    found = replicability(lower)
    assert (found.p, found.count, found.holm) == (pytest.approx((0.001,)), 1, ("corpus1",))


def test_tasks_without_a_test_are_left_out() -> None:
    found = replicability(on_tasks([None, 0.001]))
    assert (found.corpora, found.count) == (("corpus2",), 1)
    nothing = replicability(on_tasks([None]))
    assert (nothing.corpora, nothing.p, nothing.count, nothing.holm) == ((), (), 0, ())
    with pytest.raises(ValueError, match="no comparison"):
        replicability([])


def test_tasks_of_one_corpus_count_once_however_many() -> None:
    """Five tasks that all find the same difference on the same speakers are one finding."""
    found = replicability(on_tasks([0.001] * 5, corpora="aaaaa"))
    assert (found.corpora, found.count) == (("a",), 1)
    assert found.p == pytest.approx((0.001,))
    (block,) = blocks_of(on_tasks([0.001] * 5, corpora="aaaaa"))
    assert (block.tasks, block.df) == (("task1", "task2", "task3", "task4", "task5"), 9)


def test_a_corpus_of_several_metrics_is_one_block_in_units_of_spread() -> None:
    first, second = on_tasks([0.01, 0.01], corpora="aa")
    (block,) = blocks_of(
        [first, dataclasses.replace(second, metric="ccc", delta=10 * second.delta, spread=10 * second.spread)]
    )
    assert block.p == pytest.approx(0.01)


def on_boards(rng: np.random.Generator) -> list[Compared]:
    """Six systems on seven tasks of four corpora, of two metrics; one task has no test, one only four systems."""
    tasks = []
    for number, corpus in enumerate("abacdab"):
        systems = tuple("uvwxyz"[: 4 if number == 2 else 6])
        pairs = len(systems) * (len(systems) - 1) // 2
        metric = "rmse" if number == 5 else "uar"
        shared = {**vars(pattern()), "task": f"task{number}", "corpus": corpus, "metric": metric}
        for key in ("a", "b", "delta", "seeds"):
            del shared[key]
        bare = Compared(systems, (1,) * len(systems), rng.normal(size=pairs) / 5, {}, shared)
        given = {
            "p": rng.uniform(size=pairs),
            "spread": rng.uniform(0.005, 0.05, pairs),
            "df": rng.uniform(2, 9, pairs),
        }
        tasks.append(bare.with_columns(p=None) if number == 4 else bare.with_columns(**given))
    return tasks


@pytest.mark.parametrize("seed", range(3))
def test_all_pairs_at_once_are_those_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tasks, names = on_boards(rng), list("zxyvwu")
    counted = np.array([[name in one.systems and rng.uniform() < 0.8 for name in names] for one in tasks])
    expected = []
    for a, b in itertools.permutations(range(len(names)), 2):
        common = [Pairs(one)[names[a], names[b]] for one, of in zip(tasks, counted, strict=True) if of[a] and of[b]]
        expected += [replicability(common)] if common else []
    assert every_replicability(tasks, names, counted) == together(expected)
    assert any(one.count for one in together(expected))
    assert every_replicability(tasks, names, np.zeros_like(counted)) == ()


@pytest.mark.parametrize("number", [5, 9, 13, 25, 60])
def test_the_signed_rank_test_is_that_of_scipy_with_and_without_ties(number: int) -> None:
    rng = np.random.default_rng(number)
    for differences in (rng.normal(size=number), rng.integers(-3, 4, number) / 8 + 0.0, rng.integers(1, 3, number) / 8):
        assert wilcoxon(differences) == (scipy.stats.wilcoxon(differences).pvalue if differences.any() else 1)


def test_counts_that_are_shown_together_hold_together() -> None:
    alone = replicability(on_tasks([0.02, 0.02]))
    assert (alone.count, alone.claims) == (2, 1)
    shown = together([alone, replicability([one.mirrored() for one in on_tasks([0.02, 0.02])])])
    assert [(one.count, one.claims) for one in shown] == [(0, 2), (0, 2)]
    sure = together([replicability(on_tasks([1e-4, 1e-4]))] * 10)
    assert {(one.count, one.holm) for one in sure} == {(2, ("corpus1", "corpus2"))}


def test_in_twenty_matrices_of_equal_systems_one_is_wrong_somewhere() -> None:
    """Ten counts over eight corpora that must all be 0; each for itself, one would not be in 40 % of matrices."""
    rng = np.random.default_rng(0)
    wrong = []
    for _ in range(300):
        counts = together([replicability(on_tasks(list(rng.uniform(size=8)))) for _ in range(10)])
        wrong.append(any(one.count for one in counts))
    assert np.mean(wrong) <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5


def test_the_pooled_difference_is_one_number_a_corpus() -> None:
    """Two tasks of the one corpus, one of the other: their means count the same, and their variances add up."""
    one, two_, other = on_tasks([0.1, 0.1, 0.1], corpora="aab")
    one = dataclasses.replace(one, delta=0.1, spread=0.03, df=5.0)
    two_ = dataclasses.replace(two_, delta=0.3, spread=0.05, df=7.0)
    other = dataclasses.replace(other, delta=-0.1, spread=0.03, df=9.0)
    (found,) = pooled([one, two_, other])
    sd = (0.04**2 + 0.03**2) ** 0.5 / 2
    df = (0.04**2 + 0.03**2) ** 2 / (0.04**4 / 5 + 0.03**4 / 9)
    reach = scipy.stats.t.ppf(0.975, df) * sd
    assert (found.gain, found.corpora, found.tasks) == (pytest.approx(0.05), ("a", "b"), 3)
    assert (found.low, found.high) == pytest.approx((0.05 - reach, 0.05 + reach))
    assert found.p == pytest.approx(2 * scipy.stats.t.sf(0.05 / sd, df))
    assert pooled([one]) == ()
    assert pooled([one, dataclasses.replace(two_, metric="ccc")]) == ()
    assert pooled([one, dataclasses.replace(two_, p=None)]) == ()


@pytest.mark.parametrize("shared", [False, True])
def test_the_pooled_interval_holds_the_truth_whether_tasks_share_speakers_or_not(shared: bool) -> None:
    rng, held = np.random.default_rng(0), []
    for _ in range(1500):
        comparisons = []
        for corpus in "abc":
            common = rng.normal(size=(8, 1))
            values = common + 0.1 * rng.normal(size=(8, 3)) if shared else rng.normal(size=(8, 3))
            for task in range(3):
                error = float(scipy.stats.sem(values[:, task]))
                comparisons.append(
                    dataclasses.replace(
                        pattern(), corpus=corpus, delta=float(values[:, task].mean()), spread=error, df=7.0
                    )
                )
        (found,) = pooled(comparisons)
        held.append(found.low <= 0 <= found.high)
    assert 0.94 <= np.mean(held) <= (0.97 if shared else 1)


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
