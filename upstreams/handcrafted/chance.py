"""What a representation without information scores: the floor of every table."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.types import Features


class Chance(Upstream):
    """Noise that knows nothing of the speech: what chance level looks like, with its interval.

    Sixteen Gaussian values an utterance, drawn from a generator whose seed is the sha256 of the waveform. So the
    vector is the same in every run, does not depend on the batch, and is independent of the label.

    Noise and not a constant, for two reasons. A head that gets a constant predicts one class for everybody, which is a
    UAR of exactly 1/K with no spread; a head that gets noise overfits and scatters as heads do, so its interval shows
    what a difference within chance looks like. And a recording that stands in train and in test gets the same noise
    twice, so a score above chance gives the leak away.
    """

    name = "chance"
    version = 1
    concurrent = True
    sample_rate = 16_000
    layers = 1
    dim = 16

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Draw (1, 1, 16) standard normal values, seeded by the bytes of the waveform."""
        content = np.ascontiguousarray(wave, dtype="<f4").tobytes()
        seed = int.from_bytes(hashlib.sha256(content).digest(), "big")
        generator = np.random.Generator(np.random.PCG64(seed))
        return Features(generator.standard_normal((1, 1, 16)).astype(np.float32))
