"""Mel energies with the pitch of the voice: the input of models that are small and listen to prosody."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.types import Features
from upstreams.handcrafted.opensmile import DESCRIPTORS, ComParE, describe, extractor
from upstreams.handcrafted.spectral import SAMPLE_RATE, delta, log_mel

MELS = 40
HOP = 320  # samples, 20 ms
FRAME_RATE = SAMPLE_RATE / HOP  # Hz
PITCH_WINDOW = 960  # samples, 60 ms: openSMILE's window for the pitch
LOWEST = 27.5  # Hz, the pitch of 0 semitones, as in eGeMAPS; openSMILE looks for a voice between 52 and 620 Hz


def continuous(frequency: NDArray[np.float32]) -> NDArray[np.float64]:
    """Bridge a pitch contour where there is no voice, by straight lines in semitones.

    Before the first and after the last voiced frame that frame's pitch is held. Without a voiced frame the pitch is 0
    throughout, which no voice has.

    Args:
        frequency: (K,) fundamental frequency [Hz], 0 where there is no voice.

    Returns:
        (K,) semitones above 27.5 Hz.
    """
    voiced = np.flatnonzero(frequency > 0)
    if not len(voiced):
        return np.zeros(len(frequency))
    semitones = 12 * np.log2(frequency[voiced].astype(np.float64) / LOWEST)
    return np.asarray(np.interp(np.arange(len(frequency)), voiced, semitones), dtype=np.float64)


def pitch_and_voicing(smile: Any, wave: NDArray[np.float32]) -> NDArray[np.float64]:
    """Follow the voice by subharmonic summation and Viterbi smoothing, as openSMILE's ComParE 2016 set does.

    Its frame k describes 60 ms from k * 10 ms on. The signal is mirrored by half a window at its ends, as for the
    spectrum, so that frame k is centred on k * 10 ms and every frame of the mel energies has one.

    Args:
        smile: An extractor of the descriptors of ComParE_2016.
        wave: (n,) float32 at 16 kHz, at least 60 ms.

    Returns:
        (1 + n // 320, 2) float64, every 20 ms: pitch in semitones above 27.5 Hz, bridged where there is no voice, and
        the probability of a voice from 0 to 1, which is 0 in what is quieter than about -55 dB of full scale.
    """
    values = describe(smile, np.pad(wave, PITCH_WINDOW // 2, mode="reflect"))
    names = list(smile.feature_names)
    until = 1 + 2 * (len(wave) // HOP)
    frequency = values[:until, names.index("F0final_sma")]
    voicing = values[:until, names.index("voicingFinalUnclipped_sma")]
    return np.stack([continuous(frequency), voicing.astype(np.float64)], axis=1)[::2]


class MelPitch(Upstream):
    """40 log mel energies, pitch, its delta and voicing (43), 25 ms Hann window every 20 ms.

    "MFB + F0" of Mitra et al., "Speech Emotion: Investigating Model Representations, Multi-Task Learning and Knowledge
    Distillation", Interspeech 2022, section 3.1, which gives the sizes, the window and the step. The mel energies are
    those of `logmel` with 40 bands. The paper does not say how the pitch is found and scaled. Here it comes from
    openSMILE, in semitones, because what is heard is a ratio of frequencies. Frames without a voice get a pitch
    between those of the voiced frames around them, so that neither the delta nor a mean over time jumps with
    the voicing; the voicing, a probability, tells a head how far to trust it. The delta is the slope over five frames
    [semitones a frame of 20 ms], as in `mfcc`.
    """

    name = "mfb-f0"
    version = 1
    sample_rate = SAMPLE_RATE
    min_duration = PITCH_WINDOW / SAMPLE_RATE
    layers = 1
    dim = MELS + 3
    frame_rate = FRAME_RATE
    libraries = ("numpy", "opensmile", "transformers")
    concurrent = True
    extra = "opensmile"
    examine = "upstreams.handcrafted.opensmile:examine"

    def __init__(self) -> None:
        self._smile: Any = None

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Mel energies, pitch, delta of the pitch and voicing: (1, T, 43), T = 1 + n // 320, at 50 Hz."""
        if self._smile is None:
            self._smile = extractor(ComParE.feature_set, DESCRIPTORS)
        pitch, voicing = np.hsplit(pitch_and_voicing(self._smile, wave), 2)
        frames = np.concatenate([log_mel(wave, MELS, HOP), pitch, delta(pitch), voicing], axis=1)
        return Features(frames[np.newaxis].astype(np.float32), FRAME_RATE)
