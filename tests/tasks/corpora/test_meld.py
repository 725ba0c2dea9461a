"""MELD: its broken clips, its texts, and the ways to unpack it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from trees import meld
from trees.audio import write_wav
from trees.damage import exchange

from benchmark.data.audio import AudioError, decode
from benchmark.data.scanning import index_digest
from benchmark.errors import BenchError
from benchmark.types import Utterance
from tasks.corpora.meld import Meld

CORPUS = Meld()
Tree = Callable[[str], Path]
Scanned = Callable[[str], list[Utterance]]


def test_meld_lists_its_two_broken_clips_and_hearing_finds_them(tree: Tree, scanned: Scanned, tmp_path: Path) -> None:
    root = tree("meld")
    by_id = {u.id: u for u in scanned("meld")}
    with pytest.raises(AudioError, match=r"train_splits/dia125_utt3\.mp4: (truncated|unreadable)"):
        decode(root, by_id[meld.DAMAGED], cache=tmp_path)
    with pytest.raises(AudioError, match=r"dev_splits_complete/dia110_utt7\.mp4: the file is missing"):
        decode(root, by_id[meld.ABSENT], cache=tmp_path)
    assert decode(root, by_id["test/dia279_utt3"], cache=tmp_path).sample_rate == 16_000


def line(utterance: Utterance) -> tuple[int, float]:
    return int(str(utterance.extra["dialogue"]).partition("/")[2]), float(str(utterance.extra["turn"]))


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_meld_texts_and_names_are_clean_whatever_their_table_went_through(
    tree: Tree, scanned: Scanned, split: str
) -> None:
    raw = (tree("meld") / f"{split}_sent_emo.csv").read_bytes()
    assert {"train": b"It\xc2\x92s", "dev": b"It\x92s", "test": b"It\xe2\x80\x99s"}[split] in raw
    utterances = [u for u in scanned("meld") if u.split == split]
    assert {str(u.extra["text"]).replace(str(n), "") for n, u in enumerate(sorted(utterances, key=line))} == {
        "It’s line , “you” see – so…"
    }
    assert "The Man’s Friend" in {u.speaker for u in utterances}


def test_meld_may_be_unpacked_in_its_archives_folders_or_hold_the_sound_alone(own: Tree) -> None:
    root = own("meld")
    shutil.rmtree(root / "output_repeated_splits_test")
    before = CORPUS.scan(root)
    assert before[0].file == "dev_splits_complete/dia0_utt0.mp4", "where the release has it"
    for split, (folder, *_) in meld.SPLITS.items():
        write_wav(root / "MELD.Raw" / split / folder / "dia0_utt0.wav", 0)
        (root / f"{split}_sent_emo.csv").rename(root / "MELD.Raw" / split / f"{split}_sent_emo.csv")
    after = CORPUS.scan(root)
    assert after[0].file == "MELD.Raw/dev/dev_splits_complete/dia0_utt0.wav"
    assert after[1].file == "MELD.Raw/dev/dev_splits_complete/dia0_utt1.mp4", "a missing clip is for the run to find"
    assert index_digest(after) == index_digest(before)
    (root / "MELD.Raw/dev/dev_splits_complete").rename(root / "MELD.Raw/dev/clips")
    assert CORPUS.scan(root)[0].file == "MELD.Raw/dev/clips/dia0_utt0.wav"


def test_meld_refuses_a_clip_or_two_different_tables_for_one(own: Tree) -> None:
    root = own("meld")
    (root / "more").mkdir()
    shutil.copy(root / "dev_sent_emo.csv", root / "more")
    CORPUS.scan(root)
    exchange(root / "more/dev_sent_emo.csv", "Person 1", "Person 2")
    with pytest.raises(BenchError, match=r"dev_sent_emo\.csv and more/dev_sent_emo\.csv differ"):
        CORPUS.scan(root)
    shutil.rmtree(root / "more")
    for number, suffix in enumerate(("mp4", "wav")):
        write_wav(root / f"train_splits/dia0_utt0.{suffix}", number)
    with pytest.raises(BenchError, match=r"train_splits/dia0_utt0\.mp4 and train_splits/dia0_utt0\.wav are one clip"):
        CORPUS.scan(root)
