"""Mel energies with pitch: known voices, known times, and what stands where there is no voice."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark.contracts import Check, check_upstream
from benchmark.contracts.upstream import probe
from benchmark.errors import MissingError
from upstreams.handcrafted.prosody import MelPitch, continuous
from upstreams.handcrafted.spectral import log_mel

PITCH, DELTA, VOICING = 40, 41, 42


def voice(pitch: NDArray[np.float64]) -> NDArray[np.float32]:
    """Fifteen harmonics of a fundamental frequency given for every sample [Hz]."""
    phase = 2 * np.pi * np.cumsum(pitch) / 16_000
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, 16) if k * pitch.max() < 7500)).astype(np.float32)


def semitones(frequency: float) -> float:
    return 12 * math.log2(frequency / 27.5)


def encode(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    pytest.importorskip("opensmile")
    return MelPitch().encode(wave).layers[0]


@pytest.mark.parametrize("check", list(check_upstream(MelPitch)), ids=lambda check: check.name)
def test_contract(check: Check) -> None:
    pytest.importorskip("opensmile")
    check.run()


@pytest.mark.parametrize("samples", [960, 1279, 1280, 16_000, 16_160, 16_319, 16_320])
def test_frames_are_counted_as_said(samples: int) -> None:
    pytest.importorskip("opensmile")
    features = MelPitch().encode(probe(1.1, 16_000, 2)[:samples])
    assert features.layers.shape == (1, 1 + samples // 320, 43)
    assert features.frame_rate == MelPitch.frame_rate == 50.0


def test_the_first_forty_are_log_mel_energies_every_20_ms() -> None:
    wave = probe(1.013, 16_000, 3)
    every_10_ms = log_mel(wave, 40)
    np.testing.assert_allclose(encode(wave)[:, :40], every_10_ms[::2], rtol=0, atol=1e-5)


@pytest.mark.parametrize("frequency", [60, 100, 150, 220, 330, 500])
def test_the_pitch_of_a_steady_voice_is_found(frequency: int) -> None:
    frames = encode(voice(np.full(16_000, float(frequency))))
    # Within half a semitone (3 %) where half the window is mirrored, within a tenth (0.6 %) elsewhere.
    np.testing.assert_allclose(frames[:, PITCH], semitones(frequency), atol=0.5)
    np.testing.assert_allclose(frames[3:-3, PITCH], semitones(frequency), atol=0.1)
    np.testing.assert_allclose(frames[5:-5, DELTA], 0, atol=0.02)
    assert frames[3:-3, VOICING].min() > 0.7
    assert frames[:, VOICING].max() < 1


@pytest.mark.parametrize(("first", "second"), [(150, 200), (200, 150), (120, 240), (240, 120)])
@pytest.mark.parametrize("moment", [24, 25])
def test_a_change_of_pitch_stands_at_its_moment(first: int, second: int, moment: int) -> None:
    """Up and down, at an even and an odd frame: the old pitch two frames before, the new one two frames after."""
    pitch = np.where(np.arange(16_000) < moment * 320, float(first), float(second))
    found = encode(voice(pitch))[:, PITCH]
    np.testing.assert_allclose(found[4 : moment - 1], semitones(first), atol=0.1)
    np.testing.assert_allclose(found[moment + 2 : -4], semitones(second), atol=0.1)
    middle = (semitones(first) + semitones(second)) / 2
    crossing = np.interp(0, np.sign(second - first) * (found[moment - 2 : moment + 3] - middle), np.arange(-2, 3))
    assert abs(crossing) <= 0.75  # frames, 15 ms; half of the 60 ms window would be 1.5 frames


def test_a_gliding_voice_is_followed_in_time() -> None:
    """One octave a second: a lag of one frame of 20 ms would be 0.24 semitones everywhere."""
    time = np.arange(32_000) / 16_000
    frames = encode(voice(110 * 2**time))
    expected = semitones(110) + 12 * np.arange(len(frames)) / 50
    np.testing.assert_allclose(frames[5:-5, PITCH], expected[5:-5], atol=0.1)
    np.testing.assert_allclose(frames[8:-8, DELTA], 12 / 50, atol=0.03)


def test_voicing_and_pitch_where_the_voice_stops() -> None:
    wave = voice(np.full(32_000, 150.0))
    wave[10_000:20_000] = 0
    wave += (0.004 * np.random.default_rng(0).standard_normal(len(wave))).astype(np.float32)
    frames = encode(wave)
    assert frames[36:58, VOICING].max() < 0.6 < frames[5:28, VOICING].min()
    np.testing.assert_allclose(frames[3:-3, PITCH], semitones(150), atol=0.2)  # bridged


def test_a_pause_is_bridged_by_a_line_between_its_two_pitches() -> None:
    wave = voice(np.where(np.arange(32_000) < 16_000, 120.0, 240.0))
    wave[12_800:19_200] = 0
    found = encode(wave)[:, PITCH]
    line = np.linspace(semitones(120), semitones(240), 21)
    np.testing.assert_allclose(found[40:61], line, atol=0.8)
    assert (np.diff(found[42:59]) > 0.4).all()


def test_bridging_by_hand() -> None:
    contour = np.array([0, 27.5, 0, 0, 0, 55, 0], dtype=np.float32)
    np.testing.assert_allclose(continuous(contour), [0, 0, 3, 6, 9, 12, 12], atol=1e-6)
    np.testing.assert_array_equal(continuous(np.zeros(3, dtype=np.float32)), np.zeros(3))


@pytest.mark.parametrize("level", [0.0, 0.001, 0.05])
def test_without_any_voice_pitch_and_delta_are_zero(level: float) -> None:
    noise = np.random.default_rng(3).standard_normal(16_000)
    frames = encode((level * noise).astype(np.float32))
    np.testing.assert_array_equal(frames[:, [PITCH, DELTA]], 0)
    assert frames[:, VOICING].max() < 0.7
    assert np.isfinite(frames).all()


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingError, match="need the package opensmile") as error:
        MelPitch().encode(np.zeros(16_000, dtype=np.float32))
    assert "pip install 'serbench[opensmile]'" in error.value.hint
    assert MelPitch.extra == "opensmile"
