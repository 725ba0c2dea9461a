"""Reading sound files as people have them: what there is is read, what is missing is told."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sound_files import content, frames, pcm, unsized, voice, wav
from toy import RATE

from benchmark.data.audio import AudioError, Wave, decode
from benchmark.data.sound import BEYOND, CANCELS, CHANNELS, MOST_SAMPLES, UNTOLD
from benchmark.types import Utterance

SECONDS = 2.0
SAMPLES = voice(SECONDS)
NUMBER = len(SAMPLES)


def heard(path: Path, data: bytes | None = None, **stretch: float) -> Wave:
    if data is not None:
        path.write_bytes(data)
    return decode(path.parent, Utterance(id="u", file=path.name, **stretch))


def refused(path: Path, data: bytes | None = None, **stretch: float) -> str:
    with pytest.raises(AudioError) as caught:
        heard(path, data, **stretch)
    assert caught.value.message.startswith(f"{path.name}: ")
    assert "\n" not in caught.value.message
    return caught.value.message


# -- streamed lengths --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 0x7FFF0000, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFDB, 0xFFFFFFFF])
@pytest.mark.parametrize("between", [b"", b"LIST\x04\0\0\0INFO"])
def test_a_streamed_wav_is_read_to_its_end(tmp_path: Path, size: int, between: bytes) -> None:
    for riff in (0, 8, 36, size, 36 + 2 * NUMBER):
        wave = heard(tmp_path / "a.wav", wav(pcm(SAMPLES), size, riff, between=between))
        np.testing.assert_array_equal(wave.samples, np.frombuffer(pcm(SAMPLES), "<i2") / np.float32(32768))
        assert wave.remarks == (UNTOLD,)
    stretch = heard(tmp_path / "a.wav", start=0.5, end=1.0)
    np.testing.assert_array_equal(stretch.samples, wave.samples[RATE // 2 : RATE])


def patched(data: bytearray, at: int, value: bytes) -> bytes:
    return bytes(data[:at] + value + data[at + len(value) :])


@pytest.mark.parametrize(
    ("kind", "name", "offset", "order", "sizes"),
    [
        ("AIFF", b"SSND", 4, ">I", (0, 8, 0x7F000008, 0xFFFFFFFF)),
        ("AU", b".snd", 8, ">I", (0, 0x7FFFFFFF, 0xFFFFFFFF)),
        ("W64", b"data", 16, "<Q", (0, 24, 2**63 - 1, 2**64 - 1)),
        ("RF64", b"ds64", 16, "<Q", (0, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)),
        ("CAF", b"data", 4, ">Q", (0, 4, 2**64 - 1)),
    ],
)
def test_so_are_streams_in_other_containers(
    tmp_path: Path, kind: str, name: bytes, offset: int, order: str, sizes: tuple[int, ...]
) -> None:
    data = content(tmp_path / "whole", SAMPLES, format=kind, subtype="PCM_16")
    for size in sizes:
        streamed = patched(data, data.index(name) + offset, struct.pack(order, size))
        wave = heard(tmp_path / "a", streamed)
        assert (len(wave.samples), wave.remarks) == (NUMBER, (UNTOLD,)), hex(size)


def test_an_empty_wav_with_a_chunk_behind_is_empty_and_no_stream(tmp_path: Path) -> None:
    assert "the audio is empty" in refused(tmp_path / "a.wav", wav(b"") + b"LIST\x04\0\0\0INFO")


@pytest.mark.parametrize("where", ["plain", "ID3"])
def test_flac_of_unknown_length_is_read_to_its_end(tmp_path: Path, where: str) -> None:
    samples = voice(40.0)
    data = content(tmp_path / "whole.flac", samples)
    data[21] &= 0xF0
    data[22:26] = bytes(4)  # of the total of samples
    if where == "ID3":
        data[:0] = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    wave = heard(tmp_path / "a.flac", data)
    assert (len(wave.samples), wave.remarks) == (len(samples), (UNTOLD,))
    assert wave.sha256 == heard(tmp_path / "whole.flac").sha256
    stretch = heard(tmp_path / "a.flac", start=39.0)
    np.testing.assert_array_equal(stretch.samples, wave.samples[39 * RATE :])
    assert "lies outside its 40.00 s" in refused(tmp_path / "a.flac", start=39.0, end=41.0)


# -- cut off -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "MS_ADPCM"),
        ("WAVEX", "PCM_24"),
        ("RF64", "PCM_16"),
        ("W64", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("AIFF", "FLOAT"),
        ("AU", "ULAW"),
        ("CAF", "ALAC_16"),
        ("SVX", "PCM_16"),
        ("NIST", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
def test_what_was_cut_off_is_told_wherever_it_was_cut(tmp_path: Path, kind: str, subtype: str) -> None:
    data = content(tmp_path / "whole", voice(10.0), format=kind, subtype=subtype)
    whole = heard(tmp_path / "whole")
    assert abs(whole.duration - 10.0) < 0.1
    assert UNTOLD not in whole.remarks
    for part in (0.3, 0.5, 0.9, 0.999):
        why = refused(tmp_path / "a", data[: round(part * len(data))])
        assert "truncated" in why, (part, why)


def test_a_wav_of_reversed_bytes_is_followed_too(tmp_path: Path) -> None:
    data = content(tmp_path / "whole.wav", SAMPLES, endian="BIG")
    assert data[:4] == b"RIFX"
    assert "truncated" in refused(tmp_path / "a.wav", data[:-1000])


@pytest.mark.parametrize("kind", ["AVR", "IRCAM", "PVF", "VOC"])
def test_where_nothing_tells_the_length_that_is_said(tmp_path: Path, kind: str) -> None:
    data = content(tmp_path / "whole", SAMPLES, format=kind, subtype="PCM_16")
    assert heard(tmp_path / "a", data[: len(data) // 2]).remarks == (UNTOLD,)


def test_ogg_without_a_last_page_and_joined_ogg_are_told(tmp_path: Path) -> None:
    data = content(tmp_path / "whole.ogg", voice(10.0), format="OGG")
    last = data.rindex(b"OggS")
    unmarked = patched(data, last + 5, bytes([data[last + 5] & ~4]))
    for damaged in (unmarked, data[:last]):
        assert "no page of it is marked as the last" in refused(tmp_path / "a.ogg", damaged)
    assert "holds 2 recordings one after another" in refused(tmp_path / "a.ogg", data + data)
    hole = data[: last - 100] + data[last:]
    assert "there is no page of Ogg at byte" in refused(tmp_path / "a.ogg", hole)
    assert heard(tmp_path / "a.ogg", data + bytes(99)).sha256 == heard(tmp_path / "whole.ogg").sha256


# -- MP3 ---------------------------------------------------------------------------------------------------------------

TAG_BEFORE, TAG_BEHIND = b"ID3\x04\0\0\0\0\x0a\0" + bytes(1280), b"TAG" + bytes(125)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_an_mp3_without_its_table_is_read_to_its_end(tmp_path: Path, rate: int, mode: str) -> None:
    """Quiet first, so that a guess from the first frame is far off."""
    samples = np.concatenate([np.zeros(5 * rate, "f4"), voice(10.0, rate)])
    data, number = unsized(tmp_path / "whole.mp3", samples, rate, bitrate_mode=mode)
    plain = heard(tmp_path / "a.mp3", data)
    assert (len(plain.samples), plain.remarks) == (number, (UNTOLD,))
    for around in (TAG_BEFORE + data, data + TAG_BEHIND, bytes(700) + data, TAG_BEFORE + bytes(99) + data + TAG_BEHIND):
        assert len(heard(tmp_path / "a.mp3", around).samples) == number
    stretch = heard(tmp_path / "a.mp3", data, start=7.0, end=8.0)
    np.testing.assert_array_equal(stretch.samples, plain.samples[7 * rate : 8 * rate])
    assert "lies outside" in refused(tmp_path / "a.mp3", data, start=1.0, end=100.0)
    assert "truncated: its last frame" in refused(tmp_path / "a.mp3", data[:-10])


def test_an_mp3_with_its_table_has_the_samples_that_were_encoded(tmp_path: Path) -> None:
    data = content(tmp_path / "whole.mp3", voice(10.0), format="MP3")
    assert len(heard(tmp_path / "whole.mp3").samples) == 10 * RATE
    assert len(heard(tmp_path / "a.mp3", TAG_BEFORE + data + TAG_BEHIND).samples) == 10 * RATE
    assert "was it joined of several?" in refused(tmp_path / "a.mp3", data + data)
    first, *others = frames(data)
    at = first.index(b"Info") if b"Info" in first else first.index(b"Xing")
    for flag, number in ((0, first[at + 8 : at + 12]), (first[at + 7], bytes(4))):  # a table that was never written
        broken = first[: at + 7] + bytes([flag]) + number + first[at + 12 :]
        assert len(heard(tmp_path / "a.mp3", broken + b"".join(others)).samples) >= 10 * RATE


def test_an_mp3_in_a_wav_file_is_read_to_its_end(tmp_path: Path) -> None:
    data, number = unsized(tmp_path / "whole.mp3", np.concatenate([np.zeros(5 * RATE, "f4"), voice(10.0)]))
    form = struct.pack("<HHIIHHHHIHHH", 0x55, 1, RATE, 3_000, 1, 0, 12, 1, 2, 216, 1, 1393)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    wave = heard(tmp_path / "a.wav", b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    assert len(wave.samples) == number
    assert wave.sha256 == heard(tmp_path / "a.mp3", data).sha256


def test_junk_between_the_frames_of_an_mp3_is_passed_over(tmp_path: Path) -> None:
    data, number = unsized(tmp_path / "whole.mp3", voice(10.0))
    kept = frames(data)
    assert len(heard(tmp_path / "a.mp3", b"".join([*kept[:20], b"junk" * 50, *kept[20:]])).samples) == number


# -- codecs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subtype", ["GSM610", "G721_32", "NMS_ADPCM_16", "NMS_ADPCM_32", "ULAW", "IMA_ADPCM"])
def test_codecs_are_read_as_soundfile_reads_them(tmp_path: Path, subtype: str) -> None:
    content(tmp_path / "a.wav", voice(2.0, 8_000), 8_000, subtype=subtype)
    expected, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    wave = heard(tmp_path / "a.wav")
    np.testing.assert_array_equal(wave.samples, expected)
    assert wave.remarks == ()
    stretch = heard(tmp_path / "a.wav", start=0.5, end=1.25)
    np.testing.assert_array_equal(stretch.samples, expected[4_000:10_000])


# -- what a header promises --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1, 100, 1_999, 2_000_000_000])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: int) -> None:
    assert f"its header says {rate} Hz" in refused(tmp_path / "a.wav", wav(pcm(SAMPLES), rate=rate))


def test_an_endless_recording_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_SAMPLES > 6 * 3600 * 48_000
    monkeypatch.setattr("benchmark.data.sound.MOST_SAMPLES", 10_000)
    monkeypatch.setattr("benchmark.data.sound.BLOCK", 1_000)
    assert "longer than 10000 samples" in refused(tmp_path / "a.wav", wav(pcm(SAMPLES)))
    assert len(heard(tmp_path / "a.wav", end=0.5).samples) == 8_000


def test_blocks_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content(tmp_path / "a.wav", np.stack([SAMPLES, SAMPLES[::-1], 0 * SAMPLES], axis=1), subtype="FLOAT")
    whole = heard(tmp_path / "a.wav")
    monkeypatch.setattr("benchmark.data.sound.BLOCK", 1_000)
    assert heard(tmp_path / "a.wav").sha256 == whole.sha256


# -- remarks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channels", "remarks"),
    [
        ([SAMPLES], ()),
        ([4 * SAMPLES], (BEYOND,)),
        ([SAMPLES, SAMPLES], ()),
        ([SAMPLES, SAMPLES[::-1]], ()),
        ([SAMPLES, 0 * SAMPLES], ()),
        ([SAMPLES, -0.9 * SAMPLES], (CANCELS,)),
        ([SAMPLES] * 6, (CHANNELS,)),
        ([SAMPLES, *[0 * SAMPLES] * 15], (CHANNELS,)),
        ([4 * SAMPLES, -3.9 * SAMPLES, 0 * SAMPLES], (BEYOND, CANCELS, CHANNELS)),
    ],
)
def test_what_a_reader_should_know_is_remarked(tmp_path: Path, channels: list[np.ndarray], remarks: tuple[str]) -> None:
    content(tmp_path / "a.wav", np.stack(channels, axis=1), subtype="FLOAT")
    assert heard(tmp_path / "a.wav").remarks == remarks


def test_opposite_channels_are_told_from_silence(tmp_path: Path) -> None:
    content(tmp_path / "a.wav", np.stack([SAMPLES, -SAMPLES], axis=1))
    assert re.search("its channels cancel each other: their mean is silent", refused(tmp_path / "a.wav"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 72862\n", "is a pointer of Git LFS"),
        (b"/annex/objects/SHA256E-s72862--0.wav\n", "is a pointer of git-annex"),
    ],
)
def test_a_pointer_is_told_as_such(tmp_path: Path, data: bytes, why: str) -> None:
    assert why in refused(tmp_path / "a.wav", data)
    assert why in refused(tmp_path / "a.mp4", data)
