"""Where the sound of a file ends by its headers; hostile headers end in an answer, and soon."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sound_files import content, pcm, voice, wav

from benchmark.data.containers import MOST_CHUNKS, Extent, Mended, extent


def told(path: Path, data: bytes) -> Extent:
    path.write_bytes(data)
    return extent(path, len(data))


def test_the_end_is_that_of_the_samples_and_not_of_the_file(tmp_path: Path) -> None:
    data = wav(pcm(voice())) + b"LIST\x04\0\0\0INFO"
    assert told(tmp_path / "a", data) == Extent(end=len(data) - 12)


def test_a_stream_is_mended_in_its_header(tmp_path: Path) -> None:
    data = wav(pcm(voice()), 0)
    found = told(tmp_path / "a", data)
    assert found == Extent(tells=False, mended=(40, (64_000).to_bytes(4, "little")))
    assert found.mended is not None
    with Mended(tmp_path / "a", *found.mended) as handle:
        buffer = bytearray(len(data))
        assert handle.readinto(buffer) == len(data)
        assert bytes(buffer) == wav(pcm(voice()))
        for at in range(34, 48):  # however a reader comes to the place
            handle.seek(at)
            part = bytearray(3)
            handle.readinto(part)
            assert part == buffer[at : at + 3]


def test_what_is_no_sound_file_tells_nothing(tmp_path: Path) -> None:
    for data in (
        b"",
        b"R",
        b"RIFF",
        b"ID3",
        b"no sound file at all",
        b"OggS",
        b"fLaC",
        b"NIST_1A\n",
        b"caff",
        b"\xff\xfb",
    ):
        assert told(tmp_path / "a", data).end is None
    assert told(tmp_path / "a", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(99)).end is None


def test_a_header_of_endless_chunks_is_given_up(tmp_path: Path) -> None:
    began = time.monotonic()
    assert told(tmp_path / "a", wav(b"")[:36] + b"junk\0\0\0\0" * 20 * MOST_CHUNKS) == Extent()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("kind", ["CAF", "W64"])
def test_a_size_beyond_what_can_be_asked_for_is_no_place(tmp_path: Path, kind: str) -> None:
    data = content(tmp_path / "a", voice(), format=kind, subtype="PCM_16")
    at = data.index(b"desc" if kind == "CAF" else b"fmt ") + (4 if kind == "CAF" else 16)
    for byte in (0x7F, 0xFF):
        data[at : at + 8] = bytes([byte] * 8)
        assert told(tmp_path / "b", data) == Extent()


@pytest.mark.parametrize("channels", [1, 2])
def test_nist_counts_the_samples_of_each_channel(tmp_path: Path, channels: int) -> None:
    samples = voice() if channels == 1 else voice().reshape(-1, 2)
    data = content(tmp_path / "a", samples, format="NIST", subtype="PCM_16")
    assert told(tmp_path / "b", data) == Extent(end=len(data))
    without = bytes(data).replace(b"sample_count", b"simple_count")
    assert told(tmp_path / "b", without) == Extent(tells=False)
