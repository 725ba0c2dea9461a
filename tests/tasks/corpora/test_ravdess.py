"""RAVDESS: its parts, its gaps, and three real actors."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from trees import ravdess

from benchmark.types import Utterance
from tasks.corpora.ravdess import Ravdess

CORPUS = Ravdess()
Tree = Callable[[str], Path]
Scanned = Callable[[str], list[Utterance]]


def test_long_gaps_are_told_shortly(scanned: Scanned) -> None:
    others = [f"-{actor:02d}" for actor in range(1, 25) if actor not in (1, 5, 20)]
    here = [one for one in scanned("ravdess") if not one.id.endswith(tuple(others))]
    assert CORPUS.gaps(here) == [
        "speech: 21 of 24 actors are missing: 02, 03, 04, 06, 07, 08, 09, 10, 11, 12 and 11 more",
        "song: 20 of 23 actors are missing: 02, 03, 04, 06, 07, 08, 09, 10, 11, 12 and 10 more",
    ]


def test_gaps_name_what_no_complete_corpus_has(tree: Tree, tmp_path: Path) -> None:
    shutil.copytree(tree("ravdess"), tmp_path, dirs_exist_ok=True)
    # Names that could be, but are not: nobody was neutral and strong, and actor 18 did not sing.
    for name in ("03-01-01-02-01-01-01", "03-02-03-01-01-01-18"):
        (tmp_path / f"{name}.wav").touch()
    assert CORPUS.gaps(CORPUS.scan(tmp_path)) == [
        "speech: surplus: 03-01-01-02-01-01-01",
        "song: surplus: 03-02-03-01-01-01-18",
    ]


def test_speech_alone_is_a_part(tmp_path: Path) -> None:
    utterances = CORPUS.scan(ravdess.write(tmp_path, outer=False, channels=("01",)))
    assert set(map(CORPUS.part_of, utterances)) == {"speech"}
    assert len(utterances) == 1440
    assert CORPUS.gaps(utterances) == ["song: none of it is here, and only tasks on song need it"]


@pytest.mark.corpora
def test_three_real_actors_are_told_by_what_is_missing() -> None:
    root = Path(os.environ.get("BENCH_DATA", "/nowhere")) / "ravdess-3-actors"
    if not root.is_dir():
        pytest.skip("the three actors of RAVDESS are not at hand: set BENCH_DATA")
    utterances = CORPUS.scan(root)
    assert Counter(utterance.speaker for utterance in utterances) == {"01": 60, "05": 60, "20": 60}
    assert Counter(utterance.labels["emotion"] for utterance in utterances)["neutral"] == 12
    assert CORPUS.gaps(utterances) == [
        "speech: 21 of 24 actors are missing: 02, 03, 04, 06, 07, 08, 09, 10, 11, 12 and 11 more",
        "song: none of it is here, and only tasks on song need it",
    ]
