"""Whatever a submitted file holds, the check says yes or no: it neither breaks nor hangs."""

from __future__ import annotations

import copy
import json
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from submissions import hidden, results

from benchmark.errors import BenchError
from benchmark.records import pack, read_file
from benchmark.submissions.check import Checker

NOW = datetime(2026, 1, 3, tzinfo=timezone.utc)
SECONDS = 5  # far more than the check of so small a file takes, on a busy machine too
THOROUGH = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXTS = st.sampled_from(
    ["", "0", "demo", "urdu", "superb", "../x", "/etc", "<b>", "\u202e", "\ud800", "a\0", "NaN", "x" * 3000, "unknown"]
) | st.text(max_size=8)
NUMBERS = (
    st.sampled_from([0, -1, 1, 2**63, -(2**63), 10**25, 0.5, -0.0, 1e308, -1e308, 1e-320]) | st.integers() | st.floats()
)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(TEXTS, inside, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module", params=["demo", "msp-improv-dims"])
def honest(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The parsed file of an honest cell, of classes and of dimensions."""
    content: dict[str, Any] = json.loads(pack(hidden(results(request.param))))
    return content


def judged(content: bytes, task: str = "demo") -> bool:
    """Whether a file is accepted; every reader of it ends soon, and with nothing but an error of ours."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / task / "logmel--superb.json"
        path.parent.mkdir()
        path.write_bytes(content)
        started = time.process_time()
        verdict = Checker(Path(folder), NOW).check(path)
        try:
            records = read_file(path)
        except BenchError:
            records = []
        assert time.process_time() - started < SECONDS
        assert records or not verdict.accepted
        assert all(isinstance(reason, str) and reason for reason in verdict.reasons)
        return verdict.accepted


def encoded(value: object) -> bytes:
    """JSON as Python writes it, with NaN and lone surrogates."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@given(st.binary(max_size=400))
@THOROUGH
def test_any_bytes(content: bytes) -> None:
    assert not judged(content)


@given(PLAIN)
@THOROUGH
def test_any_json(content: object) -> None:
    assert not judged(encoded(content))


@given(PLAIN, PLAIN)
@THOROUGH
def test_any_json_in_the_shape_of_a_cell(common: object, unit: object) -> None:
    assert not judged(encoded({"common": common, "units": [unit, unit]}))


def places(value: object) -> list[tuple[Any, Any]]:
    """Every (object or list, key or index) in a value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            waiting.append(one[key])
    return found


@given(data=st.data())
@THOROUGH
def test_an_honest_file_changed_anywhere(honest: dict[str, Any], data: st.DataObject) -> None:
    """What is deleted, replaced or inserted at random is refused, or is a fact that nobody can check."""
    content, task = copy.deepcopy(honest), honest["common"]["task"]["name"]
    for _ in range(data.draw(st.integers(1, 3), label="changes")):
        where = places(content)
        if not where:
            break
        parent, key = where[data.draw(st.integers(0, len(where) - 1), label="place")]
        action = data.draw(st.sampled_from(["delete", "replace", "insert", "double"]), label="action")
        if action == "delete":
            del parent[key]
        elif action == "replace":
            parent[key] = data.draw(PLAIN, label="value")
        elif action == "double" and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        elif isinstance(parent, list):
            parent.insert(key, data.draw(PLAIN, label="value"))
        else:
            parent[data.draw(TEXTS, label="key")] = data.draw(PLAIN, label="value")
    if judged(encoded(content), task):
        # What decides a score has not been changed, though units may stand in another order.
        assert scores(content) == scores(honest)


def scores(content: dict[str, Any]) -> list[str]:
    """The metrics of every unit, in a fixed order."""
    units = [{**content["common"], **unit} for unit in content["units"]]
    return sorted(json.dumps([unit["fold"], unit["seed"], sorted(unit["metrics"].items())]) for unit in units)


@given(data=st.data())
@THOROUGH
def test_the_bytes_of_an_honest_file_changed_anywhere(honest: dict[str, Any], data: st.DataObject) -> None:
    content = bytearray(encoded(honest))
    for _ in range(data.draw(st.integers(1, 4), label="changes")):
        position = data.draw(st.integers(0, len(content) - 1), label="position")
        content[position : position + data.draw(st.integers(0, 3), label="removed")] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b"1", b"9", b"-", b"e9", b'"', b"[", b"}", b","]), label="put"
        )
    judged(bytes(content), honest["common"]["task"]["name"])


def test_an_honest_file_is_accepted(honest: dict[str, Any]) -> None:
    assert judged(encoded(honest), honest["common"]["task"]["name"])
