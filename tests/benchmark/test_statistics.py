"""Scores, intervals and differences against independent implementations and simulations."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from records_factory import cell, decisions

from benchmark import statistics as module
from benchmark.cells import Cell, group
from benchmark.errors import BenchError, UsageError
from benchmark.metrics import METRICS, moments
from benchmark.statistics import all_intervals, all_scores, cell_scores, compare, speaker_interval

OTHER = "9" * 64
STEP = 1.01 / 240  # with 240 utterances an end of an interval may fall on either of two neighbouring values


def only(*args, **changes) -> Cell:
    return group(cell(*args, **changes)).cells[0]


def made_up(n: int, correct: float = 0.6, tag: int = 0) -> Callable[[str, int], Mapping[str, np.ndarray]]:
    """Speakers with accuracies of their own, `n` in each fold."""

    def by_speaker(fold: str, seed: int) -> Mapping[str, np.ndarray]:
        result = {}
        for index in range(n):
            own = np.random.default_rng([ord(fold[0]), index]).normal(0, 0.15)
            rng = np.random.default_rng([ord(fold[0]), seed, index, tag])
            result[f"{fold}{index}"] = decisions(rng, float(np.clip(correct + own, 0.05, 0.95)))
        return result

    return by_speaker


def ratings(fold: str, seed: int) -> Mapping[str, np.ndarray]:
    """Moments of two dimensions for three speakers a fold; the truth does not depend on the seed."""
    result = {}
    for index in range(3):
        truth = np.random.default_rng([ord(fold[0]), index]).integers(1, 8, (20, 2)).astype(float)
        noise = np.random.default_rng([ord(fold[0]), index, seed]).normal(0, 1 + index / 2, (20, 2))
        result[f"{fold}{index}"] = moments(truth, truth + noise)
    return result


REGRESSION = {"task__kind": "regression", "task__outputs": ["arousal", "valence"], "task__metrics": ["ccc", "rmse"]}


def utterances(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices(counts.shape)
    times = counts.ravel().astype(int)
    return np.repeat(rows.ravel(), times), np.repeat(columns.ravel(), times)


def test_pooled_utterances_score_as_one_test_set() -> None:
    found = only(made_up(3))
    counts = found.statistics().sum(axis=(1, 2))
    golden = [sklearn.metrics.balanced_accuracy_score(*utterances(one)) for one in counts]
    scores = cell_scores(found, "uar")
    assert scores.values == pytest.approx(golden)
    assert len(set(golden)) == 3
    assert scores.mean == pytest.approx(np.mean(golden))
    assert scores.sd == pytest.approx(scipy.stats.tstd(golden))


def test_pooled_folds_score_as_the_mean_of_folds() -> None:
    unequal = only(
        lambda fold, seed: made_up(1 if fold == "a" else 4)(fold, seed), folds=["a", "b", "c"], task__pool="folds"
    )
    counts = unequal.statistics().sum(axis=2)
    golden = [np.mean([sklearn.metrics.balanced_accuracy_score(*utterances(one)) for one in seed]) for seed in counts]
    assert cell_scores(unequal, "uar").values == pytest.approx(golden)
    pooled = only(
        lambda fold, seed: made_up(1 if fold == "a" else 4)(fold, seed), folds=["a", "b", "c"], task__pool="utterances"
    )
    assert cell_scores(pooled, "uar").mean != pytest.approx(np.mean(golden), abs=1e-3)


def test_one_seed_has_no_spread() -> None:
    assert cell_scores(only(seeds=[4]), "uar").sd is None


def test_several_metrics_at_once_are_the_same_numbers() -> None:
    found = only(made_up(3))
    names = ["wa", "uar", "macro_f1"]
    assert all_scores(found, names) == {name: cell_scores(found, name) for name in names}
    together = all_intervals(found, names, resamples=500)
    assert together == {name: speaker_interval(found, name, resamples=500) for name in names}


def test_the_interval_is_scipys_bootstrap_of_speakers() -> None:
    """With equally many utterances for each speaker, WA is the mean of the speakers' accuracies."""
    found = only(made_up(10), seeds=[0])
    counts = found.statistics()[0].sum(axis=0)
    accuracies = counts.trace(axis1=1, axis2=2) / counts.sum(axis=(1, 2))
    golden = scipy.stats.bootstrap(
        (accuracies,), np.mean, method="percentile", n_resamples=40_000, rng=np.random.default_rng(5)
    ).confidence_interval
    interval = speaker_interval(found, "wa", resamples=40_000)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((golden.low, golden.high), abs=STEP)
    assert (interval.n_units, interval.level) == (20, 0.95)


def test_with_pooled_folds_of_one_speaker_the_interval_is_scipys_bootstrap_of_folds() -> None:
    found = only(made_up(1, correct=0.5), folds=list("abcdefghijkl"), seeds=[0], task__pool="folds")
    uars = METRICS["uar"].compute(found.statistics()[0].sum(axis=1))
    golden = scipy.stats.bootstrap(
        (uars,), np.mean, method="percentile", n_resamples=40_000, rng=np.random.default_rng(5)
    ).confidence_interval
    interval = speaker_interval(found, "uar", resamples=40_000)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((golden.low, golden.high), abs=STEP)


@pytest.mark.parametrize("pool", ["utterances", "folds"])
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_interval_is_that_of_all_possible_draws(pool: str, kind: str) -> None:
    """Two folds of two and one speakers and two seeds: 27 x 4 draws, enumerated and scored one by one."""
    speakers_of = {"one": 2, "two": 1}
    if kind == "classification":
        found = only(lambda f, s: made_up(speakers_of[f])(f, s), seeds=[0, 1], task__pool=pool)
        metric = "uar"
    else:
        found = only(
            lambda f, s: dict(list(ratings(f, s).items())[: speakers_of[f]]),
            seeds=[0, 1],
            task__pool=pool,
            **REGRESSION,
        )
        metric = "ccc"
    statistics, compute = found.statistics(), METRICS[metric].compute

    def score(seed: int, drawn: tuple[int, ...]) -> float:
        if pool == "utterances":
            return compute(sum(statistics[seed, :, s].sum(axis=0) for s in drawn)).item()
        total = weights = 0.0
        for fold, size in enumerate(speakers_of.values()):
            mine = [s for s in drawn if statistics[seed, fold, s].any()]
            if mine:
                total += len(mine) / size * compute(sum(statistics[seed, fold, s] for s in mine)).item()
                weights += len(mine) / size
        return total / weights

    values = sorted(
        (score(r1, drawn) + score(r2, drawn)) / 2
        for drawn in itertools.product(range(3), repeat=3)
        for r1, r2 in itertools.product(range(2), repeat=2)
    )
    interval = speaker_interval(found, metric, level=0.8, resamples=50_000)
    assert interval is not None
    # the 10 % and 90 % points of the exact distribution, give or take what 50 000 draws cannot tell
    assert values[int(0.094 * 108)] - 1e-9 <= interval.low <= values[int(0.106 * 108)] + 1e-9
    assert values[int(0.894 * 108)] - 1e-9 <= interval.high <= values[int(0.906 * 108)] + 1e-9


def test_a_speaker_in_several_folds_is_drawn_as_one() -> None:
    """Two speakers, each in both folds and each the same there: resampling folds would find no spread."""

    def by_speaker(fold: str, seed: int) -> Mapping[str, np.ndarray]:
        return {"good": 5 * np.eye(4), "bad": 5 * np.roll(np.eye(4), 1, axis=1)}

    for pool in ("utterances", "folds"):
        interval = speaker_interval(only(by_speaker, task__pool=pool), "uar", resamples=500)
        assert interval is not None
        assert (interval.low, interval.high) == (0, 1)


def test_seeds_are_resampled_too() -> None:
    """Two equal speakers leave the seeds as the only spread."""

    def by_speaker(fold: str, seed: int) -> Mapping[str, np.ndarray]:
        counts = 5 * np.eye(4) if seed else 5 * np.roll(np.eye(4), 1, axis=1)
        return {"anna": counts, "bela": counts}

    interval = speaker_interval(only(by_speaker, seeds=[0, 1]), "uar", resamples=500)
    assert interval is not None
    assert (interval.low, interval.high) == (0, 1)


def test_one_speaker_has_no_interval() -> None:
    lonely = only(lambda fold, seed: {"s": np.eye(4)})
    assert speaker_interval(lonely, "uar") is None
    result = compare(lonely, lonely, "uar")
    assert (result.delta, result.low, result.high, result.n_units) == (0, None, None, 1)


def test_an_interval_depends_on_its_own_cell_only(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = speaker_interval(only(made_up(3)), "uar", resamples=1000)
    other = cell(made_up(3, tag=1), upstream__name="a-nose", upstream__sha256=OTHER)
    beside = group(other + cell(made_up(3))).cells[1]
    assert speaker_interval(beside, "uar", resamples=1000) == alone
    assert speaker_interval(beside, "uar", resamples=1000, seed=1) != alone
    for name in ("WEIGHTS_AT_ONCE", "STATISTICS_AT_ONCE"):  # seven resamples at once
        with monkeypatch.context() as patch:
            patch.setattr(module, name, 7 * (6 if name == "WEIGHTS_AT_ONCE" else 48))
            assert speaker_interval(beside, "uar", resamples=1000) == alone


def test_many_units_are_resampled_in_bounded_memory() -> None:
    """3000 units, such as the utterances of a corpus without speaker ids: 10 000 x 3000 weights would be 240 MB."""
    import tracemalloc

    rng = np.random.default_rng(0)
    everyone = {f"u{index}": decisions(rng, 0.5, per_class=1) for index in range(3000)}
    found = only(lambda fold, seed: everyone, folds=["one"], seeds=[0])
    tracemalloc.start()
    interval = speaker_interval(found, "wa", resamples=10_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert interval is not None
    assert peak < 160e6
    p = cell_scores(found, "wa").mean
    se = scipy.stats.tstd([np.trace(c) / 4 for c in everyone.values()]) / np.sqrt(3000)
    assert (interval.low, interval.high) == pytest.approx((p - 1.96 * se, p + 1.96 * se), abs=0.1 * se)


def pair(n: int = 10, seeds: tuple[int, ...] = (0,), **changes) -> tuple[Cell, Cell]:
    better = cell(made_up(n, 0.75, tag=1), seeds=seeds, upstream__name="better", upstream__sha256=OTHER, **changes)
    cells = group(better + cell(made_up(n, 0.6), seeds=seeds, **changes)).cells
    return cells[0], cells[1]


def test_the_difference_is_scipys_bootstrap_of_paired_speakers() -> None:
    a, b = pair()

    def accuracies(one: Cell) -> np.ndarray:
        counts = one.statistics()[0].sum(axis=0)
        return counts.trace(axis1=1, axis2=2) / counts.sum(axis=(1, 2))

    differences = accuracies(a) - accuracies(b)
    golden = scipy.stats.bootstrap(
        (differences,), np.mean, method="percentile", n_resamples=40_000, rng=np.random.default_rng(5)
    ).confidence_interval
    result = compare(a, b, "wa", resamples=40_000)
    assert result.delta == pytest.approx(differences.mean())
    assert (result.low, result.high) == pytest.approx((golden.low, golden.high), abs=STEP)
    assert (result.a, result.b, result.task, result.metric) == ("better + superb", "ears + superb", "toy", "wa")
    assert (result.unit, result.n_units, result.seeds, result.level) == ("speaker", 20, (1, 1), 0.95)


def test_pairing_removes_what_the_speakers_share() -> None:
    a, b = pair(seeds=(0, 1, 2))
    paired = compare(a, b, "uar")
    alone = [speaker_interval(one, "uar") for one in (a, b)]
    assert all(interval is not None for interval in alone)
    widths = [interval.high - interval.low for interval in alone if interval is not None]
    assert paired.low is not None
    assert paired.high is not None
    assert paired.high - paired.low < 0.9 * np.hypot(*widths)


def test_swapping_the_systems_mirrors_the_difference() -> None:
    a, b = pair(seeds=(0, 1))
    there, back = compare(a, b, "uar", resamples=2000), compare(b, a, "uar", resamples=2000)
    assert back.delta == -there.delta
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-12)


def test_a_system_does_not_differ_from_itself_but_for_its_seeds() -> None:
    one = only(made_up(3), seeds=[0])
    result = compare(one, one, "uar", resamples=500)
    assert (result.delta, result.low, result.high) == (0, 0, 0)
    several = only(made_up(3), seeds=[0, 1, 2])
    result = compare(several, several, "uar", resamples=500)
    assert result.low is not None
    assert result.low < 0 < result.high


def test_heads_with_and_without_seeds_can_be_compared() -> None:
    fixed = cell(made_up(4), downstream__name="svm", downstream__sha256=OTHER, downstream__stochastic=False)
    a, b = group([r for r in fixed if r.seed == 0] + cell(made_up(4))).cells
    assert {compare(a, b, "uar", resamples=100).seeds} == {(3, 1)}


def test_different_protocols_cannot_be_compared() -> None:
    with pytest.raises(BenchError, match="different protocols, recordings or folds"):
        compare(only(), only(task__sha256=OTHER), "uar")


@pytest.mark.parametrize("n", [1, 3])
def test_different_speakers_cannot_be_compared(n: int) -> None:
    with pytest.raises(BenchError, match="not tested on the same utterances of toy"):
        compare(only(made_up(n), upstream__sha256=OTHER), only(made_up(2)), "uar")


def test_different_utterances_of_the_same_speakers_cannot_be_compared() -> None:
    def more(fold: str, seed: int) -> Mapping[str, np.ndarray]:
        return {speaker: counts + np.eye(4) for speaker, counts in made_up(2)(fold, seed).items()}

    with pytest.raises(BenchError, match="not tested on the same utterances of toy"):
        compare(only(more, upstream__sha256=OTHER), only(made_up(2)), "uar")


def test_incomplete_cells_have_no_score() -> None:
    incomplete = group(cell(made_up(2))[1:]).cells[0]
    for ask in (cell_scores, speaker_interval, lambda c, m: compare(c, only(made_up(2)), m)):
        with pytest.raises(BenchError, match="is incomplete: 5 of 6 units"):
            ask(incomplete, "uar")


def test_metrics_of_another_kind_or_name_are_refused() -> None:
    with pytest.raises(BenchError, match="'ccc' is for regression"):
        cell_scores(only(), "ccc")
    with pytest.raises(UsageError, match="did you mean 'uar'"):
        speaker_interval(only(), "uarr")


def test_regression_pools_moments() -> None:
    found = only(ratings, **REGRESSION)
    pooled = found.statistics().sum(axis=(1, 2))
    assert cell_scores(found, "ccc").values == pytest.approx(METRICS["ccc"].compute(pooled).tolist())
    interval = speaker_interval(found, "ccc", resamples=1000)
    assert interval is not None
    assert interval.low < cell_scores(found, "ccc").mean < interval.high


@pytest.mark.slow
def test_intervals_cover_the_truth_and_utterances_would_not() -> None:
    """24 speakers whose accuracies differ (0.6 +- 0.15), 40 utterances each: the true UAR is 0.6.

    The interval that takes the same 960 utterances for independent is far too narrow.
    """
    truth, covered, naively = 0.6, 0, 0
    simulations = 400
    for simulation in range(simulations):
        rng = np.random.default_rng([1, simulation])
        accuracies = rng.beta(0.6 * 9.67, 0.4 * 9.67, 24)  # mean 0.6, standard deviation 0.15
        speakers = {f"s{i}": decisions(rng, accuracy, per_class=10) for i, accuracy in enumerate(accuracies)}
        interval = speaker_interval(
            only(lambda f, s, speakers=speakers: speakers, folds=["one"], seeds=[0]), "uar", resamples=1000
        )
        assert interval is not None
        covered += interval.low <= truth <= interval.high

        pairs = [(row, column) for counts in speakers.values() for row, column in zip(*utterances(counts), strict=True)]
        each = {f"u{i}": np.eye(16)[4 * row + column].reshape(4, 4) for i, (row, column) in enumerate(pairs)}
        naive = speaker_interval(only(lambda f, s, each=each: each, folds=["one"], seeds=[0]), "uar", resamples=300)
        assert naive is not None
        naively += naive.low <= truth <= naive.high
    assert 0.90 <= covered / simulations <= 0.98
    assert naively / simulations < 0.80


@pytest.mark.slow
def test_differences_cover_the_truth_with_seeds() -> None:
    """Two systems 0.1 apart on 24 shared speakers, three seeds each that move the accuracy by 0.02."""
    simulations, covered = 400, 0
    for simulation in range(simulations):
        rng = np.random.default_rng([2, simulation])
        own = rng.normal(0, 0.12, 24)

        def system(level: float, rng=rng, own=own):
            moved = rng.normal(0, 0.02, 3)
            drawn = {
                (index, seed): decisions(rng, float(np.clip(level + own[index] + moved[seed], 0, 1)), per_class=10)
                for index in range(24)
                for seed in range(3)
            }
            return lambda fold, seed: {f"s{index:02}": drawn[index, seed] for index in range(24)}

        a = only(system(0.6), folds=["one"], upstream__sha256=OTHER)
        b = only(system(0.5), folds=["one"])
        result = compare(a, b, "uar", resamples=1000)
        assert result.low is not None
        covered += result.low <= 0.1 <= result.high
    assert 0.90 <= covered / simulations <= 0.985
