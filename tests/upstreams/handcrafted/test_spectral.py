"""Spectra, log mel energies and cepstra against a computation from their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from transformers.audio_utils import spectrogram, window_function

from benchmark.base import Upstream
from benchmark.contracts import Check, check_upstream
from upstreams.handcrafted.spectral import MFCC, LogMel, Spectrogram, delta, magnitudes


def hertz(mel: float) -> float:
    return 700 * (10 ** (mel / 2595) - 1)


def edges(bands: int) -> list[float]:
    top = 2595 * math.log10(1 + 8000 / 700)
    return [hertz(top * index / (bands + 1)) for index in range(bands + 2)]


def magnitudes_by_definition(wave: NDArray[np.float32], hop: int = 160) -> NDArray[np.float64]:
    """Each sum written out: mirrored ends, Hann window, discrete Fourier transform of the frame and 112 zeros."""
    n = len(wave)
    transform = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(400)) / 512)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = []
    for centre in range(0, n + 1, hop):
        places = [abs(place) for place in range(centre - 200, centre + 200)]
        mirrored = [place if place < n else 2 * (n - 1) - place for place in places]
        frames.append(np.abs(transform @ (wave[mirrored].astype(np.float64) * window)))
    return np.array(frames)


def log_mel_by_definition(wave: NDArray[np.float32], bands: int, hop: int = 160) -> NDArray[np.float64]:
    """Each sum written out: the triangles over the power of every frame."""
    corners = edges(bands)
    frames = []
    for power in magnitudes_by_definition(wave, hop) ** 2:
        row = []
        for low, peak, high in zip(corners, corners[1:], corners[2:], strict=False):
            total = 0.0
            for index in range(257):
                frequency = index * 31.25
                weight = min((frequency - low) / (peak - low), (high - frequency) / (high - peak))
                total += max(weight, 0.0) * power[index]
            row.append(math.log(max(total, 1e-10)))
        frames.append(row)
    return np.array(frames)


@pytest.fixture(scope="module")
def wave() -> NDArray[np.float32]:
    time = np.arange(1000) / 16_000
    noise = np.random.default_rng(0).standard_normal(1000)
    return (0.3 * np.sin(2 * np.pi * 440 * time) + 0.01 * noise).astype(np.float32)


ALL = (LogMel, MFCC, Spectrogram)
CHECKS = [(cls.name, check) for cls in ALL for check in check_upstream(cls)]


@pytest.mark.parametrize("check", [check for _, check in CHECKS], ids=[f"{n}-{c.name}" for n, c in CHECKS])
def test_contract(check: Check) -> None:
    check.run()


@pytest.mark.parametrize("cls", ALL)
def test_frames_are_declared_and_counted_as_said(cls: type[Upstream]) -> None:
    for samples in (400, 480, 799, 800, 801):
        features = cls().encode(np.zeros(samples, dtype=np.float32))
        assert features.layers.shape == (1, 1 + samples // 160, cls.dim)
        assert features.frame_rate == cls.frame_rate == 100.0


def test_the_spectrogram_follows_its_definition(wave: NDArray[np.float32]) -> None:
    features = Spectrogram().encode(wave)
    expected = magnitudes_by_definition(wave)
    assert features.layers.shape == (1, 7, 257)
    np.testing.assert_allclose(features.layers[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("samples", [400, 401, 10_239, 10_240, 10_400, 50_000])
@pytest.mark.parametrize("hop", [100, 160])
def test_magnitudes_are_to_the_byte_those_of_transformers(samples: int, hop: int) -> None:
    wave = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    window = window_function(400, "hann")
    theirs = spectrogram(wave, window, 400, hop, 512, power=1.0, dtype=np.dtype(np.float64)).T
    own = magnitudes(wave, hop)
    assert own.dtype == theirs.dtype
    assert own.shape == theirs.shape
    assert own.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("bin_", [4, 32, 100, 200])
def test_a_tone_of_amplitude_one_has_half_the_sum_of_the_window_in_its_bin(bin_: int) -> None:
    tone = np.cos(2 * np.pi * bin_ * 31.25 * np.arange(8000) / 16_000).astype(np.float32)
    frame = Spectrogram().encode(tone).layers[0, 25]
    assert frame.argmax() == bin_
    assert frame[bin_] == pytest.approx(200 / 2, rel=0.01)


def test_a_frame_is_centred_on_its_time_and_hears_25_ms() -> None:
    click = np.zeros(3200, dtype=np.float32)
    click[1600] = 1
    energy = (Spectrogram().encode(click).layers[0] ** 2).sum(axis=1)
    assert energy.argmax() == 10
    assert np.flatnonzero(energy > 1e-9).tolist() == [9, 10, 11]  # 10 ms to either side, 20 ms is out of reach


def test_log_mel_follows_its_definition(wave: NDArray[np.float32]) -> None:
    features = LogMel().encode(wave)
    assert features.layers.shape == (1, 7, 80)
    assert features.frame_rate == 100.0
    np.testing.assert_allclose(features.layers[0], log_mel_by_definition(wave, 80), rtol=0, atol=1e-4)


def test_mfcc_follows_its_definition(wave: NDArray[np.float32]) -> None:
    energies = log_mel_by_definition(wave, 26)
    cepstrum = np.zeros((7, 13))
    for k in range(13):
        basis = np.cos(np.pi * k * (np.arange(26) + 0.5) / 26)
        cepstrum[:, k] = energies @ basis * math.sqrt((1 if k == 0 else 2) / 26)
    expected = np.concatenate([cepstrum, slopes(cepstrum), slopes(slopes(cepstrum))], axis=1)
    features = MFCC().encode(wave)
    assert features.layers.shape == (1, 7, 39)
    assert features.frame_rate == 100.0
    np.testing.assert_allclose(features.layers[0], expected, rtol=0, atol=1e-4)


def slopes(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slope of the least-squares line through five frames, the ends repeated."""
    last = len(frames) - 1
    rows = []
    for t in range(len(frames)):
        five = [frames[min(max(t + k, 0), last)] for k in range(-2, 3)]
        rows.append(np.polyfit(range(-2, 3), np.array(five), 1)[0])
    return np.array(rows)


def test_delta_is_the_slope_of_a_regression_line() -> None:
    frames = np.random.default_rng(1).standard_normal((9, 3))
    np.testing.assert_allclose(delta(frames), slopes(frames), atol=1e-12)
    ramp = np.arange(10.0)[:, np.newaxis] * 0.5
    np.testing.assert_allclose(delta(ramp)[2:-2], 0.5)
    np.testing.assert_array_equal(delta(np.ones((1, 2))), 0)


@pytest.mark.parametrize("frequency", [100, 440, 1000, 3000, 7000])
def test_a_tone_is_strongest_in_the_band_it_lies_in(frequency: int) -> None:
    tone = np.sin(2 * np.pi * frequency * np.arange(8000) / 16_000).astype(np.float32)
    band = int(LogMel().encode(tone).mean()[0].argmax())
    low, _, high = edges(80)[band : band + 3]
    assert low <= frequency <= high


def test_digital_silence_meets_the_floor() -> None:
    silence = np.zeros(1600, dtype=np.float32)
    np.testing.assert_allclose(LogMel().encode(silence).layers, math.log(1e-10), rtol=1e-6)
    assert np.isfinite(MFCC().encode(silence).layers).all()


def test_louder_by_a_factor_is_an_offset_in_log_mel_and_in_the_zeroth_coefficient_alone(
    wave: NDArray[np.float32],
) -> None:
    gain = np.float32(0.5)
    shift = LogMel().encode(wave * gain).layers - LogMel().encode(wave).layers
    np.testing.assert_allclose(shift, 2 * math.log(0.5), atol=1e-3)
    change = np.abs(MFCC().encode(wave * gain).layers - MFCC().encode(wave).layers)[0]
    np.testing.assert_allclose(change[:, 0], 2 * math.log(2) * math.sqrt(26), atol=1e-2)
    assert change[:, 1:].max() < 1e-2
