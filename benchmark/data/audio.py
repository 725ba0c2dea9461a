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

from benchmark.data.containers import Extent, extent
from benchmark.data.sound import SoundError, read_sound
from benchmark.data.video import VideoError, is_video, sound_of
from benchmark.errors import BenchError
from benchmark.io.files import pointed_at
from benchmark.types import Utterance


class AudioError(BenchError):
    """An utterance cannot be used; the message names its file and why."""


@dataclass(frozen=True)
class Wave:
    """One decoded utterance.

    Attributes:
        samples: (n,) float32 at the file's own rate, mean of the channels.
        sample_rate: The file's own rate [Hz].
        remarks: What a reader should know of it, keys of `REMARKS`.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    remarks: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Length [s]."""
        return len(self.samples) / self.sample_rate

    @property
    def sha256(self) -> str:
        """Digest of the rate and the decoded samples: the same speech in another container has the same digest."""
        checksum = hashlib.sha256(f"{self.sample_rate}:".encode())
        checksum.update(np.ascontiguousarray(self.samples, dtype="<f4").data)
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
        if (root / utterance.file).is_symlink():
            why = f"is a link to {(root / utterance.file).readlink()}, which is not here"
            raise AudioError(f"{utterance.file}: {why}") from error
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
        AudioError: The file is missing, unreadable, truncated, empty, silent, of an absurd rate, or holds NaN or
            infinity, is a pointer to a file that was not fetched or a video without sound, or the stretch lies outside
            the file.
        MissingError: The file is a video, and what reads videos is not installed.
    """
    import soundfile

    path, size = root / utterance.file, file_status(root, utterance).st_size

    try:
        if (pointer := pointed_at(path)) is not None:
            raise SoundError(pointer)
        stretch = (utterance.start, utterance.end, max_duration)
        if is_video(utterance.file):
            sound = read_sound(io.BytesIO(sound_of(path, cache)), Extent(), *stretch)
        else:
            sound = read_sound(path, extent(path, size), *stretch, size)
    except (SoundError, VideoError) as error:
        raise AudioError(f"{utterance.file}: {error}") from error
    # A TypeError is soundfile's answer to files without a header (.raw), whose rate nobody gave.
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        raise AudioError(f"{utterance.file}: unreadable audio ({_reason(error)}): repair or convert it") from error
    return Wave(sound.samples, sound.rate, sound.remarks)
