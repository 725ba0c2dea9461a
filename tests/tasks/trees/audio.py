"""Tiny recordings for generated corpora.

pyproject.toml puts `tests/tasks` on the path of the tests: `from trees.audio import write_wav`.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

RATE = 16_000


def write_wav(path: Path, seed: int, seconds: float = 0.02, rate: int = RATE, channels: int = 1) -> Path:
    """Write a 16-bit recording of noise that no other seed gives; folders are made.

    The header is written by hand: a corpus of ten thousand files is there in a second or two.
    """
    samples = np.random.default_rng(seed).integers(-8000, 8000, (round(seconds * rate), channels), dtype=np.int16)
    data = samples.astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    return path
