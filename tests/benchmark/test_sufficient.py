"""Sufficient statistics: what each says of itself, and that a further one is one class."""

from __future__ import annotations

import doctest
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from records_factory import record

from benchmark import sufficient
from benchmark.errors import BenchError
from benchmark.metrics import METRICS, Metric, score
from benchmark.records import Record, verify
from benchmark.records.cells import Cell
from benchmark.records.grouping import check_truth
from benchmark.statistics import cell_interval, cell_scores, compare
from benchmark.statistics.fairness import fairness
from benchmark.sufficient import CONFUSION_COUNTS, MOMENTS, STATISTICS, SufficientStatistics
from benchmark.types import Kind, StatisticsKind

COUNTS = np.array([[3.0, 1.0], [2.0, 4.0]])
SUMS = MOMENTS.of(np.array([[1.0, 5.0], [2.0, 4.0], [4.0, 4.0]]), np.array([[1.5, 5.0], [2.0, 3.0], [3.0, 4.0]]))


def test_every_kind_of_the_schema_has_its_statistics() -> None:
    assert set(get_args(StatisticsKind)) == set(STATISTICS) == {*get_args(Kind), "calibration"}
    assert all(STATISTICS[metric.kind] is metric.statistics for metric in METRICS.values())
    assert all(any(metric.kind == kind for metric in METRICS.values()) for kind in STATISTICS)


@pytest.mark.parametrize(("kind", "one"), [(CONFUSION_COUNTS, COUNTS), (MOMENTS, SUMS)])
def test_methods_are_vectorised_over_leading_axes(kind: SufficientStatistics, one: NDArray[np.float64]) -> None:
    many = np.stack([[one, 2 * one, 3 * one], [one, one, one]])
    for method in (kind.truth, kind.sizes, kind.utterances, kind.have_whole_numbers, kind.are_possible):
        together = method(many)
        assert together.shape[:2] == (2, 3)
        np.testing.assert_array_equal(together[0, 1], method(2 * one))


def test_what_is_read_from_counts() -> None:
    assert CONFUSION_COUNTS.shape(2) == COUNTS.shape
    assert CONFUSION_COUNTS.truth(COUNTS).tolist() == CONFUSION_COUNTS.sizes(COUNTS).tolist() == [4, 6]
    assert CONFUSION_COUNTS.utterances(COUNTS) == 10
    assert CONFUSION_COUNTS.per_class(COUNTS, ["high", "low"]) == {"high": 4, "low": 6}
    assert CONFUSION_COUNTS.total([COUNTS, COUNTS]).tolist() == (2 * COUNTS).tolist()


def test_what_is_read_from_moments() -> None:
    assert MOMENTS.shape(2) == SUMS.shape
    assert MOMENTS.truth(SUMS).tolist() == [[3, 7, 21], [3, 13, 57]]
    assert (MOMENTS.utterances(SUMS), MOMENTS.sizes(SUMS).tolist()) == (3, [3])
    assert MOMENTS.per_class(SUMS, ["arousal", "valence"]) == {}


@pytest.mark.parametrize("value", [-1.0, 0.5, 2.0**53, np.nan])
def test_what_is_no_number_of_utterances_is_seen(value: float) -> None:
    for kind, one in ((CONFUSION_COUNTS, COUNTS), (MOMENTS, SUMS)):
        assert kind.have_whole_numbers(one)
        assert not kind.have_whole_numbers(np.zeros_like(one))
        changed = one.copy()
        changed[0, 0] = value
        assert not kind.have_whole_numbers(changed)
    uneven = SUMS.copy()
    uneven[1, 0] = 4
    assert not MOMENTS.have_whole_numbers(uneven)


@given(seed=st.integers(0, 99), n=st.integers(1, 2000), size=st.sampled_from([1e-6, 1.0, 1e6]), same=st.booleans())
def test_moments_of_numbers_are_possible(seed: int, n: int, size: float, same: bool) -> None:
    """However large, small, constant or alike they are: rounding is no reason."""
    rng = np.random.default_rng(seed)
    truth = np.float32(size * (1000 + rng.normal(0, rng.choice([0, 1e-3, 1]), (n, 2)))).astype(float)
    assert MOMENTS.are_possible(MOMENTS.of(truth, truth if same else rng.normal(0, size, (n, 2))))


FILES = sorted(Path(sufficient.__file__).parent.glob("*.py"))


def test_examples_in_docstrings_run() -> None:
    result = doctest.testmod(sufficient)
    assert result.attempted >= 2
    assert result.failed == 0


BINS = 4


class FewBins(SufficientStatistics):
    """Of the decisions of each bin of confidence: how many, the sum of their confidences, and how many are right."""

    kind = "few bins"  # type: ignore[assignment]
    outputs = "classes"
    impossible = "bins that no decisions have"

    def shape(self, outputs: int) -> tuple[int, int]:
        return BINS, 3

    def of(self, truth: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
        confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
        place = np.minimum((confidence * BINS).astype(int), BINS - 1)
        columns = (np.ones(len(truth)), confidence, right)
        return np.stack([np.bincount(place, weights=values, minlength=BINS) for values in columns], axis=-1)

    def truth(self, statistics: NDArray[Any]) -> NDArray[Any]:
        return statistics[..., 0].sum(axis=-1, keepdims=True)

    def sizes(self, statistics: NDArray[Any]) -> NDArray[Any]:
        return self.truth(statistics)

    def per_class(self, statistics: NDArray[Any], outputs: Sequence[str]) -> dict[str, int]:
        return {}

    def have_whole_numbers(self, statistics: NDArray[Any]) -> NDArray[Any]:
        numbers = statistics[..., [0, 2]]
        return (numbers == np.floor(numbers)).all(axis=(-2, -1)) & (self.utterances(statistics) > 0)

    def are_possible(self, statistics: NDArray[Any]) -> NDArray[Any]:
        n, confidence, right = np.moveaxis(statistics, -1, 0)
        return ((n >= 0) & (confidence <= n) & (right >= 0) & (right <= n)).all(axis=-1)


TOY = FewBins()


def calibration_error(bins: NDArray[Any]) -> NDArray[Any]:
    """The mean over decisions of |confidence - share of right ones| of their bin."""
    apart = np.abs(bins[..., 1] - bins[..., 2]).sum(axis=-1)
    return np.asarray(apart / bins[..., 0].sum(axis=-1))


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two entries that a further statistic needs besides that of the schema."""
    monkeypatch.setitem(STATISTICS, TOY.kind, TOY)
    monkeypatch.setitem(METRICS, "bins", Metric("bins", "Bins", TOY, "error", False, False, calibration_error))


def calibrated(sharpness: float, upstream: str) -> Cell:
    """A complete cell of two folds, of four speakers each, whose head is as sure as `sharpness` says."""
    records = {}
    for number, fold in enumerate(("one", "two")):
        by_speaker = {}
        for index in range(4):
            rng = np.random.default_rng([number, index])
            truth = rng.integers(0, 3, 40)
            logits = sharpness * (rng.normal(0, 1, (40, 3)) + 1.5 * np.eye(3)[truth])
            likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            by_speaker[f"{fold}-{index}"] = TOY.of(truth, likely).tolist()
        total = TOY.total(np.array(list(by_speaker.values())))
        made = record(fold=fold, seed=0, upstream__name=upstream, upstream__sha256=(upstream * 64)[:64])
        task = made.task.model_copy(update={"kind": TOY.kind, "metrics": ["bins"], "seeds": [0]})
        counts = made.counts.model_copy(update={"test": 160, "test_speakers": 4, "per_class": {}})
        changes = {"task": task, "counts": counts, "primary": "bins", "by_speaker": by_speaker}
        records[fold, 0] = made.model_copy(update={**changes, "metrics": {"bins": float(calibration_error(total))}})
    first: Record = records["one", 0]
    return Cell(first.task, first.upstream, first.downstream, records)


@pytest.mark.usefixtures("registered")
def test_a_further_statistic_is_one_class() -> None:
    """Metric, check of records and the arithmetic of the board ask the class, and nothing else has to be changed."""
    sure, sober = calibrated(4.0, "a"), calibrated(1.0, "b")
    for cell in (sure, sober):
        verify(*cell.records.values())
    check_truth([*sure.records.values(), *sober.records.values()])
    assert cell_scores(sure, "bins").mean > cell_scores(sober, "bins").mean
    interval = cell_interval(sober, "bins")
    assert interval is not None
    assert 0 <= interval.low < cell_scores(sober, "bins").mean < interval.high
    assert interval.effective_clusters == pytest.approx(8)
    people = fairness(sure, "bins")
    assert people.worst is not None
    assert people.median is not None
    assert people.worst > people.median
    pair = compare(sure, sober, "bins")
    assert pair.delta == pytest.approx(cell_scores(sure, "bins").mean - cell_scores(sober, "bins").mean)
    truth, scores = np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]])
    assert score("bins", truth, scores) == pytest.approx((0.9 + 0.8 - 1) / 2)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda bins: bins[0].append(0.0), "statistics that are not 4 x 3"),
        (lambda bins: bins[3].__setitem__(0, 0.5), "impossible numbers of utterances"),
        (lambda bins: bins[3].__setitem__(2, 99.0), "bins that no decisions have"),
        (lambda bins: bins[3].__setitem__(1, bins[3][1] - 1), "metrics.bins is .* but its statistics give"),
    ],
)
def test_a_further_statistic_checks_its_records(change: Any, message: str) -> None:
    made = calibrated(4.0, "a").records["one", 0]
    by_speaker = json.loads(json.dumps(made.by_speaker))
    change(by_speaker["one-2"])
    with pytest.raises(BenchError, match=message):
        verify(made.model_copy(update={"by_speaker": by_speaker}))


def test_the_module_is_low_enough_for_all() -> None:
    """Metrics and records are made of it: of the hub it imports root modules alone."""
    lines = [line for path in FILES for line in path.read_text(encoding="utf-8").splitlines()]
    found = {line.split()[1] for line in lines if line.startswith("from benchmark.")}
    assert {name for name in found if not name.startswith("benchmark.sufficient")} == {
        "benchmark.errors",
        "benchmark.types",
    }
