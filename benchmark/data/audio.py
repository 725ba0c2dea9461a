"""Decoding: from an utterance of a corpus to mono float32 samples, or a problem that names the file."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.data.video import VideoError, is_video, sound_of
from benchmark.errors import BenchError
from benchmark.types import Utterance

# Below this peak (-80 dB of full scale) a recording holds no speech: 16-bit audio has its last bit at -90 dB.
SILENCE_PEAK = 1e-4


class AudioError(BenchError):
    """An utterance cannot be used; the message names its file and why."""


@dataclass(frozen=True)
class Wave:
    """One decoded utterance.

    Attributes:
        samples: (n,) float32 at the file's own rate, mean of the channels.
        sample_rate: The file's own rate [Hz].
    """

    samples: NDArray[np.float32]
    sample_rate: int

    @property
    def duration(self) -> float:
        """Length [s]."""
        return len(self.samples) / self.sample_rate

    @property
    def sha256(self) -> str:
        """Digest of the rate and the decoded samples: the same speech in another container has the same digest."""
        checksum = hashlib.sha256(f"{self.sample_rate}:".encode())
        checksum.update(np.ascontiguousarray(self.samples, dtype="<f4").tobytes())
        return checksum.hexdigest()

    def at(self, sample_rate: int) -> NDArray[np.float32]:
        """The samples at another rate: (m,) float32, resampled by soxr at its high quality."""
        if sample_rate == self.sample_rate:
            return self.samples
        import soxr

        resampled: NDArray[np.float32] = soxr.resample(self.samples, self.sample_rate, sample_rate, quality="HQ")
        return resampled


def file_status(root: Path, utterance: Utterance) -> os.stat_result:
    """Size and times of an utterance's file.

    Raises:
        AudioError: It is missing, is no file, or cannot be reached.
    """
    try:
        status = (root / utterance.file).stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioError(f"{utterance.file}: the file is missing") from error
    except (OSError, ValueError) as error:  # a name that no file can have is a ValueError
        raise AudioError(f"{utterance.file}: unreadable ({_reason(error)})") from error
    if not stat.S_ISREG(status.st_mode):
        raise AudioError(f"{utterance.file}: is no file")
    return status


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", None) or getattr(error, "strerror", None) or error).rstrip(".")


def decode(root: Path, utterance: Utterance, max_duration: float | None = None, cache: Path | None = None) -> Wave:
    """Decode one utterance.

    Args:
        root: Folder of the corpus.
        utterance: What to decode; `start` and `end` cut a stretch out of its file.
        max_duration: Keep at most this much from the start [s].
        cache: The cache folder, which keeps the sound of video files; without it a video is decoded anew each time.

    Raises:
        AudioError: The file is missing, unreadable, truncated, empty, silent, or holds NaN or infinity, is a video
            without sound, or the stretch lies outside the file.
        MissingError: The file is a video, and what reads videos is not installed.
    """
    import soundfile

    def wrong(why: str) -> AudioError:
        return AudioError(f"{utterance.file}: {why}")

    path, size = root / utterance.file, file_status(root, utterance).st_size
    is_extracted = is_video(utterance.file)
    try:
        with soundfile.SoundFile(io.BytesIO(sound_of(path, cache)) if is_extracted else path) as handle:
            rate, frames = handle.samplerate, handle.frames
            first = round((utterance.start or 0.0) * rate)
            last = frames if utterance.end is None else round(utterance.end * rate)
            # A tenth of a second of tolerance: label files round their times.
            if not 0 <= first < max(last, 1) or last > frames + rate // 10:
                raise wrong(f"[{utterance.start}, {utterance.end}] s lies outside its {frames / rate:.2f} s")
            last = min(last, frames)
            if max_duration is not None:
                last = min(last, first + round(max_duration * rate))
            handle.seek(first)
            channels = handle.read(last - first, dtype="float32", always_2d=True)
            end = None if is_extracted else _declared_end_of_data(path)
    except VideoError as error:
        raise wrong(str(error)) from error
    # A TypeError is soundfile's answer to files without a header (.raw), whose rate nobody gave.
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        raise wrong(f"unreadable audio ({_reason(error)})") from error
    if end is not None and end > size:
        raise wrong(f"truncated: its header announces audio up to byte {end}, the file has {size}")
    if len(channels) < last - first:
        raise wrong(f"truncated: {len(channels)} samples of {last - first}")
    samples = channels.mean(axis=1, dtype=np.float32)
    if not len(samples):
        raise wrong("the audio is empty")
    if not np.isfinite(samples).all():
        raise wrong("the audio holds NaN or infinite samples")
    if np.abs(samples).max() < SILENCE_PEAK:
        raise wrong("the audio is silent")
    return Wave(samples, rate)


def _declared_end_of_data(path: Path) -> int | None:
    """Where the data chunk of a RIFF WAVE file ends by its header; None for other formats and for streamed headers.

    libsndfile reads what there is of a file that was cut off and says nothing.
    """
    with path.open("rb") as handle:
        if handle.read(4) != b"RIFF":
            return None
        handle.seek(12)
        while len(header := handle.read(8)) == 8:
            size = int.from_bytes(header[4:], "little")
            if header[:4] == b"data":
                return None if size in (0, 0x7FFFFFFF, 0xFFFFFFFF) else handle.tell() + size
            handle.seek(size + size % 2, 1)
    return None
