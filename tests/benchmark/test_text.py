"""How numbers and names are written."""

from __future__ import annotations

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.text import clean, count, decimal, human, interval, measured, visible, with_spread


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (1000, "1.0 k"),
        (88_049, "88.0 k"),
        (999_949, "999.9 k"),
        (999_950, "1.0 M"),
        (8_208_384, "8.2 M"),
        (1_550_000_000, "1.6 B"),
    ],
)
def test_numbers_of_parameters(number: int | None, text: str) -> None:
    assert human(number) == text


def test_bytes_of_file_names_that_are_no_text_are_told() -> None:
    assert visible(os.fsdecode(b"bad\xff.wav")) == r"bad\xff.wav"
    assert visible("\ud800\a") == "\ufffd\ufffd"


def test_scores() -> None:
    assert with_spread(0.4825, 0.0104, percent=True) == "48.3 ± 1.0"
    assert with_spread(0.4825, None, percent=True) == "48.3"
    assert with_spread(0.64249, 0.0104, percent=False) == "0.642 ± 0.010"
    assert interval(0.401, 0.55, percent=True) == "[40.1, 55.0]"
    assert interval(-0.05, 0.55, percent=False) == "[-0.050, 0.550]"


@pytest.mark.parametrize("half", [0.4825, 0.5125, 0.0625, 0.3375])
def test_rounding_noise_does_not_decide_where_a_half_goes(half: float) -> None:
    noisy = {half, math.nextafter(half, 0), math.nextafter(half, 1), half + 3e-15, half - 3e-15}
    assert len({measured(value, percent=True) for value in noisy}) == 1


def test_zero_has_no_sign() -> None:
    assert decimal(-1e-9, 3) == "0.000"
    assert measured(-0.0, percent=True) == "0.0"


def test_count() -> None:
    assert (count(1, "fold"), count(2, "fold"), count(0, "seed")) == ("1 fold", "2 folds", "0 seeds")


@given(st.text())
def test_cleaned_text_is_one_line_of_visible_characters(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert len(cleaned.splitlines()) <= 1
    assert all(character == " " or character.isprintable() or character == "\ufffd" for character in cleaned)


def test_controls_are_made_visible() -> None:
    assert clean("a\nb\t c\r\n") == "a b c"
    assert clean("red\x1b[31m\u202egnp.exe\x00\ud800") == "red\ufffd[31m\ufffdgnp.exe\ufffd\ufffd"
    assert clean("wav2vec2-base") == "wav2vec2-base"
