"""Sums of probabilities as files hold them: nothing is lost, nothing is said of empty bins, nonsense is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from records_factory import calibrated, cell, record

from benchmark.errors import BenchError
from benchmark.io.files import canonical_json
from benchmark.records import RecordStore, pack, parse_records, read_file, verify
from benchmark.records.sums import occupied, with_all_bins
from benchmark.sufficient import CALIBRATION


@given(st.lists(st.floats(0.26, 1.0), min_size=1, max_size=9), st.integers(0, 9))
def test_what_is_written_is_read(sure: list[float], seed: int) -> None:
    likely = np.array([[one, *[(1 - one) / 3] * 3] for one in sure])
    truth = np.random.default_rng(seed).integers(0, 4, len(sure))
    sums = CALIBRATION.of(truth, np.log(np.maximum(likely, 1e-9))).tolist()
    columns = occupied(sums)
    assert with_all_bins(json.loads(json.dumps(columns))) == sums
    assert all(any(numbers) for _, *numbers in columns)
    assert len(columns) <= len(sure) + 1


def test_a_record_has_the_bins_that_are_not_empty() -> None:
    one = calibrated(record({"anna": np.eye(4) * 3}), sure=0.7, temperature=None)
    said = one.model_dump(mode="json")["calibration"]["before"]["anna"]
    assert said == [[10, 12, 12, 8_400_000], [15, 12, 1_440_000, 4_280_100]]
    assert b"[[3,0,0,0],[0,3,0,0],[0,0,3,0],[0,0,0,3]]" in canonical_json(one.model_dump(mode="json"))


def test_a_fraction_and_a_large_number_are_written_whole() -> None:
    one = record({"anna": np.full((4, 4), 0.5)})
    assert one.model_dump(mode="json")["by_speaker"]["anna"][0] == [0.5] * 4
    large = one.model_copy(update={"by_speaker": {"anna": [[1e300, -2.0]]}})
    assert large.model_dump(mode="json")["by_speaker"]["anna"] == [[1e300, -2]]
    assert isinstance(large.model_dump(mode="json")["by_speaker"]["anna"][0][0], float)


def test_sums_with_all_bins_are_read_too(tmp_path: Any) -> None:
    """As local records of the first days have them."""
    told = [calibrated(one) for one in cell()]
    content = json.loads(pack(told))
    for unit, one in zip(content["units"], told, strict=True):
        unit["calibration"] = {**unit["calibration"], "before": one.calibration.before, "after": one.calibration.after}
    assert content != json.loads(pack(told))
    assert parse_records(content) == told
    store = RecordStore(tmp_path)
    store.write(told[0])
    assert read_file(store.path(told[0].task.name, told[0].id)) == told[:1]


@pytest.mark.parametrize(
    "columns",
    [
        [[3, 1, 0, 233_261], [3, 1, 0, 233_261], [15, 1, 1, 1]],
        [[15, 1, 1, 1], [3, 1, 0, 233_261]],
        [[16, 1, 0, 233_261]],
        [[-1, 1, 0, 233_261]],
        [[3.0, 1, 0, 233_261]],
        [[True, 1, 0, 233_261]],
        [["3", 1, 0, 233_261]],
        [[[3], 1, 0, 233_261]],
    ],
)
def test_bins_at_odd_places_are_refused(columns: list[list[Any]]) -> None:
    content = json.loads(canonical_json(calibrated(record()).model_dump(mode="json")))
    content["calibration"]["before"]["one-anna"] = columns
    with pytest.raises(BenchError, match=r"calibration\.before\.one-anna: .*bins stand at"):
        parse_records(content)


@pytest.mark.parametrize(
    "columns", [[], [[]], [[3, 1, 0]], [[3, 1, 0, "1"]], [[3, 1, 0, None]], {}, [3, 1, 0, 233_261]]
)
def test_what_is_no_column_is_refused(columns: Any) -> None:
    content = json.loads(canonical_json(calibrated(record()).model_dump(mode="json")))
    content["calibration"]["before"]["one-anna"] = columns
    with pytest.raises(BenchError, match=r"calibration\.before"):
        verify(*parse_records(content))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**400, True, "12", None])
def test_numbers_that_are_none_are_refused_in_columns_too(number: Any) -> None:
    content = json.loads(canonical_json(calibrated(record()).model_dump(mode="json")))
    content["calibration"]["before"]["one-anna"][0][1] = number
    with pytest.raises(BenchError, match=r"calibration\.before\.one-anna"):
        parse_records(content)
