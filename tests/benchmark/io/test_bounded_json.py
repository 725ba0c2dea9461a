"""JSON that anybody may have written: read in bounded time and memory, or refused with the reason."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.errors import BenchError
from benchmark.io import bounded_json as bounded
from benchmark.io.bounded_json import MAX_DEPTH, parse, read_bounded

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_plain_is_read_as_json_reads_it(value: object) -> None:
    content = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert parse(content) == json.loads(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is no JSON"),
        (b"\xff", "it is no JSON"),
        (b'{"a": 1,}', "it is no JSON"),
        (b"NaN", "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"[1e999]", "the number 1e999 is too large"),
        (b"1." + b"0" * 1000, "is too large"),
        (b"9" * 21, "a whole number of 21 digits"),
        (b"-" + b"9" * 100_000, "a whole number of 100001 digits"),
        (b'{"a": 1, "b": {"c": 2, "c": 2}}', "the key 'c' is there twice"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested more than"),
        (b"[" * 100_000 + b"]" * 100_000, "it is nested"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "it is nested"),
        (b"[" * 400_000, "it is"),
    ],
)
def test_what_no_honest_file_holds_is_refused(content: bytes, message: str) -> None:
    started = time.process_time()
    with pytest.raises(BenchError, match=message):
        parse(content)
    assert time.process_time() - started < 2


def test_a_key_that_is_there_twice_among_many_is_found_quickly() -> None:
    keys = ",".join(f'"{number}":0' for number in range(200_000))
    started = time.process_time()
    with pytest.raises(BenchError, match="'199999' is there twice"):
        parse(f'{{{keys},"199999":0}}'.encode())
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("what", "content"),
    [("bytes", b" " * 111), ("values", b"[" + b"0," * 51), ("lists and objects", b"[" * 21)],
)
def test_what_is_too_large_is_refused_before_it_is_parsed(
    what: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (("MAX_BYTES", 110), ("MAX_VALUES", 50), ("MAX_CONTAINERS", 20)):
        monkeypatch.setattr(bounded, name, most)
    with pytest.raises(BenchError, match=f"it is too large: more than [0-9]+ {what}"):
        parse(content)


def test_no_more_of_a_file_is_read_than_may_be(tmp_path: Path) -> None:
    """A sparse file of a terabyte takes no room on the disk, and must take none in memory."""
    path = tmp_path / "huge.json"
    with path.open("wb") as handle:
        handle.truncate(1 << 40)
    with pytest.raises(BenchError, match="it is too large: more than 32000000 bytes"):
        read_bounded(path)


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)  # to open it would wait for ever
    for path in (pipe, tmp_path, Path("/dev/zero")):
        with pytest.raises(BenchError, match="it is no plain file"):
            read_bounded(path)
    for path in (tmp_path / "none.json", tmp_path / ("x" * 300), Path("a\0b")):
        with pytest.raises(BenchError, match="it cannot be read"):
            read_bounded(path)
