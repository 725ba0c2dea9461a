"""Sound files as people have them: streamed, cut off, joined, and MP3 without a table of contents."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import soundfile
from toy import RATE

from benchmark.data.streams import _frame


def voice(seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    """A gliding tone that is loud and soft in turns: (n,) float32."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * (150 + 40 * time) * time) * (0.6 + 0.4 * np.sin(6 * np.pi * time))).astype("f4")


def wav(pcm: bytes, size: int | None = None, riff: int | None = None, rate: int = RATE, between: bytes = b"") -> bytes:
    """A WAV file of 16 bits whose lengths are given, with chunks between its format and its samples."""
    size = len(pcm) if size is None else size
    riff = 36 + len(pcm) if riff is None else riff
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate % 2**32, 2, 16)
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", 16) + form + between
    return head + b"data" + struct.pack("<I", size) + pcm


def pcm(samples: np.ndarray) -> bytes:
    """Samples of 16 bits."""
    return (samples * 32767).astype("<i2").tobytes()


def content(path: Path, samples: np.ndarray, rate: int = RATE, **options: object) -> bytearray:
    """The bytes of a file that soundfile writes."""
    soundfile.write(path, samples, rate, **options)
    return bytearray(path.read_bytes())


def frames(mp3: bytes) -> list[bytes]:
    """The frames of an MP3."""
    found, at = [], 0
    while (frame := _frame(mp3[at : at + 4])) is not None:
        found.append(mp3[at : at + frame[0]])
        at += frame[0]
    return found


def unsized(path: Path, samples: np.ndarray, rate: int = RATE, **options: object) -> tuple[bytes, int]:
    """An MP3 without its table of contents, and how many samples its frames hold."""
    _, *kept = frames(content(path, samples, rate, format="MP3", **options))
    return b"".join(kept), sum(_frame(frame[:4])[1] for frame in kept)
