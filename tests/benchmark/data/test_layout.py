"""Files of a corpus by their names: junk is passed over, a wrong name is refused, a copy is noticed."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from benchmark.data.layout import audio_files, listed_once, matched_files
from benchmark.errors import BenchError
from benchmark.types import Utterance

PATTERN = re.compile(r"(?P<speaker>\w)-(?P<number>\d)")


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_junk_and_other_files_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "b/x.WAV", "a/y.wav", "a/._y.wav", ".hidden/z.wav", "__MACOSX/a/y.wav", "readme.txt", "a.mp3")
    assert [file for file, _ in audio_files(tmp_path)] == ["a/y.wav", "b/x.WAV"]


def test_names_are_composed_and_files_are_as_they_are_on_disk(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Colère/a-1.wav")
    ((file, name),) = audio_files(touch(tmp_path, decomposed))
    assert (file, name) == (decomposed, unicodedata.normalize("NFC", decomposed))


def test_what_the_names_tell_is_given(tmp_path: Path) -> None:
    touch(tmp_path, "x/b-2.wav", "a-1.wav")
    found = {file: match["speaker"] for file, match in matched_files("toy", tmp_path, PATTERN, "a-1.wav")}
    assert found == {"a-1.wav": "a", "x/b-2.wav": "b"}


def test_wrong_names_are_named_before_anything_is_given(tmp_path: Path) -> None:
    touch(tmp_path, "a-1.wav", *(f"other {n}.wav" for n in range(5)))
    message = r"unexpected file other 0.wav, other 1.wav, other 2.wav and 2 more .remove what is not of the corpus"
    with pytest.raises(BenchError, match=message):
        next(matched_files("toy", tmp_path, PATTERN, "a-1.wav"))


def test_a_folder_without_audio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="there is no audio in"):
        list(matched_files("toy", touch(tmp_path, "a-1.mp3"), PATTERN, "a-1.wav"))


def test_a_second_copy_is_refused_and_both_are_named() -> None:
    twice = [Utterance("u", "a/u.wav"), Utterance("t", "a/t.wav"), Utterance("u", "b/u.wav")]
    with pytest.raises(BenchError, match=r"a/u.wav and b/u.wav are both utterance 'u' .was it unpacked twice"):
        listed_once("toy", twice)
    assert [utterance.id for utterance in listed_once("toy", twice[:2])] == ["t", "u"]
