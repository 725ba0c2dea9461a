"""Pages of Ogg and frames of MPEG audio, counted without decoding."""

from __future__ import annotations

from pathlib import Path

import pytest
from sound_files import content, frames, unsized, voice

from benchmark.data.streams import MpegAudio, StreamError, first_frame, first_sound, mpeg_audio, ogg_pages


def pages(path: Path, data: bytes) -> int:
    path.write_bytes(data)
    with path.open("rb") as handle:
        return ogg_pages(handle, len(data))


def counted(path: Path, data: bytes) -> MpegAudio | None:
    path.write_bytes(data)
    with path.open("rb") as handle:
        return mpeg_audio(handle, 0, len(data))


def test_streams_of_ogg_are_counted_to_the_last_byte(tmp_path: Path) -> None:
    data = bytes(content(tmp_path / "whole", voice(), format="OGG"))
    assert [pages(tmp_path / "a", data * times) for times in (1, 2, 3)] == [1, 2, 3]
    for end in (len(data) - 1, len(data) - 1000, 100, 30, 20, 3):
        with pytest.raises(StreamError, match="truncated"):
            pages(tmp_path / "a", data[:end])


def test_two_streams_at_once_are_one_recording(tmp_path: Path) -> None:
    """As in a video: the pages of the second begin before the first has ended."""
    data = bytes(content(tmp_path / "whole", voice(), format="OGG"))
    other = data.replace(data[14:18], b"\1\2\3\4")
    first = data.index(b"OggS", 1)
    assert pages(tmp_path / "a", data[:first] + other[:first] + data[first:] + other[first:]) == 1


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_frames_of_mpeg_are_counted(tmp_path: Path, rate: int) -> None:
    samples = voice(5.0, rate)
    whole = bytes(content(tmp_path / "whole", samples, rate, format="MP3"))
    data, number = unsized(tmp_path / "again", samples, rate)
    assert counted(tmp_path / "a", whole) == MpegAudio(number, has_table=True)
    assert counted(tmp_path / "a", data) == MpegAudio(number, has_table=False)
    assert counted(tmp_path / "a", data + b"TAG" + bytes(125)) == MpegAudio(number, has_table=False)
    assert counted(tmp_path / "a", data + b"something else") is None
    assert counted(tmp_path / "a", b"nothing of it") is None
    assert 0 < len(samples) - number + 10_000 < 10_000
    with pytest.raises(StreamError, match="truncated: its last frame ends at byte"):
        counted(tmp_path / "a", data[:-1])


def test_the_first_frame_is_one_that_another_follows(tmp_path: Path) -> None:
    data, _ = unsized(tmp_path / "whole", voice())
    table = frames(bytes(content(tmp_path / "whole", voice(), format="MP3")))[0]
    assert first_frame(b"\xff\xfb\x90\x00 no frame " + data) == 14
    assert first_frame(b"\xff\xfb\x90\x00") is None
    assert first_frame(bytes(5000)) is None
    assert first_sound(bytes(7) + data) == 7
    assert first_sound(bytes(7) + table + data) == 7 + len(table)
    assert first_sound(bytes(5000)) == 0
