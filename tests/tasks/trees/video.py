"""Tiny videos for generated corpora: `from trees.video import write_video`."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 44_100
PICTURES = 25  # a second


def write_video(
    path: Path,
    samples: np.ndarray,
    rate: int = RATE,
    codec: str = "aac",
    pictures: bool = True,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Write a video with sound; folders are made.

    Args:
        path: The file; its suffix decides the container.
        samples: (n, channels), one or two channels, float32 or int16 as the codec takes; no rows for no sound.
        rate: [Hz]
        codec: "aac" takes float32, "pcm_s16le" (in .mov and .mkv) int16.
        pictures: Whether there is a stream of pictures too.
        options: For the container, for example {"movflags": "faststart"} to have its index before the samples.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    with av.open(str(path), "w", options=dict(options or {})) as container:
        film = container.add_stream("mpeg4", rate=PICTURES) if pictures else None
        sound = container.add_stream(codec, rate=rate, layout=layout) if len(samples) else None
        if film is not None:
            film.width = film.height = 16
            film.pix_fmt = "yuv420p"
            for number in range(max(1, round(PICTURES * len(samples) / rate))):
                picture = av.VideoFrame.from_ndarray(np.full((16, 16, 3), number % 256, np.uint8), format="rgb24")
                container.mux(film.encode(picture))
            container.mux(film.encode(None))
        if sound is not None:
            values = np.ascontiguousarray(samples.T) if codec == "aac" else samples.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(values, format="fltp" if codec == "aac" else "s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return path


def noise(seed: int, seconds: float = 0.1, rate: int = RATE, channels: int = 2) -> np.ndarray:
    """Noise that no other seed gives: (n, channels) float32."""
    return np.random.default_rng(seed).normal(0, 0.1, (round(seconds * rate), channels)).astype(np.float32)


class Clips:
    """Writes thousands of videos that differ in their sound alone: one is made, then its samples are exchanged."""

    def __init__(self, folder: Path, seconds: float = 0.02, rate: int = 16_000) -> None:
        """Make the one; its folder is used for it alone."""
        mark = np.arange(1, round(seconds * rate) + 1, dtype=np.int16)[:, None]
        # PCM lies in the file as it is. MP4 has no place for it; QuickTime, from which MP4 comes, has.
        self.content = write_video(folder / "one.mov", mark, rate, codec="pcm_s16le", pictures=False).read_bytes()
        self.mark = mark.astype("<i2").tobytes()
        assert self.content.count(self.mark) == 1

    def write(self, path: Path, seed: int) -> Path:
        """Write a video with noise that no other seed gives; folders are made."""
        samples = np.random.default_rng(seed).integers(-8000, 8000, len(self.mark) // 2, dtype=np.int16)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content.replace(self.mark, samples.astype("<i2").tobytes()))
        return path
