"""The sound of video files: extracted once into the cache, without loss, by PyAV (which carries FFmpeg).

An extracted file is a WAV file that is named by where the video lies, its size and times of change, the version of
PyAV, and the sha256 of its own bytes: a changed video is extracted again, a damaged extraction is noticed. It is put in
place by a rename, so that a killed extraction leaves nothing half-written and two processes may extract the same video.

Channels, rate and sample format stay as they are in the video. AAC is decoded to 32-bit floats: an hour of 48 kHz
stereo takes 1.4 GB of cache.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MissingError
from benchmark.io.files import digest, write_atomically
from benchmark.io.packages import versions

if TYPE_CHECKING:
    from av.container import InputContainer

log = logging.getLogger(__name__)

VIDEO_SUFFIXES = (".mp4", ".mkv", ".avi", ".mov", ".webm", ".m4a")
EXTRACTION_FORMAT = 1

# Containers that hold their own sound; playlists and the like would make FFmpeg open other files.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"
# What FFmpeg calls the samples, planar or not: the NumPy type that holds them without loss.
_SAMPLE_TYPES = {"u8": "<i2", "s16": "<i2", "s32": "<i4", "flt": "<f4", "dbl": "<f8"}
_BOXES = {b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"free", b"skip", b"wide", b"uuid", b"meta"}


MOST_BYTES = 2**32 - 1024  # of sound: sizes in a WAV file have 32 bits


class VideoError(Exception):
    """A video has no sound that can be read; the message says why, and whoever knows its name adds it."""


def is_video(file: str) -> bool:
    """Whether a file is one whose sound must be extracted, by its suffix."""
    return file.lower().endswith(VIDEO_SUFFIXES)


def sound_of(path: Path, cache: Path | None) -> bytes:
    """The sound of a video as the bytes of a WAV file, extracted where the cache does not hold it.

    Args:
        path: The video.
        cache: The cache folder, which keeps the sound; None extracts it and keeps nothing.

    Raises:
        MissingError: PyAV is not installed.
        VideoError: The video has no sound, or is damaged, cut off, or no video.
        OSError: It cannot be read.
        BenchError: The cache cannot be written.
    """
    if cache is None:
        return extract(path)
    status = path.stat()
    stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    about = {"format": EXTRACTION_FORMAT, "av": versions(("av",))["av"], "path": str(path.resolve()), "stamp": stamp}
    key = digest(about)
    folder = cache / "extracted" / key[:2]
    for known in sorted(folder.glob(f"{key}-*.wav")):
        content = known.read_bytes()
        if hashlib.sha256(content).hexdigest()[:16] == known.stem.rpartition("-")[2]:
            return content
        log.warning("the extracted sound %s is damaged; it is extracted again", known.name)
        known.unlink(missing_ok=True)
    content = extract(path)
    status = path.stat()
    if [status.st_size, status.st_mtime_ns, status.st_ctime_ns] != stamp:
        raise VideoError("it changed while it was read")
    write_atomically(folder / f"{key}-{hashlib.sha256(content).hexdigest()[:16]}.wav", content)
    return content


def extract(path: Path) -> bytes:
    """Decode the first audio stream of a video into the bytes of a WAV file.

    The samples are those that the decoder gives, one after another: nothing is resampled, mixed or filled in.

    Raises:
        MissingError: PyAV is not installed.
        VideoError: The video has no sound, or is damaged, cut off, or no video.
        OSError: It cannot be read.
    """
    try:
        import av
    except ImportError as error:
        raise MissingError(f"{path.name} is a video, and PyAV is not here", "pip install 'serbench[video]'") from error
    end, size = _announced_end(path), path.stat().st_size
    if end is not None and end > size:
        raise VideoError(f"truncated: its header announces {end} bytes, the file has {size}")
    try:
        # Absolute, or FFmpeg may take a name with a colon for a protocol.
        with av.open(str(path.resolve()), options={"format_whitelist": _CONTAINERS}) as container:
            samples, rate = _decode(container)
    except av.FFmpegError as error:
        raise VideoError(f"unreadable video ({error.strerror or error})") from error
    return _wav(samples, rate)


def _decode(container: InputContainer) -> tuple[NDArray[Any], int]:
    """Samples (n, channels) and rate [Hz] of the first audio stream."""
    if not container.streams.audio:
        raise VideoError("the video has no sound")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise VideoError("nothing here decodes the kind of sound that it has")
    # One thread: the samples, and what is told of a damaged packet, do not depend on the number of cores.
    stream.codec_context.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    blocks: list[NDArray[Any]] = []
    kinds: set[tuple[str, int, int]] = set()
    for frame in container.decode(stream):
        name = frame.format.name.removesuffix("p")
        kinds.add((name, frame.sample_rate, frame.layout.nb_channels))
        if name not in _SAMPLE_TYPES:
            raise VideoError(f"its samples are of the kind {frame.format.name!r}")
        if len(kinds) > 1:
            raise VideoError("its sound changes its rate, channels or kind of samples on the way")
        values = frame.to_ndarray()
        block = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
        blocks.append((block.astype(np.int16) - 128) << 8 if name == "u8" else block)
    if not blocks:
        raise VideoError("its sound is empty")
    ((name, rate, _),) = kinds
    return np.concatenate(blocks).astype(_SAMPLE_TYPES[name]), rate


def _wav(samples: NDArray[Any], rate: int) -> bytes:
    """A WAV file (n, channels), the same bytes for the same samples.

    By SciPy, as the header of libsndfile holds the time of day and soundfile takes more than twice as long
    (`tests/speed/own_code.py video`).
    """
    from scipy.io import wavfile

    if samples.nbytes > MOST_BYTES:
        raise VideoError(f"its sound is too long: {samples.nbytes} bytes, and a WAV file holds {MOST_BYTES}")
    content = io.BytesIO()
    wavfile.write(content, rate, samples)
    return content.getvalue()


def _announced_end(path: Path) -> int | None:
    """Where a video file ends by its own headers [bytes]; None where they do not say.

    FFmpeg reads what there is of a file that was cut off between two packets and says nothing.
    """
    with path.open("rb") as handle:
        head = handle.read(12)
        if head[:4] == b"RIFF":
            return 8 + int.from_bytes(head[4:8], "little")
        if head[:4] == b"\x1a\x45\xdf\xa3":
            return _end_of_matroska(path)
        if head[4:8] not in _BOXES:
            return None
    return max(_ends_of_boxes(path), default=None)


def _ends_of_boxes(path: Path) -> Iterator[int]:
    """Where each box of an MP4 file ends (ISO 14496-12, 4.2: size, kind, and a long size where the size is 1)."""
    with path.open("rb") as handle:
        end = 0
        while len(header := handle.read(16)) >= 8 and header[4:8] in _BOXES:
            size = int.from_bytes(header[:4], "big")
            size = int.from_bytes(header[8:], "big") if size == 1 else size
            if size < 8:  # 0 is up to the end of the file, others are damage
                return
            end += size
            yield end
            handle.seek(end)


def _end_of_matroska(path: Path) -> int | None:
    """Where the segment of a Matroska file ends (RFC 8794: identifier, size, content); None for a live recording."""
    with path.open("rb") as handle:
        for _ in range(2):  # the EBML header, then the segment
            handle.read(4)
            first = handle.read(1)
            if not first or not first[0]:
                return None
            width = 9 - first[0].bit_length()
            number = int.from_bytes(bytes([first[0] & (0xFF >> width)]) + handle.read(width - 1), "big")
            if number == (1 << 7 * width) - 1:
                return None
            end = handle.tell() + number
            handle.seek(end)
        return end
