"""Scores, leaving speakers out, and how many speakers a corpus is worth."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from records_factory import cell
from small_cells import REGRESSION, counts, made_up, only, rated, right, utterances

from benchmark.errors import BenchError, UsageError
from benchmark.metrics import METRICS
from benchmark.records.grouping import group
from benchmark.statistics import all_scores, cell_interval, cell_scores, compare, scores
from benchmark.statistics.scores import effective_speakers, leave_one_out, weighted_scores
from benchmark.sufficient import MOMENTS


def uneven(fold: str, seed: int):
    return made_up(1 if fold == "a" else 4)(fold, seed)


def test_pooled_utterances_score_as_one_test_set() -> None:
    found = only(made_up(3))
    golden = [sklearn.metrics.balanced_accuracy_score(*utterances(one)) for one in found.statistics().sum(axis=(1, 2))]
    score = cell_scores(found, "uar")
    assert score.values == pytest.approx(golden)
    assert len(set(golden)) == 3
    assert score.mean == pytest.approx(np.mean(golden))
    assert score.sd == pytest.approx(scipy.stats.tstd(golden))
    assert score.variance_of_mean == pytest.approx(scipy.stats.sem(golden) ** 2)


def test_pooled_folds_score_as_the_mean_of_folds() -> None:
    by_fold = only(uneven, folds=["a", "b", "c"], task__pool="folds")
    golden = [
        np.mean([sklearn.metrics.balanced_accuracy_score(*utterances(one)) for one in seed])
        for seed in by_fold.statistics().sum(axis=2)
    ]
    assert cell_scores(by_fold, "uar").values == pytest.approx(golden)
    pooled = only(uneven, folds=["a", "b", "c"], task__pool="utterances")
    assert cell_scores(pooled, "uar").mean != pytest.approx(np.mean(golden), abs=1e-3)


def test_one_seed_has_no_spread() -> None:
    score = cell_scores(only(seeds=[4]), "uar")
    assert (score.sd, score.variance_of_mean) == (None, 0)


def test_several_metrics_at_once_are_the_same_numbers() -> None:
    names = ["wa", "uar", "macro_f1"]
    found = only(made_up(3))
    assert all_scores(found, names) == {name: cell_scores(found, name) for name in names}


def test_regression_pools_moments() -> None:
    found = only(rated(), **REGRESSION)
    pooled = found.statistics().sum(axis=(1, 2))
    assert cell_scores(found, "ccc").values == pytest.approx(METRICS["ccc"].compute(pooled).tolist())


@pytest.mark.parametrize("metric", ["uar", "wa"])
@pytest.mark.parametrize("pool", ["utterances", "folds"])
def test_leaving_a_speaker_out_is_scoring_the_others_alone(pool: str, metric: str) -> None:
    """Fold "a" has a single speaker: without it there are two folds; of four speakers, three leave 3/4 of a fold."""
    found = only(uneven, folds=["a", "b", "c"], task__pool=pool)
    statistics = found.statistics()
    score = {"uar": sklearn.metrics.balanced_accuracy_score, "wa": sklearn.metrics.accuracy_score}[metric]
    tested = statistics[0].any(axis=(-2, -1))
    golden = []
    for speaker in range(len(found.speakers)):
        rest = np.delete(statistics, speaker, axis=2)
        if pool == "utterances":
            of_seeds = [score(*utterances(seed.sum(axis=(0, 1)))) for seed in rest]
        else:
            weights = np.delete(tested, speaker, axis=1).sum(axis=1) / tested.sum(axis=1)
            folds = np.flatnonzero(weights)
            of_seeds = [
                np.average([score(*utterances(seed[fold].sum(axis=0))) for fold in folds], weights=weights[folds])
                for seed in rest
            ]
        golden.append(np.mean(of_seeds))
    assert leave_one_out(statistics, found.task, [METRICS[metric]])[0] == pytest.approx(np.array(golden), abs=1e-12)


def test_leaving_a_speaker_out_of_a_regression() -> None:
    found = only(rated(), **REGRESSION)
    statistics = found.statistics()
    golden = []
    for speaker in range(len(found.speakers)):
        n, t, p, tt, pp, tp = np.moveaxis(np.delete(statistics, speaker, axis=2).sum(axis=(1, 2)), -1, 0)
        golden.append(np.mean(2 * (tp / n - t * p / n**2) / (tt / n + pp / n - 2 * t * p / n**2)))
    assert leave_one_out(statistics, found.task, [METRICS["ccc"]])[0] == pytest.approx(np.array(golden))


def test_a_class_of_one_speaker_goes_with_it() -> None:
    def by_speaker(fold: str, seed: int):
        alone = np.zeros((4, 4))
        alone[3, 0] = 5
        return {"everyone": np.diag([3.0, 3, 3, 0]), "angry": alone}

    found = only(by_speaker, folds=["one"], seeds=[0])
    without = leave_one_out(found.statistics(), found.task, [METRICS["uar"]])[0]
    assert found.speakers == ("angry", "everyone")
    assert without.tolist() == [1.0, 0.0]


def test_blocks_do_not_change_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = only(made_up(5))
    whole = leave_one_out(found.statistics(), found.task, [METRICS["uar"], METRICS["wa"]])
    monkeypatch.setattr(scores, "WEIGHTS_AT_ONCE", 3 * found.statistics()[:, 0, 0].size)
    monkeypatch.setattr(scores, "ONE_THREAD", 1)
    assert leave_one_out(found.statistics(), found.task, [METRICS["uar"], METRICS["wa"]]) == pytest.approx(whole)


@pytest.mark.parametrize("pool", ["utterances", "folds"])
def test_weighing_a_speaker_twice_is_having_it_twice(pool: str) -> None:
    found = only(made_up(2), folds=["one"], seeds=[0, 1], task__pool=pool)
    statistics = found.statistics()
    doubled = np.concatenate([statistics, statistics[:, :, :1]], axis=2)
    weights = np.array([[2.0], [1.0]])
    (weighted,) = weighted_scores(statistics, weights, found.task, [METRICS["uar"]])
    (repeated,) = weighted_scores(doubled, np.ones((3, 1)), found.task, [METRICS["uar"]])
    assert weighted == pytest.approx(repeated)


def test_equal_speakers_are_all_worth_one() -> None:
    found = only(right([0.2, 0.5, 0.9]), seeds=[0])
    assert effective_speakers(found.statistics(), found.task) == pytest.approx(6)


def test_a_speaker_with_most_utterances_leaves_few_effective_ones() -> None:
    """Shares of 3/4 and 1/4: 1 / (9/16 + 1/16) = 1.6."""
    found = only(lambda fold, seed: {"many": counts(20, 30), "few": counts(5, 10)}, folds=["one"], seeds=[0])
    assert effective_speakers(found.statistics(), found.task) == pytest.approx(1.6)


def test_the_only_speaker_of_a_class_weighs_as_much_as_all_of_the_others() -> None:
    """Three speakers share three classes, a fourth is a class alone: all have a quarter of the score.

    With two classes the only speaker of the second has half of it: 1 / (3 * (1/6)**2 + (1/2)**2) = 3.
    """

    def by_speaker(classes: int):
        rest = np.diag([3.0] * classes + [0.0] * (4 - classes))
        alone = np.zeros((4, 4))
        alone[3, 3] = 7
        return lambda fold, seed: {"x": rest, "y": rest, "z": rest, "alone": alone}

    for classes, worth in ((3, 4), (1, 3)):
        found = only(by_speaker(classes), folds=["one"], seeds=[0])
        assert effective_speakers(found.statistics(), found.task) == pytest.approx(worth)


def test_with_pooled_folds_a_fold_weighs_as_much_as_another() -> None:
    """One speaker has fold "a", four share fold "b": 1 / ((1/2)**2 + 4 (1/8)**2) = 3.2."""
    sizes = {"a": 1, "b": 4}
    found = only(lambda f, s: right([0.5] * sizes[f])(f, s), folds=["a", "b"], seeds=[0], task__pool="folds")
    assert effective_speakers(found.statistics(), found.task) == pytest.approx(3.2)


def test_speakers_of_a_regression_weigh_by_their_utterances() -> None:
    def by_speaker(fold: str, seed: int):
        rng = np.random.default_rng(0)
        return {name: some_moments(rng, size) for name, size in (("many", 30), ("few", 10))}

    found = only(by_speaker, folds=["one"], seeds=[0], **REGRESSION)
    assert effective_speakers(found.statistics(), found.task) == pytest.approx(1.6)


def some_moments(rng: np.random.Generator, size: int) -> np.ndarray:

    truth = rng.normal(size=(size, 2))
    return MOMENTS.of(truth, truth + rng.normal(size=(size, 2)))


def test_incomplete_cells_have_no_score() -> None:
    incomplete = group(cell(made_up(2))[1:]).cells[0]
    for ask in (cell_scores, cell_interval, lambda c, m: compare(c, only(made_up(2)), m)):
        with pytest.raises(BenchError, match="is incomplete: 5 of 6 units"):
            ask(incomplete, "uar")


def test_metrics_of_another_kind_or_name_are_refused() -> None:
    with pytest.raises(BenchError, match="'ccc' is for regression"):
        cell_scores(only(), "ccc")
    with pytest.raises(UsageError, match="did you mean 'uar'"):
        cell_interval(only(), "uarr")
