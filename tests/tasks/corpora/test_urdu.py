"""URDU: its layout, on a made tree and on the real recordings where they are."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.io.settings import load_settings
from benchmark.protocol.dataset import load_dataset
from benchmark.registry.registry import Registry
from tasks.corpora.urdu import EMOTIONS, Urdu


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The official names, in the widths that occur, with a hidden file; 400 of 29 speakers are not needed here."""
    for emotion, letter in EMOTIONS.items():
        (tmp_path / emotion).mkdir()
        for serial in range(1, 101):
            speaker = f"SM{1 + serial % 7}" if serial % 3 else f"SF{1 + serial % 11}"
            width = 2 if serial < 10 else 3
            (tmp_path / emotion / f"{speaker}_F{serial:02d}_{letter}{serial:0{width}d}.wav").touch()
        (tmp_path / emotion / "._hidden.wav").touch()
    return tmp_path


def test_names_are_read(tree: Path) -> None:
    utterances = Urdu().scan(tree)
    assert Counter(u.labels["emotion"] for u in utterances) == dict.fromkeys(("angry", "happy", "neutral", "sad"), 100)
    first = next(u for u in utterances if u.file == "Angry/SM2_F01_A01.wav")
    assert (first.speaker, first.gender, first.language) == ("M2", "male", "ur")
    assert first.extra == {"style": "spontaneous", "take": "01"}
    assert Urdu().gaps(utterances) == []


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", "SHA256SUMS", "notes.txt"])
def test_files_that_are_no_audio_are_passed_over(tree: Path, name: str) -> None:
    before = Urdu().scan(tree)
    (tree / "Angry" / name).touch()
    assert Urdu().scan(tree) == before


def test_a_folder_that_was_unpacked_twice_is_refused(tree: Path) -> None:
    (tree / "Sad/again").mkdir()
    (tree / "Sad/again/SM2_F01_S01.wav").write_bytes(b"another")
    with pytest.raises(BenchError, match="are both utterance 'Sad/SM2_F01_S01'"):
        Urdu().scan(tree)


@pytest.mark.parametrize("name", ["Angry/SM1_F01_H001.wav", "Sad/XM1_F01_S001.wav"])
def test_an_unexpected_file_is_named(tree: Path, name: str) -> None:
    (tree / name).touch()
    with pytest.raises(BenchError, match=f"unexpected file {name}"):
        Urdu().scan(tree)


def test_a_missing_folder_is_named(tree: Path) -> None:
    for path in (tree / "Sad").iterdir():
        path.unlink()
    (tree / "Sad").rmdir()
    with pytest.raises(BenchError, match="no folder 'Sad'"):
        Urdu().scan(tree)


def test_missing_and_surplus_files_are_told_by_their_numbers(tree: Path) -> None:
    next((tree / "Happy").glob("*_H057.wav")).unlink()
    (tree / "Sad/SM9_F99_S012.wav").touch()
    gaps = Urdu().gaps(Urdu().scan(tree))
    assert gaps[0] == "Happy number 57 is missing"
    assert gaps[1].startswith("surplus: Sad/S")
    assert "Sad/SM9_F99_S012.wav" in gaps[1]


def test_the_task_refuses_an_incomplete_corpus_and_names_what_is_missing(tree: Path) -> None:
    next((tree / "Happy").glob("*_H057.wav")).unlink()
    task = Registry().task("urdu")
    with pytest.raises(BenchError, match=r"399 utterances instead of 400.*99 happy instead of 100.*Happy number 57"):
        load_dataset(task, [Urdu()], load_settings([f"urdu={tree}"]))


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["urdu", "urdu-random"])
def test_the_real_corpus_is_as_expected(name: str) -> None:
    root = Path(os.environ.get("BENCH_DATA", "/nowhere")) / "urdu"
    if not root.is_dir():
        pytest.skip("URDU is not at hand: set BENCH_DATA")
    dataset = load_dataset(Registry().task(name), [Urdu()], load_settings([f"urdu={root}"]))
    assert len(dataset.utterances) == 400
    assert len(dataset.folds) == (29 if name == "urdu" else 10)
