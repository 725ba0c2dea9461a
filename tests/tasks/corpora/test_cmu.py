"""CMU-MOSI and CMU-MOSEI: their videos, and the names of clips in several packagings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from trees import cmu
from trees.audio import write_wav

from benchmark.data.scanning import index_digest
from benchmark.errors import BenchError
from benchmark.types import Utterance
from tasks.corpora.cmu_mosi import CMUMosi

CORPUS = CMUMosi()
Tree = Callable[[str], Path]
Scanned = Callable[[str], list[Utterance]]


@pytest.mark.parametrize(
    ("name", "videos"),
    [("cmu-mosi", (52, 10, 31)), pytest.param("cmu-mosei", (2249, 300, 678), marks=pytest.mark.slow)],
)
def test_cmu_segments_are_split_by_video(scanned: Scanned, name: str, videos: tuple[int, int, int]) -> None:
    utterances = scanned(name)
    by_split = [{u.session for u in utterances if u.split == split} for split in ("train", "dev", "test")]
    assert tuple(map(len, by_split)) == videos
    assert not by_split[0] & by_split[1] | by_split[0] & by_split[2] | by_split[1] & by_split[2]
    signs = {(u.labels["polarity"], float(u.labels["sentiment"])) for u in utterances}
    assert signs == {(name.lower(), value) for name, values in cmu.VALUES.items() for value in values} ^ {
        ("neutral", 0.0),
        ("zero", 0.0),
    }


@pytest.mark.parametrize("form", ["wav/{video}_{clip}.wav", "audio/{video}$_${clip}.flac", "{video}/{clip:04d}.wav"])
def test_cmu_clips_may_be_named_as_in_other_packagings(own: Tree, form: str) -> None:
    root = own("cmu-mosi")
    before = CORPUS.scan(root)
    for utterance in before:
        video, clip = utterance.id.split("/")
        place = root / form.format(video=video, clip=int(clip))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    after = CORPUS.scan(root)
    assert index_digest(after) == index_digest(before)
    assert after[0].file == form.format(video="-Video_00001", clip=0)


def test_cmu_refuses_two_clips_for_one_segment_and_expects_the_official_place(own: Tree) -> None:
    root = own("cmu-mosi")
    assert CORPUS.scan(root)[0].file == "Raw/-Video_00001/0.mp4"
    for number, clip in enumerate(("1", "01")):
        write_wav(root / f"Raw/-Video_00001/{clip}.wav", number)
    with pytest.raises(BenchError, match="are one clip"):
        CORPUS.scan(root)
