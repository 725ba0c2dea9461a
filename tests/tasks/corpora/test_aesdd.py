"""AESDD: the take without audio, and the utterance that is improvised."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from trees import aesdd

from benchmark.data.scanning import index_digest
from benchmark.errors import BenchError
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


@pytest.mark.parametrize("second", ["f18 (5b)", "f18 (5)b", "f18(5) b"])
def test_second_takes_are_read_as_they_are_written_anywhere(tmp_path: Path, second: str) -> None:
    for name in ("a06 (5)", "f10 (01)", "s01 (5)a", "s01 (5)b", second):
        (tmp_path / f"{name}.wav").write_text(name)
    takes = {utterance.id: utterance.extra["take"] for utterance in CORPUS.scan(tmp_path)}
    assert takes == {"a06-5": None, "f10-1": None, "f18-5b": "b", "s01-5a": "a", "s01-5b": "b"}
    (tmp_path / "f18 (5c).wav").touch()
    with pytest.raises(BenchError, match=r"unexpected file f18 \(5c\)"):
        CORPUS.scan(tmp_path)


def test_one_utterance_of_aesdd_is_improvised(scanned: Scanned) -> None:
    utterances = scanned("aesdd")
    assert {one.extra["sentence"] for one in utterances if one.extra["style"] == "scripted"} == {
        f"{number:02d}" for number in range(1, 20)
    }
    improvised = [one for one in utterances if one.extra["style"] != "scripted"]
    assert {(one.id[1:3], one.extra["sentence"], one.extra["style"]) for one in improvised} == {
        ("20", None, "improvised")
    }
