"""Tiny recordings for generated corpora.

pyproject.toml puts `tests/tasks` on the path of the tests: `from trees.audio import write_wav`.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np

RATE = 16_000


def write_wav(path: Path, seed: int, seconds: float = 0.02, rate: int = RATE, channels: int = 1) -> Path:
    """Write a 16-bit recording of noise that no other seed gives; folders are made.

    The header is written by hand, and a digest is the noise: a corpus of ten thousand files is there in half a second.
    """
    drawn = hashlib.shake_128(str(seed).encode()).digest(2 * round(seconds * rate) * channels)
    data = (np.frombuffer(drawn, "<i2") >> 2).tobytes()  # a quarter of full scale
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    content = struct.pack("<4sI", b"RIFF", len(body)) + body
    try:
        path.write_bytes(content)
    except FileNotFoundError:
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    return path
