"""The sound of videos: exact, extracted once, and every way a video can be unusable."""

from __future__ import annotations

import io
import logging
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from trees.video import noise, write_video

from benchmark.data import video
from benchmark.data.audio import AudioError, decode
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import load_settings
from benchmark.protocol.dataset import load_dataset
from benchmark.protocol.hearing import listen
from benchmark.registry.registry import Registry
from benchmark.types import Utterance

RATE = 44_100


def clip(path: Path) -> Utterance:
    return Utterance(id="u", file=path.name)


def kept(cache: Path) -> list[Path]:
    """The files in the cache."""
    return sorted(path for path in cache.rglob("*") if path.is_file())


@pytest.fixture
def extractions(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The videos that were extracted, in order."""
    done: list[Path] = []
    real = video.extract

    def extract(path: Path) -> bytes:
        done.append(path)
        return real(path)

    monkeypatch.setattr(video, "extract", extract)
    return done


# -- the samples ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["mov", "mkv", "MOV"])
def test_every_sample_and_channel_and_the_rate_are_kept(tmp_path: Path, suffix: str) -> None:
    samples = np.random.default_rng(0).integers(-30_000, 30_000, (5_001, 2), dtype=np.int16)
    path = write_video(tmp_path / f"a.{suffix}", samples, 22_050, codec="pcm_s16le")
    found, rate = soundfile.read(io.BytesIO(video.extract(path)), dtype="int16")
    assert rate == 22_050
    np.testing.assert_array_equal(found, samples)
    wave = decode(tmp_path, clip(path), cache=tmp_path / "cache")
    assert wave.sample_rate == 22_050
    np.testing.assert_allclose(wave.samples, samples.mean(axis=1) / 2**15, atol=1e-7)


@pytest.mark.parametrize(("name", "pictures"), [("a.mp4", True), ("a.mp4", False), ("a.m4a", False)])
def test_aac_is_decoded_to_the_floats_that_the_decoder_gives(tmp_path: Path, name: str, pictures: bool) -> None:
    path = write_video(tmp_path / name, noise(1), RATE, pictures=pictures)
    content = video.extract(path)
    assert soundfile.info(io.BytesIO(content)).subtype == "FLOAT"
    found, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    with av.open(str(path)) as container:
        expected = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1).T
    assert rate == RATE
    np.testing.assert_array_equal(found, expected)
    assert abs(len(found) - RATE // 10) < 1024
    assert not np.array_equal(found, np.float32(np.int16(found * 2**15)) / 2**15), "no finer than 16 bits"


def test_the_same_video_gives_the_same_bytes(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(1))
    assert video.extract(path) == video.extract(path)


def test_a_sound_that_exceeds_full_scale_is_not_clipped(tmp_path: Path) -> None:
    time = np.arange(4096) / RATE
    path = write_video(tmp_path / "a.mp4", np.float32(1.5 * np.sin(2 * np.pi * 440 * time))[:, None])
    assert decode(tmp_path, clip(path)).samples.max() > 1.2


def test_a_stretch_is_cut_out_of_a_video(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-9_000, 9_000, (8_000, 1), dtype=np.int16)
    write_video(tmp_path / "a.mov", samples, 8_000, codec="pcm_s16le")
    stretch = Utterance(id="u", file="a.mov", start=0.25, end=0.75)
    np.testing.assert_array_equal(decode(tmp_path, stretch).samples, samples[2000:6000, 0] / np.float32(2**15))
    assert decode(tmp_path, stretch, 0.125, tmp_path / "cache").duration == 0.125


# -- the cache --------------------------------------------------------------------------------------------------------


def test_a_video_is_extracted_once(tmp_path: Path, extractions: list[Path]) -> None:
    path, cache = write_video(tmp_path / "a.mp4", noise(1)), tmp_path / "cache"
    first = decode(tmp_path, clip(path), cache=cache)
    assert decode(tmp_path, clip(path), cache=cache).sha256 == first.sha256
    assert decode(tmp_path, clip(path)).sha256 == first.sha256
    assert len(extractions) == 2, "once into the cache, once without one"
    assert len(kept(cache)) == 1
    assert kept(cache)[0].is_relative_to(cache / "extracted")


def test_a_changed_video_is_extracted_again(tmp_path: Path, extractions: list[Path]) -> None:
    path, cache = write_video(tmp_path / "a.mov", np.int16(noise(1) * 9_000), codec="pcm_s16le"), tmp_path / "cache"
    first = decode(tmp_path, clip(path), cache=cache)
    size = path.stat().st_size
    write_video(path, np.int16(noise(2) * 9_000), codec="pcm_s16le")
    assert path.stat().st_size == size, "only its times tell"
    assert decode(tmp_path, clip(path), cache=cache).sha256 != first.sha256
    assert len(extractions) == 2


def test_a_killed_extraction_leaves_nothing_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extractions: list[Path]
) -> None:
    path, cache = write_video(tmp_path / "a.mp4", noise(1)), tmp_path / "cache"

    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            decode(tmp_path, clip(path), cache=cache)
    assert [left.suffix for left in kept(cache)] == [""]
    kept(cache)[0].write_bytes(b"half")
    assert decode(tmp_path, clip(path), cache=cache).sha256 == decode(tmp_path, clip(path)).sha256
    assert len(extractions) == 3


def test_a_damaged_extraction_is_noticed_and_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, extractions: list[Path]
) -> None:
    path, cache = write_video(tmp_path / "a.mp4", noise(1)), tmp_path / "cache"
    first = decode(tmp_path, clip(path), cache=cache)
    (extracted,) = kept(cache)
    content = bytearray(extracted.read_bytes())
    content[2000] ^= 1
    extracted.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert decode(tmp_path, clip(path), cache=cache).sha256 == first.sha256
    assert f"{extracted.name} is damaged; it is extracted again" in caplog.text
    assert len(extractions) == 2
    assert kept(cache) == [extracted]


def test_many_may_extract_one_video_at_once(tmp_path: Path) -> None:
    path, cache = write_video(tmp_path / "a.mp4", noise(1, seconds=1.0)), tmp_path / "cache"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: decode(tmp_path, clip(path), cache=cache).sha256, range(16)))
    assert len(found) == 1
    assert len(kept(cache)) == 1


def test_a_video_that_changes_while_it_is_read_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = write_video(tmp_path / "a.mp4", noise(1)), tmp_path / "cache"
    real = video.extract

    def disturbed(given: Path) -> bytes:
        content = real(given)
        write_video(path, noise(2, seconds=0.2))
        return content

    monkeypatch.setattr(video, "extract", disturbed)
    with pytest.raises(AudioError, match=r"a\.mp4: it changed while it was read"):
        decode(tmp_path, clip(path), cache=cache)
    assert kept(cache) == []


# -- unusable videos --------------------------------------------------------------------------------------------------


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def damaged(path: Path, what: str) -> None:
    fast = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
    write_video(path, noise(1, seconds=1.0), options=None if what == "cut before its index" else fast)
    content = path.read_bytes()
    if what.startswith("cut"):
        cut(path, 0.7)
    elif what == "silent film":
        write_video(path, noise(1)[:0])
    elif what == "text":
        path.write_text("no video at all" * 100)
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "overwritten":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + b"\xff" * 400 + content[middle + 400 :])
    elif what == "of an unknown kind":
        path.write_bytes(content.replace(b"A_AAC", b"A_XYZ"))
    elif what == "a folder":
        path.unlink()
        path.mkdir()
    elif what == "missing":
        path.unlink()


@pytest.mark.parametrize(
    ("name", "what", "why"),
    [
        ("a.mp4", "silent film", "the video has no sound"),
        ("a.mp4", "text", "unreadable video (Invalid data"),
        ("a.mp4", "empty", "unreadable video (Invalid data"),
        ("a.mp4", "overwritten", "unreadable video (Invalid data"),
        ("a.mp4", "cut before its index", "truncated: its header announces"),
        ("a.mp4", "cut behind its index", "truncated: its header announces"),
        ("a.mkv", "cut", "truncated: its header announces"),
        ("a.avi", "cut", "truncated: its header announces"),
        ("a.mkv", "of an unknown kind", "nothing here decodes the kind of sound that it has"),
        ("a.mp4", "a folder", "is no file"),
        ("a.mp4", "missing", "the file is missing"),
    ],
)
@pytest.mark.parametrize("with_cache", [True, False])
def test_an_unusable_video_is_an_error_that_names_it(
    tmp_path: Path, name: str, what: str, why: str, with_cache: bool
) -> None:
    path, cache = tmp_path / name, tmp_path / "cache"
    damaged(path, what)
    with pytest.raises(AudioError) as caught:
        decode(tmp_path, clip(path), cache=cache if with_cache else None)
    assert f"{name}: {why}" in str(caught.value)
    assert kept(cache) == []


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    """Also one between two packets, where FFmpeg says nothing."""
    write_video(tmp_path / "a.mp4", noise(1, seconds=0.5), options={"movflags": "faststart"})
    whole = (tmp_path / "a.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    for length in range(len(whole) - 1, len(whole) // 2, -97):
        path.write_bytes(whole[:length])
        with pytest.raises(AudioError, match=r"cut\.mp4: (truncated|unreadable)"):
            decode(tmp_path, clip(path))


def long_box(content: bytes) -> bytes:
    """The last box of an MP4 file with its size in 64 bits."""
    start = content.rindex(b"mdat") - 4
    size = int.from_bytes(content[start : start + 4], "big")
    return content[:start] + struct.pack(">I4sQ", 1, b"mdat", size + 8) + content[start + 8 :]


def unsized_box(content: bytes) -> bytes:
    """The last box of an MP4 file up to the end of the file."""
    start = content.rindex(b"mdat") - 4
    return content[:start] + bytes(4) + content[start + 4 :]


@pytest.mark.parametrize(("change", "longer"), [(long_box, 8), (unsized_box, None)])
def test_the_sizes_that_boxes_may_have_are_understood(
    tmp_path: Path, change: Callable[[bytes], bytes], longer: int | None
) -> None:
    path = write_video(tmp_path / "a.mp4", noise(1), options={"movflags": "faststart"})
    content = path.read_bytes()
    path.write_bytes(change(content))
    end = len(content) + longer if longer is not None else content.rindex(b"mdat") - 4
    assert video._announced_end(path) == end
    path.write_bytes(change(content)[:-1])
    assert video._announced_end(path) == end


def test_a_box_of_an_impossible_size_ends_the_walk(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(struct.pack(">I4sQ", 1, b"mdat", 0) + b"x" * 100)
    with pytest.raises(AudioError, match=r"a\.mp4: unreadable video"):
        decode(tmp_path, Utterance(id="u", file="a.mp4"))


def test_a_list_of_files_does_not_make_it_read_them(tmp_path: Path) -> None:
    write_video(tmp_path / "secret.mkv", noise(1))
    (tmp_path / "a.mp4").write_text("ffconcat version 1.0\nfile secret.mkv\n")
    with pytest.raises(AudioError, match=r"a\.mp4: unreadable video \(Invalid argument\)"):
        decode(tmp_path, Utterance(id="u", file="a.mp4"))


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", noise(1))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingError, match=r"a\.mp4 is a video.*pip install 'serbench\[video\]'"):
        decode(tmp_path, clip(path))


# -- a corpus of videos -----------------------------------------------------------------------------------------------


def test_a_corpus_of_videos_is_heard_and_what_is_wrong_is_said(
    tmp_path: Path, toy_task: Path, extractions: list[Path]
) -> None:
    root = tmp_path / "toy"
    lines = ["file,speaker,label"]
    for number in range(40):
        speaker = ("anna", "bert", "cleo", "dora")[number // 10]
        write_video(root / f"{number:02d}.mp4", noise(number), pictures=False)
        lines.append(f"{number:02d}.mp4,{speaker},{('high', 'low')[number % 2]}")
    (root / "index.csv").write_text("\n".join(lines))
    settings = load_settings([f"toy={root}"])
    registry = Registry()
    dataset = load_dataset(registry.task(str(toy_task)), (registry.corpus("csv"),), settings)
    heard = listen(dataset, settings, {}, lambda count: None)
    assert len({found.sha256 for found in heard.values()}) == 40
    assert listen(dataset, settings, {}, lambda count: None) == heard
    assert len(extractions) == 40
    cut(root / "07.mp4", 0.8)
    write_video(root / "08.mp4", noise(8)[:0])
    with pytest.raises(BenchError, match=r"2 of 40.*07\.mp4: truncated.*08\.mp4: the video has no sound"):
        listen(dataset, settings, {}, lambda count: None)
    assert len(extractions) == 42
