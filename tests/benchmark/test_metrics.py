"""Metrics against independent implementations, closed forms and properties."""

from __future__ import annotations

import doctest
import math

import audmetric
import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmark import metrics
from benchmark.errors import BenchError, UsageError
from benchmark.metrics import METRICS, OF_TASKS, score
from benchmark.sufficient import CALIBRATION, CONFUSION_COUNTS, MOMENTS

confusion, moments = CONFUSION_COUNTS.of_decisions, MOMENTS.of
CLASSIFICATION = [name for name, metric in METRICS.items() if metric.statistics is CONFUSION_COUNTS]
CALIBRATED = [name for name, metric in METRICS.items() if metric.statistics is CALIBRATION]
REGRESSION = [name for name, metric in METRICS.items() if metric.statistics is MOMENTS]

# Ten utterances, three classes, computed by hand: recalls 3/4, 2/4, 1/2; hits 6.
COUNTS = np.array([[3, 1, 0], [1, 2, 1], [1, 0, 1]])
HAND = {
    "uar": (3 / 4 + 2 / 4 + 1 / 2) / 3,
    "wa": 6 / 10,
    "macro_f1": (6 / 9 + 4 / 7 + 2 / 4) / 3,
    "weighted_f1": (4 * 6 / 9 + 4 * 4 / 7 + 2 * 2 / 4) / 10,
}
# Four utterances: t = 1 2 3 4, p = 2 2 4 4: means 2.5 and 3, variances 1.25 and 1, covariance 1, errors 1 0 1 0.
TRUTH, VALUES = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[2.0], [2.0], [4.0], [4.0]])
HAND_REGRESSION = {"ccc": 2 / (1.25 + 1 + 0.25), "pearson": 1 / math.sqrt(1.25), "rmse": math.sqrt(0.5)}


def utterances(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Truth and decisions with these confusion counts."""
    rows, columns = np.indices(counts.shape)
    return np.repeat(rows.ravel(), counts.ravel()), np.repeat(columns.ravel(), counts.ravel())


counts_with_any_class_missing = st.integers(2, 6).flatmap(
    lambda k: hnp.arrays(np.int64, (k, k), elements=st.integers(0, 8)).filter(lambda counts: counts.sum() > 0)
)


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_classification_by_hand(name: str) -> None:
    assert METRICS[name].compute(COUNTS) == pytest.approx(HAND[name], abs=1e-15)


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_by_hand(name: str) -> None:
    assert score(name, TRUTH, VALUES) == pytest.approx(HAND_REGRESSION[name], abs=1e-15)


@given(counts_with_any_class_missing)
def test_classification_agrees_with_scikit_learn_and_audmetric(counts: np.ndarray) -> None:
    truth, decision = utterances(counts)
    labels = list(range(len(counts)))
    present = sorted(set(truth.tolist()))
    assert (
        confusion(truth, decision, len(counts)) == sklearn.metrics.confusion_matrix(truth, decision, labels=labels)
    ).all()
    f1 = {"labels": labels, "zero_division": 0}
    golden = {
        "uar": sklearn.metrics.recall_score(truth, decision, labels=present, average="macro", zero_division=0),
        "wa": sklearn.metrics.accuracy_score(truth, decision),
        "macro_f1": sklearn.metrics.f1_score(truth, decision, average="macro", **f1),
        "weighted_f1": sklearn.metrics.f1_score(truth, decision, average="weighted", **f1),
    }
    for name, expected in golden.items():
        assert METRICS[name].compute(counts) == pytest.approx(expected, abs=1e-12), name
    recalls = audmetric.recall_per_class(truth, decision, labels)
    assert METRICS["uar"].compute(counts) == pytest.approx(np.mean([recalls[c] for c in present]), abs=1e-12)
    assert METRICS["wa"].compute(counts) == pytest.approx(audmetric.accuracy(truth, decision), abs=1e-12)
    fscore = audmetric.unweighted_average_fscore(truth, decision, labels, zero_division=0)
    assert METRICS["macro_f1"].compute(counts) == pytest.approx(fscore, abs=1e-12)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_uar_leaves_out_classes_without_test_utterances_as_balanced_accuracy_does() -> None:
    counts = np.array([[2, 1, 1], [0, 0, 0], [0, 3, 3]])
    truth, decision = utterances(counts)
    assert metrics.uar(counts) == pytest.approx((2 / 4 + 3 / 6) / 2)
    assert metrics.uar(counts) == pytest.approx(sklearn.metrics.balanced_accuracy_score(truth, decision))


@given(st.integers(3, 60), st.integers(1, 3), st.integers(0, 2**32 - 1), st.floats(-3, 3), st.floats(0.1, 5))
def test_regression_agrees_with_audmetric_and_scipy(n: int, k: int, seed: int, offset: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(4, 1, (n, k))
    values = offset + scale * truth + rng.normal(0, 1, (n, k))
    each = moments(truth, values)
    for j in range(k):
        t, p = truth[:, j], values[:, j]
        assert metrics.ccc_of_dimensions(each)[j] == pytest.approx(audmetric.concordance_cc(t, p), abs=1e-9)
        assert metrics.pearson_of_dimensions(each)[j] == pytest.approx(scipy.stats.pearsonr(t, p).statistic, abs=1e-9)
        assert metrics.pearson_of_dimensions(each)[j] == pytest.approx(audmetric.pearson_cc(t, p), abs=1e-9)
        error = sklearn.metrics.root_mean_squared_error(t, p)
        assert metrics.rmse_of_dimensions(each)[j] == pytest.approx(error, abs=1e-9)
    for name in REGRESSION:
        each_dimension = [score(name, truth[:, [j]], values[:, [j]]) for j in range(k)]
        assert score(name, truth, values) == pytest.approx(np.mean(each_dimension), abs=1e-12)


@given(counts_with_any_class_missing, st.randoms(use_true_random=False))
def test_bounds_perfection_and_permutations(counts: np.ndarray, random) -> None:
    truth, decision = utterances(counts)
    order = list(range(len(truth)))
    random.shuffle(order)
    classes = list(range(len(counts)))
    random.shuffle(classes)
    renamed = np.array(classes)
    for name in CLASSIFICATION:
        compute = METRICS[name].compute
        value = compute(counts).item()
        assert 0 <= value <= 1
        assert compute(confusion(truth[order], decision[order], len(counts))).item() == value
        other_names = confusion(renamed[truth], renamed[decision], len(counts))
        assert compute(other_names).item() == pytest.approx(value, abs=1e-12)
        if name != "macro_f1":  # a class that does not occur is a 0 there
            assert compute(np.diag(counts.sum(axis=1))).item() == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40), st.data())
def test_adding_statistics_is_pooling_utterances(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    truth, decision = np.array(pairs).T
    cut = data.draw(st.integers(1, len(pairs) - 1))
    parts = [
        confusion(truth[:cut], decision[:cut], 4),
        confusion(truth[cut:], decision[cut:], 4),
    ]
    assert (sum(parts) == confusion(truth, decision, 4)).all()
    t, p = truth[:, None].astype(float), decision[:, None].astype(float)
    assert np.allclose(moments(t[:cut], p[:cut]) + moments(t[cut:], p[cut:]), moments(t, p), rtol=0, atol=1e-12)


@given(hnp.arrays(np.int64, (2, 3, 4, 4), elements=st.integers(0, 5)))
def test_leading_axes_are_vectorised(counts: np.ndarray) -> None:
    for name in CLASSIFICATION:
        together = METRICS[name].compute(counts)
        assert together.shape == (2, 3)
        alone = [[METRICS[name].compute(counts[i, j]).item() for j in range(3)] for i in range(2)]
        np.testing.assert_array_equal(together, alone)


def test_leading_axes_are_vectorised_for_moments() -> None:
    rng = np.random.default_rng(0)
    each = np.stack([moments(rng.normal(size=(9, 2)), rng.normal(size=(9, 2))) for _ in range(5)])
    for name in REGRESSION:
        assert METRICS[name].compute(each).tolist() == [METRICS[name].compute(one).item() for one in each]


@pytest.mark.parametrize("name", METRICS)
def test_no_utterance_is_nan(name: str) -> None:
    metric = METRICS[name]
    empty = np.zeros((2, *metric.statistics.shape(3)))
    assert np.isnan(metric.compute(empty)).tolist() == [True, True]
    of_classes = metric.statistics.outputs == "classes"
    truth, scores = (np.zeros(0, int), np.zeros((0, 3))) if of_classes else (np.zeros((0, 2)),) * 2
    assert math.isnan(score(name, truth, scores))


@pytest.mark.parametrize("constant", [0.0, 0.1, 4.0, 1e5 / 3, -7.7])
def test_a_constant_is_exactly_uncorrelated(constant: float) -> None:
    varying = np.random.default_rng(1).integers(1, 8, (1001, 1)).astype(float)
    flat = np.full_like(varying, constant)
    for name in ("ccc", "pearson"):
        assert score(name, varying, flat) == 0.0
        assert score(name, flat, varying) == 0.0
        assert score(name, flat, flat) == 0.0  # the same constant too
    assert score("rmse", flat, flat) == pytest.approx(0, abs=1e-7 * max(1, abs(constant)))


def test_moments_are_stable_for_ratings() -> None:
    """10^5 ratings from 1 to 7, a prediction far from them, and a prediction that hardly varies."""
    rng = np.random.default_rng(2)
    truth = rng.integers(1, 8, (100_000, 1)).astype(float)
    noise = rng.normal(size=truth.shape)
    for prediction in (truth + noise, truth + 1e-3 * noise, 1000 + truth + noise, 4 + 1e-3 * noise + 1e-3 * truth):
        t, p = truth[:, 0], prediction[:, 0]
        assert score("ccc", truth, prediction) == pytest.approx(audmetric.concordance_cc(t, p), abs=1e-7)
        assert score("pearson", truth, prediction) == pytest.approx(scipy.stats.pearsonr(t, p).statistic, abs=1e-7)
        assert score("rmse", truth, prediction) == pytest.approx(math.sqrt(np.mean((t - p) ** 2)), rel=1e-7)
    assert score("ccc", truth, truth) == pytest.approx(1, abs=1e-12)
    assert score("ccc", truth, truth) <= 1


def test_ccc_punishes_a_shift_that_pearson_does_not_see() -> None:
    assert score("pearson", TRUTH, TRUTH + 1) == pytest.approx(1)
    assert score("ccc", TRUTH, TRUTH + 1) == pytest.approx(2 * 1.25 / (2 * 1.25 + 1))


def test_the_first_of_equal_scores_decides() -> None:
    scores = np.array([[1.0, 1.0], [0.0, 2.0]])
    assert CONFUSION_COUNTS.of(np.array([0, 0]), scores).tolist() == [[1, 1], [0, 0]]


def test_statistics_have_the_types_that_records_hold() -> None:
    counts = CONFUSION_COUNTS.of(np.array([0, 2]), np.eye(3)[:2])
    assert counts.dtype == np.int64
    assert counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]
    values = MOMENTS.of(TRUTH, VALUES)
    assert values.tolist() == [[4, 10, 12, 30, 40, 34]]


def test_an_unknown_metric_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match=r"unknown metric 'UARR' \(did you mean 'uar'\?") as caught:
        score("UARR", np.array([0]), np.array([[1.0]]))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("metric", "truth", "scores", "message"),
    [
        ("uar", [0, 1], [[1.0, 0.0]], "2 true classes and 1 decisions"),
        ("uar", [0, 2], [[1.0, 0.0], [0.0, 1.0]], "class index 2"),
        ("uar", [0, -1], [[1.0, 0.0], [0.0, 1.0]], "class index -1"),
        ("uar", [0.0, 1.0], [[1.0, 0.0], [0.0, 1.0]], "dtype float64"),
        ("uar", [[0], [1]], [[1.0, 0.0], [0.0, 1.0]], "shape"),
        ("uar", [0, 1], [[1.0, 0.0], [0.0, math.nan]], "hold nan for utterance 1, output 1"),
        ("uar", [0], [[math.inf, 0.0]], "hold inf for utterance 0, output 0"),
        ("uar", [0, 1], [1, 0], r"scores have shape \(2,\)"),
        ("uar", [], np.zeros((0, 0)), "one column for each class"),
        ("ccc", [[1.0]], [[1.0], [2.0]], r"shape \(1, 1\) and the prediction \(2, 1\)"),
        ("ccc", [1.0], [1.0], r"true values have shape \(1,\)"),
        ("ccc", [[1.0]], [[math.nan]], "predicted values hold nan"),
        ("ccc", [[math.nan]], [[1.0]], "true values hold nan"),
    ],
)
def test_input_that_does_not_fit_is_refused(metric: str, truth: list, scores: list, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        score(metric, np.array(truth), np.array(scores))


def test_the_order_and_the_names_of_metrics_are_fixed() -> None:
    assert list(METRICS) == ["uar", "wa", "macro_f1", "weighted_f1", "ccc", "pearson", "rmse", *CALIBRATED]
    assert CALIBRATED == ["ece", "brier", "nll"]
    assert all(name == metric.name for name, metric in METRICS.items())
    assert [name for name, metric in METRICS.items() if not metric.higher_is_better] == ["rmse", *CALIBRATED]
    assert [name for name, metric in METRICS.items() if metric.percent] == [*CLASSIFICATION, "ece"]
    assert list(OF_TASKS) == [*CLASSIFICATION, *REGRESSION]


def by_definition(truth: np.ndarray, likely: np.ndarray) -> dict[str, float]:
    """ECE, Brier score and NLL of probabilities, utterance by utterance."""
    bins: dict[int, list[tuple[float, float]]] = {}
    brier = nll = 0.0
    for true, row in zip(truth, likely, strict=True):
        decided = int(np.argmax(row))
        bins.setdefault(math.ceil(row[decided] * 15), []).append((float(decided == true), float(row[decided])))
        brier += sum((p - (k == true)) ** 2 for k, p in enumerate(row))
        nll -= math.log(max(row[true], 2**-52))
    weighted = (
        len(found) * abs(sum(right for right, _ in found) / len(found) - sum(sure for _, sure in found) / len(found))
        for found in bins.values()
    )
    return {"ece": sum(weighted) / len(truth), "brier": brier / len(truth), "nll": nll / len(truth)}


@given(seed=st.integers(0, 500), n=st.integers(1, 60), classes=st.integers(2, 9), sure=st.floats(0.1, 30))
def test_calibration_by_definition(seed: int, n: int, classes: int, sure: float) -> None:
    """To the millionth to which the sums are rounded, for each utterance."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    logits = sure * rng.normal(0, 1, (n, classes))
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    expected = by_definition(truth, likely)
    for name in CALIBRATED:
        assert score(name, truth, np.log(likely)) == pytest.approx(expected[name], abs=1e-6)


def test_calibration_by_hand() -> None:
    """Three utterances: sure and right, as sure and wrong, and unsure; a confidence of 1 is in the last bin."""
    truth, likely = np.array([0, 1, 1]), np.array([[1.0, 0.0], [0.9, 0.1], [0.4, 0.6]])
    with np.errstate(divide="ignore"):
        scores = np.maximum(np.log(likely), -1000)
    # bins of 0.9 and 0.6: one wrong one, one right one; 1.0: one right one
    assert score("ece", truth, scores) == pytest.approx((0.9 + 0.4 + 0) / 3, abs=1e-6)
    assert score("brier", truth, scores) == pytest.approx((0 + 2 * 0.81 + 2 * 0.16) / 3, abs=1e-6)
    assert score("nll", truth, scores) == pytest.approx((-math.log(0.1) - math.log(0.6)) / 3, abs=1e-6)


def test_the_probability_of_the_true_class_is_not_taken_for_less_than_a_rounding() -> None:
    scores = np.array([[0.0, -1e6]])
    assert score("nll", np.array([1]), scores) == pytest.approx(52 * math.log(2), abs=1e-6)


def test_examples_in_docstrings_run() -> None:
    result = doctest.testmod(metrics)
    assert result.attempted >= 2
    assert result.failed == 0


def test_a_fold_of_one_class_has_full_uar_and_half_the_macro_f1() -> None:
    """The one leaves out a class without utterances, the other counts it as 0; pooled, both see both."""
    first, second = np.array([[5, 0], [0, 0]]), np.array([[0, 0], [0, 5]])
    assert [(metrics.uar(one).item(), metrics.macro_f1(one).item()) for one in (first, second)] == [(1.0, 0.5)] * 2
    assert (metrics.uar(first + second).item(), metrics.macro_f1(first + second).item()) == (1.0, 1.0)
