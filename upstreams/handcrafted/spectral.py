"""Short-time spectra: magnitudes, log mel energies and mel-frequency cepstral coefficients.

All share one analysis: Hann window of 25 ms every 10 ms, frame t centred on t * 10 ms (the signal is mirrored at its
ends, as librosa and Whisper do), discrete Fourier transform of 512 points. The mel bands are triangular filters over
the power from 0 to 8 kHz on HTK's mel scale mel(f) = 2595 log10(1 + f / 700), each with a peak of one. There is no
pre-emphasis and no area normalisation: each multiplies a band by a constant (nearly so for pre-emphasis), which is an
offset after the logarithm, and heads learn an offset. There is no mean normalisation either, because its mean over
time would be zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.types import Features

SAMPLE_RATE = 16_000
WINDOW = 400  # samples, 25 ms
HOP = 160  # samples, 10 ms
FRAME_RATE = SAMPLE_RATE / HOP  # Hz
FFT = 512
# Frames that are transformed at once: they lie in the processor's cache. What comes out is, to the byte, that of
# transformers' `spectrogram`, which transforms one at a time and so keeps other threads of Python waiting.
TOGETHER = 64
# -100 dB below a band with unit power: far below 16 bit quantisation noise, so only digital silence meets it.
FLOOR = 1e-10

MELS = 80
# HTK's standard front end (HTK Book 2.1, section 5.4 and the tutorial's configuration): 26 channels.
MFCC_MELS = 26
MFCC_COEFFICIENTS = 13
DELTA_REACH = 2


def magnitudes(wave: NDArray[np.float32], hop: int = HOP) -> NDArray[np.float64]:
    """Absolute values of the short-time Fourier transform.

    Args:
        wave: (n,) float32 at 16 kHz, n >= 400.
        hop: Samples from frame to frame; frame t is centred on sample t * hop.

    Returns:
        (1 + n // hop, 257) float64, the bins 31.25 Hz apart from 0 Hz to 8 kHz.
    """
    from transformers.audio_utils import window_function

    padded = np.pad(wave, WINDOW // 2, mode="reflect").astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop]
    window = window_function(WINDOW, "hann")
    spectrum = np.empty((len(frames), FFT // 2 + 1), dtype=np.complex64)
    for start in range(0, len(frames), TOGETHER):
        some = slice(start, start + TOGETHER)
        spectrum[some] = np.fft.rfft(frames[some] * window, n=FFT)
    return np.abs(spectrum, dtype=np.float64)


def log_mel(wave: NDArray[np.float32], bands: int, hop: int = HOP) -> NDArray[np.float64]:
    """Natural logarithm of mel band powers, floored at `FLOOR`.

    Args:
        wave: (n,) float32 at 16 kHz, n >= 400.
        bands: Number of mel bands.
        hop: Samples from frame to frame; frame t is centred on sample t * hop.

    Returns:
        (1 + n // hop, bands) float64.
    """
    from transformers.audio_utils import mel_filter_bank

    filters = mel_filter_bank(FFT // 2 + 1, bands, 0.0, SAMPLE_RATE / 2, SAMPLE_RATE, norm=None, mel_scale="htk")
    power = magnitudes(wave, hop) ** 2
    return np.asarray(np.log(np.maximum(power @ filters, FLOOR)), dtype=np.float64)


def delta(frames: NDArray[np.float64], reach: int = DELTA_REACH) -> NDArray[np.float64]:
    """Slope over time by linear regression on `reach` frames to either side, the first and last frame repeated.

    HTK Book 2.1, section 5.6, equation 5.16:
    d[t] = sum over k = 1..reach of k (c[t + k] - c[t - k]), divided by 2 times the sum of k * k.

    Args:
        frames: (T, D).
        reach: Frames to either side.

    Returns:
        (T, D).
    """
    count = len(frames)
    padded = np.pad(frames, ((reach, reach), (0, 0)), mode="edge")
    slope = np.zeros_like(frames)
    for k in range(1, reach + 1):
        slope += k * (padded[reach + k : reach + k + count] - padded[reach - k : reach - k + count])
    return slope / (2 * sum(k * k for k in range(1, reach + 1)))


class Spectrogram(Upstream):
    """Magnitude spectrogram, 25 ms Hann window every 10 ms, 257 bins: the plainest baseline.

    Pepino et al., "Emotion Recognition from Speech Using wav2vec 2.0 Embeddings", Interspeech 2021:
    window, hop and magnitude are the paper's, and no logarithm is taken. It does not tell the number of bins: here a
    frame of 400 samples is padded with zeros to 512, the next power of two.
    """

    name = "spectrogram"
    version = 1
    sample_rate = SAMPLE_RATE
    min_duration = WINDOW / SAMPLE_RATE
    layers = 1
    dim = FFT // 2 + 1
    frame_rate = FRAME_RATE
    libraries = ("numpy", "transformers")
    concurrent = True

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """The magnitudes from 0 Hz to 8 kHz: (1, T, 257), not negative, T = 1 + n // 160, at 100 Hz."""
        return Features(magnitudes(wave)[np.newaxis].astype(np.float32), FRAME_RATE)


class LogMel(Upstream):
    """80 log mel energies, 25 ms Hann window every 10 ms: the spectrogram that most models start from."""

    name = "logmel"
    version = 1
    sample_rate = SAMPLE_RATE
    min_duration = WINDOW / SAMPLE_RATE
    layers = 1
    dim = 80
    frame_rate = FRAME_RATE
    libraries = ("numpy", "transformers")
    concurrent = True

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """The log mel spectrogram: (1, T, 80), T = 1 + n // 160, at 100 Hz."""
        return Features(log_mel(wave, MELS)[np.newaxis].astype(np.float32), FRAME_RATE)


class MFCC(Upstream):
    """13 mel-frequency cepstral coefficients with deltas and delta-deltas (39), every 10 ms.

    The orthonormal type-II cosine transform of 26 log mel energies, coefficients 0 to 12 (the zeroth is the energy),
    then their slopes and the slopes of those. HTK's liftering is left out: it scales each coefficient by a constant.
    """

    name = "mfcc"
    version = 1
    sample_rate = SAMPLE_RATE
    min_duration = WINDOW / SAMPLE_RATE
    layers = 1
    dim = 39
    frame_rate = FRAME_RATE
    libraries = ("numpy", "scipy", "transformers")
    concurrent = True

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Coefficients, deltas and delta-deltas side by side: (1, T, 39), T = 1 + n // 160, at 100 Hz."""
        from scipy.fft import dct

        cepstrum = dct(log_mel(wave, MFCC_MELS), type=2, axis=1, norm="ortho")[:, :MFCC_COEFFICIENTS]
        slope = delta(cepstrum)
        frames = np.concatenate([cepstrum, slope, delta(slope)], axis=1)
        return Features(frames[np.newaxis].astype(np.float32), FRAME_RATE)
