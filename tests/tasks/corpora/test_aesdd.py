"""AESDD: the take without audio, and the utterance that is improvised."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from trees import aesdd

from benchmark.data.scanning import index_digest
from benchmark.types import Utterance
from tasks.corpora.aesdd import Aesdd

CORPUS = Aesdd()
Tree = Callable[[str], Path]
Scanned = Callable[[str], list[Utterance]]


def test_the_take_of_aesdd_without_audio_is_passed_over(tree: Tree, scanned: Scanned, tmp_path: Path) -> None:
    """Whether it is here or not, the corpus is the same."""
    shutil.copytree(tree("aesdd"), tmp_path, dirs_exist_ok=True)
    (tmp_path / f"sadness/{aesdd.WITHOUT_AUDIO}.wav").unlink()
    assert index_digest(CORPUS.scan(tmp_path)) == index_digest(scanned("aesdd"))


def test_one_utterance_of_aesdd_is_improvised(scanned: Scanned) -> None:
    utterances = scanned("aesdd")
    assert {one.extra["sentence"] for one in utterances if one.extra["style"] == "scripted"} == {
        f"{number:02d}" for number in range(1, 20)
    }
    improvised = [one for one in utterances if one.extra["style"] != "scripted"]
    assert {(one.id[1:3], one.extra["sentence"], one.extra["style"]) for one in improvised} == {
        ("20", None, "improvised")
    }
