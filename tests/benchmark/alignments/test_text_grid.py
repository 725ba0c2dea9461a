"""TextGrids as Praat and aligners write them, and everything else that may lie under that name."""

from __future__ import annotations

import pytest

from benchmark.alignments.text_grid import read_text_grid
from benchmark.errors import BenchError

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.9
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 0.9
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 0.9
            text = "say ""hi"" 3 times"
    item [2]:
        class = "TextTier"
        name = "peaks"
        xmin = 0
        xmax = 0.9
        points: size = 1
        points [1]:
            number = 0.3
            mark = "x"
    item [3]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 0.9
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 0.5
            text = "AA1"
        intervals [3]:
            xmin = 0.5
            xmax = 0.9
            text = "t"
"""
SHORT = """File type = "ooTextFile"
"TextGrid"

0
0.9
<exists>
1
"IntervalTier"
"phones"
0
0.9
3
0
0.25
""
0.25
0.5
"AA1"
0.5
0.9
"t"
"""
EXPECTED = [(0, 0.25, ""), (0.25, 0.5, "AA1"), (0.5, 0.9, "t")]


def read(text: str, encoding: str = "utf-8") -> list[tuple[float, float, str]]:
    return [(one.start, one.end, one.label) for one in read_text_grid(text.encode(encoding), "a.TextGrid")]


@pytest.mark.parametrize("text", [LONG, SHORT])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_both_text_forms_are_read_in_every_encoding_of_praat(text: str, encoding: str) -> None:
    assert read(text, encoding) == EXPECTED
    assert read(text.replace("\n", "\r\n"), encoding) == EXPECTED


def test_letters_of_ipa_are_read_in_both_encodings() -> None:
    for encoding in ("utf-8", "utf-16"):
        assert read(SHORT.replace("AA1", "ɛː"), encoding)[1] == (0.25, 0.5, "ɛː")


def test_comments_of_praat_are_passed_over() -> None:
    assert read(SHORT.replace("<exists>\n", '<exists> ! 7 "tiers"\n')) == EXPECTED


@pytest.mark.parametrize("name", ["phones", "Phone", "anna - phones", "MAU", "phonemes"])
def test_the_tier_of_phones_is_found_by_the_names_that_aligners_give_it(name: str) -> None:
    assert read(LONG.replace('"phones"', f'"{name}"')) == EXPECTED


def test_the_only_tier_of_intervals_may_have_any_name() -> None:
    assert read(SHORT.replace('"phones"', '"anything"')) == EXPECTED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it ends before the type of the file"),
        ("RIFF0000WAVE", "it ends before"),
        ('File type = "ooBinaryFile"\n"TextGrid"', "it is no TextGrid"),
        ('File type = "ooTextFile"\n"Sound"\n0\n1', "it is no TextGrid"),
        (SHORT.replace("<exists>", "<absent>"), "it has no tiers"),
        (SHORT[: SHORT.index('"AA1"')], "it ends before a label"),
        (SHORT.replace("\n3\n", "\n4\n"), "it ends before a time"),
        (SHORT.replace("\n3\n", "\n2.5\n"), "the size of the tier 'phones' is 2.5"),
        (SHORT.replace("\n3\n", "\n-3\n"), "the size of the tier 'phones' is -3"),
        (SHORT.replace("\n3\n", "\n99999999999\n"), "the size of the tier 'phones' is 1e+11"),
        (SHORT.replace("\n1\n", "\n1e9\n"), "the number of tiers is 1e+09"),
        (SHORT.replace("0.25\n0.5", "0.25\n--undefined--"), "a time is '--undefined--', and no number"),
        (SHORT.replace("0.25\n0.5", "0.25\n1e999"), "a time is '1e999', and no number"),
        (SHORT.replace("0.25\n0.5", '"AA"\n0.5'), "a time is '\"AA\"' .expected a number"),
        (SHORT.replace('"AA1"', "7"), "a label is '7' .expected a text in quotes"),
        (SHORT.replace('"AA1"', '"AA1'), "it ends before a time"),
        (SHORT.replace("0.25\n0.5", "0.25\n0.1"), "'AA1' lasts from 0.25 to 0.1 s"),
        (SHORT.replace('0\n0.25\n""', '-1\n0.25\n""'), "'' lasts from -1 to 0.25 s"),
        (SHORT.replace("0.25\n0.5", "0.25\n0.8"), "'AA1' ends at 0.8 s, 't' begins at 0.5 s"),
        (SHORT.replace("AA1", "A" * 200), "a label has 200 characters"),
        (LONG.replace('"phones"', '"sounds"'), "no tier named phones; its tiers of intervals are 'words', 'sounds'"),
        (LONG.replace('"words"', '"b - phones"'), "2 tiers of phones; .* 'b - phones', 'phones'"),
        (SHORT.replace("IntervalTier", "ImageTier"), "a tier is a 'ImageTier'"),
    ],
)
def test_what_is_no_text_grid_is_told_in_a_line(text: str, message: str) -> None:
    with pytest.raises(BenchError, match=message.replace("+", r"\+")) as caught:
        read(text)
    assert str(caught.value).startswith("a.TextGrid: ")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BenchError, match="neither UTF-8 nor UTF-16"):
        read_text_grid(b"\xff\xd8\x00\x80", "a.TextGrid")
    with pytest.raises(BenchError, match="neither UTF-8 nor UTF-16"):
        read_text_grid(b"\xff\xfea", "a.TextGrid")


def test_every_part_of_a_file_is_read_or_told() -> None:
    """A file that broke off anywhere, or lost a byte, is an error of ours or intervals; nothing else."""
    content = LONG.encode()
    for place in range(0, len(content), 7):
        for damaged in (
            content[:place],
            content[:place] + content[place + 1 :],
            content[:place] + b'"' + content[place:],
        ):
            try:
                read_text_grid(damaged, "a.TextGrid")
            except BenchError as error:
                assert "\n" not in str(error)  # noqa: PT017
