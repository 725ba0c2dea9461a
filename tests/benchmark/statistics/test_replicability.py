"""Two systems over just these corpora, against Dror's published code and by simulation."""

from __future__ import annotations

import dataclasses
import functools
import itertools

import numpy as np
import pytest
import scipy.stats
from small_cells import made_up, two

from benchmark.statistics import Comparison, compare
from benchmark.statistics.pairs import Compared
from benchmark.statistics.replicability import (
    blocks_of,
    every_replicability,
    partial_conjunction,
    pooled,
    replicability,
    together,
)
from benchmark.statistics.task import Pairs


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
