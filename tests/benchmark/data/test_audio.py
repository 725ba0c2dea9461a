"""Decoding: what is heard, and every way a recording can be unusable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from toy import RATE, tone

from benchmark.data.audio import AudioError, decode
from benchmark.types import Utterance


def save(path: Path, samples: np.ndarray, rate: int = RATE, **options: str) -> Utterance:
    soundfile.write(path, samples, rate, **options)
    return Utterance(id="u", file=path.name)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = tone(440), tone(880)
    wave = decode(tmp_path, save(tmp_path / "a.wav", np.stack([left, right], axis=1), subtype="FLOAT"))
    assert wave.samples.dtype == np.float32
    np.testing.assert_allclose(wave.samples, (left + right) / 2, atol=1e-7)


def test_one_channel_is_its_own_mean_to_the_bit(tmp_path: Path) -> None:
    samples = np.array([0.1, -0.0, 0.0, 1e-42, -0.3], np.float32)
    soundfile.write(tmp_path / "one.wav", samples, 16_000, subtype="FLOAT")
    found = decode(tmp_path, Utterance("one", "one.wav")).samples
    assert found.tobytes() == samples[:, None].mean(axis=1, dtype=np.float32).tobytes()


def test_start_end_and_maximum_duration_cut_a_stretch(tmp_path: Path) -> None:
    samples = tone(440, seconds=2.0)
    save(tmp_path / "a.wav", samples, subtype="FLOAT")
    stretch = Utterance(id="u", file="a.wav", start=0.5, end=1.5)
    np.testing.assert_array_equal(decode(tmp_path, stretch).samples, samples[8_000:24_000])
    np.testing.assert_array_equal(decode(tmp_path, stretch, max_duration=0.25).samples, samples[8_000:12_000])


def test_resampling_keeps_the_tone_and_the_duration(tmp_path: Path) -> None:
    time = np.arange(48_000) / 48_000
    wave = decode(tmp_path, save(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 1000 * time), 48_000))
    samples = wave.at(16_000)
    assert samples.dtype == np.float32
    assert len(samples) == 16_000
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(samples[200:-200], expected[200:-200], atol=2e-3)
    assert decode(tmp_path, Utterance(id="u", file="a.wav")).at(48_000) is not None


def test_the_digest_is_of_the_sound_and_not_of_its_container(tmp_path: Path) -> None:
    samples = np.int16(32_000 * tone(440))
    wav = decode(tmp_path, save(tmp_path / "a.wav", samples))
    flac = decode(tmp_path, save(tmp_path / "a.flac", samples))
    other_rate = decode(tmp_path, save(tmp_path / "b.wav", samples, 8_000))
    assert wav.sha256 == flac.sha256 != other_rate.sha256


def damaged(folder: Path, what: str) -> Utterance:
    path = folder / f"{what}.wav"
    samples = tone(440)
    if what == "missing":
        return Utterance(id="u", file="missing.wav")
    if what == "text":
        path.write_text("this is not audio")
    elif what == "empty":
        save(path, samples[:0])
    elif what == "silent":
        save(path, np.zeros(8000))
    elif what == "nan":
        samples[100] = np.nan
        save(path, samples, subtype="FLOAT")
    elif what == "truncated":
        save(path, samples)
        path.write_bytes(path.read_bytes()[:-2000])
    elif what == "truncated a little":
        save(path, samples)
        path.write_bytes(path.read_bytes()[:-20])
    elif what == "headerless":
        path.with_suffix(".raw").write_bytes(b"12345678" * 100)
        return Utterance(id="u", file="headerless.raw")
    elif what == "folder":
        path.mkdir()
    elif what == "of a name that is too long":
        return Utterance(id="u", file="x" * 300 + ".wav")
    elif what == "of a name that is none":
        return Utterance(id="u", file="x\0.wav")
    elif what == "outside":
        save(path, samples)
        return Utterance(id="u", file=path.name, start=0.1, end=9.0)
    return Utterance(id="u", file=path.name)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("missing", "the file is missing"),
        ("text", "unreadable audio"),
        ("empty", "the audio is empty"),
        ("silent", "the audio is silent"),
        ("nan", "NaN or infinite"),
        ("truncated", "truncated"),
        ("truncated a little", "truncated: its header announces audio up to byte 16044, the file has 16024"),
        ("headerless", "unreadable audio (samplerate must be specified)"),
        ("folder", "is no file"),
        ("of a name that is too long", "unreadable (File name too long)"),
        ("of a name that is none", "unreadable (embedded null byte)"),
        ("outside", "lies outside its 0.50 s"),
    ],
)
def test_unusable_audio_is_an_error_that_names_the_file(tmp_path: Path, what: str, why: str) -> None:
    utterance = damaged(tmp_path, what)
    with pytest.raises(AudioError) as caught:
        decode(tmp_path, utterance)
    assert utterance.file in str(caught.value)
    assert why in str(caught.value)


def test_a_link_that_leads_nowhere_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to("../.git/annex/objects/x.wav")
    with pytest.raises(AudioError, match=r"a\.wav: is a link to \.\./\.git/annex/objects/x\.wav, which is not here"):
        decode(tmp_path, Utterance(id="u", file="a.wav"))


def test_a_truncated_flac_is_an_error_too(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(440, seconds=3.0), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"a\.flac: (unreadable|truncated)"):
        decode(tmp_path, Utterance(id="u", file=path.name))


def test_a_file_that_may_not_be_read_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    utterance = save(tmp_path / "a.wav", tone(440))
    denied = PermissionError(13, "Permission denied", "a.wav")

    def refuse(path: Path, *given: object, **options: object) -> None:
        raise denied

    for method in ("stat", "open"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, method, refuse)
            with pytest.raises(AudioError, match=r"a\.wav: unreadable.*Permission denied"):
                decode(tmp_path, utterance)


def test_what_follows_the_audio_in_a_file_is_not_asked_for(tmp_path: Path) -> None:
    """A chunk of notes behind the samples may be cut: every sample is there. An odd chunk may lack its pad byte."""
    path = tmp_path / "a.wav"
    save(path, tone(440, seconds=0.5)[:4001], subtype="PCM_U8")
    content = path.read_bytes()
    whole = decode(tmp_path, Utterance(id="u", file="a.wav")).sha256
    for changed in (content + b"LIST\x40\0\0\0INFO", content[: 44 + 4001]):
        path.write_bytes(changed)
        assert decode(tmp_path, Utterance(id="u", file="a.wav")).sha256 == whole
