"""What systems weigh, from their records."""

from __future__ import annotations

from typing import Any

import pytest
from boards_factory import named
from records_factory import BASE, cell

from benchmark.analyses import sizes
from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.statistics import cell_interval, cell_scores


def system(name: str, parameters: int | None, **changes: Any) -> Cell:
    return group(cell(**named(name), upstream__parameters=parameters, **changes)).cells[0]


def test_weights_seconds_and_scores_are_those_of_the_records() -> None:
    cost = {**BASE["cost"], "encode_s": 30.0, "audio_s": 600.0, "device": "encode cuda, fit cpu"}
    large = system("large", 300_000_000, cost=cost)
    light, heavy = sizes([large, system("hand", 0)])
    assert (light.system, heavy.system) == ("hand + superb", "large + superb")
    assert light.megabytes == pytest.approx(4 * 1234 / 1e6)
    assert heavy.megabytes == pytest.approx(4 * 300_001_234 / 1e6)
    assert (heavy.encode_s, heavy.real_time, heavy.device) == (30.0, pytest.approx(0.05), "cuda")
    ends = cell_interval(large, "uar")
    assert ends is not None
    assert (heavy.score, heavy.low, heavy.high) == (pytest.approx(cell_scores(large, "uar").mean), ends.low, ends.high)


def test_what_is_not_known_is_none_and_last() -> None:
    cost = {**BASE["cost"], "encode_s": None}
    found = sizes([system("unknown", None, cost=cost), system("known", 5)])
    assert [one.system for one in found] == ["known + superb", "unknown + superb"]
    assert (found[1].megabytes, found[1].encode_s, found[1].real_time) == (None, None, None)


def test_incomplete_systems_are_refused() -> None:
    with pytest.raises(BenchError, match="incomplete"):
        sizes([group(cell()[1:]).cells[0]])
