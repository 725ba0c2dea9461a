"""How far probabilities can be believed, as the board says it: from sums, with intervals, before and after."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from records_factory import calibrated as with_sums
from records_factory import cell

from benchmark.metrics import METRICS
from benchmark.records import Record
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.records.parts import of_probabilities
from benchmark.statistics import cell_interval, cell_scores, compare
from benchmark.sufficient import CALIBRATION
from leaderboard.calibration import calibrated, ece_by_chance
from leaderboard.render import board, csv_text, markdown


def records(sure: float = 0.8, temperature: float | None = 2.0, **changes: object) -> list[Record]:
    return [with_sums(one, sure, temperature) for one in cell(**changes)]


def one(made: list[Record]) -> Cell:
    (found,) = group(made).cells
    return found


@pytest.mark.parametrize("pool", ["utterances", "folds"])
def test_scores_are_those_of_all_speakers_together(pool: str) -> None:
    made = records(task__pool=pool)
    found = calibrated(one(made))
    assert found is not None
    assert found.before is not None
    assert found.after is not None
    for name in ("ece", "brier", "nll"):
        by_seed = []
        for seed in (0, 1, 2):
            sums = [
                np.array(list(record.calibration.before.values()))
                for record in made
                if record.seed == seed and record.calibration is not None
            ]
            folds = [METRICS[name].compute(part.sum(axis=0)) for part in sums]
            whole = METRICS[name].compute(np.concatenate(sums).sum(axis=0))
            by_seed.append(float(whole if pool == "utterances" else np.mean(folds)))
        assert found.before.scores[name].values == pytest.approx(by_seed)
    # a head that is always as sure, of which so many are right
    assert found.after.scores["ece"].mean != found.before.scores["ece"].mean
    assert (found.temperature, found.remark) == (2.0, "dev")


def test_the_interval_is_the_jackknife_of_all_others() -> None:
    part = of_probabilities(one(records()), after=False)
    assert part is not None
    interval = cell_interval(part, "nll")
    assert interval is not None
    assert interval.low < cell_scores(part, "nll").mean < interval.high
    assert (interval.cluster, interval.n_clusters) == ("speaker", 4)
    found = calibrated(one(records()))
    assert found is not None
    assert found.before is not None
    assert found.before.intervals["nll"] == interval


def test_systems_can_be_compared_by_it() -> None:
    sure, sober = (of_probabilities(one(records(sure)), after=False) for sure in (0.97, 0.6))
    assert sure is not None
    assert sober is not None
    found = compare(sure, sober, "nll")
    assert found.delta > 0
    assert found.gain < 0


@pytest.mark.parametrize(
    ("head", "remark"), [("svm", "no probabilities"), ("superb", "not recorded"), ("my-own", "not recorded")]
)
def test_what_has_no_sums_says_why(head: str, remark: str) -> None:
    found = calibrated(one(cell(downstream__name=head)))
    assert found is not None
    assert (found.before, found.after, found.temperature, found.remark) == (None, None, None, remark)


def test_without_a_temperature_it_says_why() -> None:
    found = calibrated(one(records(temperature=None)))
    assert found is not None
    assert found.before is not None
    assert (found.after, found.temperature, found.remark) == (None, None, "fitted on dev")


def test_a_unit_without_sums_leaves_the_row_without() -> None:
    made = records()
    found = calibrated(one([made[0].model_copy(update={"calibration": None}), *made[1:]]))
    assert found is not None
    assert found.before is None


@pytest.mark.parametrize("n", [60, 1000])
def test_the_ece_by_chance_is_that_of_probabilities_that_are_right(n: int) -> None:
    rng = np.random.default_rng(n)
    found, expected = [], []
    for _ in range(60):
        likely = rng.dirichlet(np.full(4, 0.6), n)
        truth = (rng.random((n, 1)) > likely.cumsum(axis=1)).sum(axis=1).clip(max=3)
        sums = CALIBRATION.of(truth, np.log(likely + 1e-300)).astype(float)
        found.append(float(METRICS["ece"].compute(sums)))
        expected.append(float(ece_by_chance(sums)))
    assert np.mean(expected) == pytest.approx(np.mean(found), rel=0.12)


def test_the_board_has_them_below_its_tables_and_in_the_csv() -> None:
    other = {"upstream__name": "eyes", "upstream__sha256": "9" * 64}
    none = {"downstream__name": "svm", "downstream__sha256": "8" * 64, "downstream__stochastic": False}
    made = board([*records(), *records(temperature=None, **other), *cell(seeds=[0], **none)])
    (task,) = made.tasks
    assert task.calibration is not None
    assert [row[:2] for row in task.calibration.table.rows] == [("ears", "superb"), ("eyes", "superb")]
    columns = dict(zip(task.calibration.table.header, task.calibration.table.rows[0], strict=True))
    assert columns["temperature"] == "2.00, dev"
    assert "[" in columns["ECE"]
    assert "[" in columns["NLL after"]
    bare = dict(zip(task.calibration.table.header, task.calibration.table.rows[1], strict=True))
    assert (bare["temperature"], bare["ECE after"]) == ("fitted on dev", "–")
    assert any("No probabilities: ears + svm" in note for note in task.calibration.notes)
    assert "How far probabilities can be believed" in markdown(made)
    rows = list(csv.DictReader(io.StringIO(csv_text(made))))
    names = [row["metric"] for row in rows if (row["upstream"], row["downstream"]) == ("ears", "superb")]
    assert names == [
        "uar", "wa", "macro_f1", "ece", "brier", "nll", "ece_after", "brier_after", "nll_after",
    ]  # fmt: skip
    assert all(row["primary"] == "false" and row["low"] for row in rows if row["metric"].startswith("ece"))


def test_a_board_without_sums_is_as_it_was() -> None:
    made = board(cell())
    assert made.tasks[0].calibration is None
    assert "believed" not in markdown(made)
