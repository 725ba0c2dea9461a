"""M3ED: its series, its empty recordings, and who agreed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from trees.audio import write_wav

from benchmark.data.audio import AudioError, decode
from benchmark.errors import BenchError
from benchmark.types import Utterance
from tasks.corpora.m3ed import M3ed

CORPUS = M3ed()
Tree = Callable[[str], Path]
Scanned = Callable[[str], list[Utterance]]


@pytest.mark.slow
def test_m3ed_splits_by_series_and_tells_recordings_without_samples(tree: Tree, scanned: Scanned) -> None:
    utterances = scanned("m3ed")
    by_split = {split: [u for u in utterances if u.split == split] for split in ("train", "dev", "test")}
    empty = {split: [u for u in them if u.extra["recording"] == "empty"] for split, them in by_split.items()}
    assert {split: len(them) for split, them in empty.items()} == {"train": 7, "dev": 2, "test": 3}
    assert {split: len(them) - len(empty[split]) for split, them in by_split.items()} == {
        "train": 17420,
        "dev": 2819,
        "test": 4198,
    }
    assert {split: len({u.extra["drama"] for u in them}) for split, them in by_split.items()} == {
        "train": 38,
        "dev": 7,
        "test": 11,
    }
    assert len({u.session for u in utterances}) == 990
    with pytest.raises(AudioError, match="the audio is empty"):
        decode(tree("m3ed"), empty["dev"][0])


def test_m3ed_agreement_and_speakers_are_those_of_the_annotation(tmp_path: Path) -> None:
    votes = {"EmoAnnotator1": "Happy,Surprise", "EmoAnnotator2": "Happy", "EmoAnnotator3": "Sad"}
    entries = [votes, {**votes, "EmoAnnotator3": "Happy"}, {"EmoAnnotator1": "Sad", "EmoAnnotator2": "Sad"}, {}]
    dialogue = {
        f"a_1_{number}": {"Speaker": "AB"[number % 2], "EmoAnnotation": {**entry, "final_main_emo": "Happy"}}
        for number, entry in enumerate(entries)
    }
    people = {"A": {"Name": "Ren", "Gender": "女"}}
    (tmp_path / "splitInfo").mkdir()
    for split in ("train", "val", "test"):
        (tmp_path / f"splitInfo/movie_list_{split}.txt").write_text("a" if split == "train" else "")
    content = {"a": {"a_1": {"SpeakerInfo": people, "Dialog": dialogue}}}
    (tmp_path / "annotation.json").write_text(json.dumps(content))
    utterances = CORPUS.scan(tmp_path)
    assert [u.extra["agreement"] for u in utterances] == ["majority", "full", "none", None]
    assert [u.speaker for u in utterances] == ["a/Ren", "a/a_1_B", "a/Ren", "a/a_1_B"]
    assert [u.gender for u in utterances] == ["female", None, "female", None]
    assert {u.extra["recording"] for u in utterances} == {"full"}, "a missing file is for the run to find"
    content["a"]["a_1"]["Dialog"] = {"a_1_x": dialogue["a_1_0"]}
    (tmp_path / "annotation.json").write_text(json.dumps(content))
    with pytest.raises(BenchError, match="'a_1_x' in a_1 has no number"):
        CORPUS.scan(tmp_path)
    (tmp_path / "annotation.json").write_text('{"a": ["a_1"]}')
    with pytest.raises(BenchError, match=r"in annotation\.json a is no table"):
        CORPUS.scan(tmp_path)


def test_m3ed_refuses_two_recordings_and_two_annotations_for_one(tmp_path: Path) -> None:
    for number, folder in enumerate(("a", "b")):
        write_wav(tmp_path / folder / "A_a_1_1.wav", number)
    (tmp_path / "splitInfo").mkdir()
    for split in ("train", "val", "test"):
        (tmp_path / f"splitInfo/movie_list_{split}.txt").touch()
    (tmp_path / "annotation.json").write_text("{}")
    with pytest.raises(BenchError, match="are one recording"):
        CORPUS.scan(tmp_path)
    (tmp_path / "a/annotation.json").write_text("{}")
    with pytest.raises(BenchError, match="are both the annotation"):
        CORPUS.scan(tmp_path)
