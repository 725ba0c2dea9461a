"""BIIC-Podcast: what differs from MSP-Podcast, whose format it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from trees.podcasts import FULL_BIIC, HEADER, write

from benchmark.errors import BenchError
from benchmark.types import Utterance
from tasks.corpora.biic_podcast import BIICPodcast

FOUR = {"neutral", "happiness", "anger", "sadness"}
# Some releases tell no speakers.
WITHOUT_SPEAKERS = tuple(name for name in HEADER if name not in ("SpkrID", "Gender"))


def test_a_row_is_read(tmp_path: Path) -> None:
    root = write(
        tmp_path / "BIIC-Podcast-1.0",
        {"Test": {"C": 1}},
        prefix="BIIC-PODCAST",
        release=None,
        header=WITHOUT_SPEAKERS,
    )
    (found,) = BIICPodcast().scan(root)
    assert found == Utterance(
        id="BIIC-PODCAST_0001_0001_0001",
        file="Audios/BIIC-PODCAST_0001_0001_0001.wav",
        speaker=None,
        session="0001",
        gender=None,
        language="zh-TW",
        labels={"emotion": "contempt", "arousal": 1.0, "valence": 1.0, "dominance": 1.5},
        split="test",
        extra={
            "release": "1.0",
            "test_set": "Test",
            "dialogue": "0001",
            "turn": 1.0001,
            "style": "spontaneous",
            "agreement": None,
        },
    )


def test_speakers_are_read_where_a_release_tells_them(tmp_path: Path) -> None:
    (found,) = BIICPodcast().scan(write(tmp_path / "root", {"Train": {"N": 1}}, prefix="BIIC-PODCAST", release="1.01"))
    assert (found.speaker, found.gender, found.extra["release"]) == ("1", "female", "1.01")


def test_the_names_of_another_corpus_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"corpus biic-podcast: .*line 2 has the file 'MSP-PODCAST"):
        BIICPodcast().scan(write(tmp_path / "root", {"Train": {"N": 1}}))


def test_the_four_classes_of_release_1_0(tmp_path: Path) -> None:
    root = write(tmp_path / "root", FULL_BIIC, prefix="BIIC-PODCAST", header=WITHOUT_SPEAKERS, audio=False)
    found = BIICPodcast().scan(root)
    assert sum(u.labels["emotion"] in FOUR for u in found) == 22799
    assert all(u.speaker is None for u in found)
