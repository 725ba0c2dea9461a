"""Lines of CTM, and what is no line of it."""

from __future__ import annotations

import pytest

from benchmark.alignments.ctm import read_ctm
from benchmark.errors import BenchError


def test_phones_of_several_utterances_come_in_the_order_of_time() -> None:
    text = ";; a comment\none 1 0.30 0.10 t_E 0.9\n\ntwo A 0 0.5 SIL\none 1 0.10 0.20 AA1_B\n"
    found = read_ctm(text.encode(), "a.ctm")
    assert [(one.start, round(one.end, 9), one.label) for one in found["one"]] == [
        (0.1, 0.3, "AA1_B"),
        (0.3, 0.4, "t_E"),
    ]
    assert [one.label for one in found["two"]] == ["SIL"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("one 1 0.1 0.2", "a.ctm, line 2: 4 fields"),
        ("one 1 0.1 0.2 a 1 2", "a.ctm, line 2: 7 fields"),
        ("one 1 x 0.2 a", "a.ctm, line 2: the start is 'x', and no number"),
        ("one 1 0.1 nan a", "a.ctm, line 2: the duration is 'nan', and no number"),
        ("one 1 0.1 -0.2 a", "a.ctm, line 2: the duration is -0.2 s"),
        ("one 1 -0.1 0.2 a", "a.ctm, 'one': 'a' lasts from -0.1 to 0.1 s"),
        ("one 1 0 0.5 a\none 1 0.2 0.5 b", "a.ctm, 'one': 'a' ends at 0.5 s, 'b' begins at 0.2 s"),
    ],
)
def test_what_is_no_line_is_told_with_its_place(line: str, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        read_ctm(f"two 1 0 1 a\n{line}\n".encode(), "a.ctm")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BenchError, match="neither UTF-8 nor UTF-16"):
        read_ctm(b"\x80\x81", "a.ctm")
