"""Reading the samples of a sound file block by block, and what is told of them."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.data.containers import SEARCHED, Extent, Mended
from benchmark.data.streams import first_sound

# Below this peak (-80 dB of full scale) a recording holds no speech: 16-bit audio has its last bit at -90 dB.
SILENCE_PEAK = 1e-4
# Telephones have 8 kHz, the least that upstreams know; no recorder has more than 768 kHz. Resampling to 16 kHz from a
# rate of 1 Hz, as a damaged header may have it, would take sixteen thousand times the memory of the file.
LOWEST_RATE, HIGHEST_RATE = 2_000, 768_000
BLOCK = 1 << 18  # samples of all channels that are read at once
UNKNOWN_FRAMES = 1 << 56  # libsndfile's number where nothing tells it is larger
MOST_SAMPLES = 1 << 30  # 6 h at 48 kHz, and 4 GiB of memory
# A tenth of a second of tolerance: label files round their times.
TOLERANCE = 10  # of a second, the part
# An encoder adds a few frames of silence to an MP3, which its table of contents has the decoder take away.
MP3_PADDING = 10_000
# Channels as loud as each other, mixed: unrelated ones have 1, the same one twice 2, one against its opposite 0.
CANCELLING = 0.2

BEYOND, CANCELS, CHANNELS, UNTOLD = "beyond full scale", "cancelling channels", "channels", "length not told"
# What is said of recordings, by the key of the remark.
REMARKS = {
    BEYOND: "go beyond full scale, as decoded; openSMILE's features are of the samples clipped at full scale",
    CANCELS: "have channels that nearly cancel each other, of which the mean is heard",
    CHANNELS: "have more than two channels, of which the mean is heard",
    UNTOLD: "do not tell their length (streamed, or of such a format): one that was cut off would not be noticed",
}


class SoundError(Exception):
    """A sound file cannot be used; the message says why, and whoever knows its name adds it."""


@dataclass(frozen=True)
class Sound:
    """What was read.

    Attributes:
        samples: (n,) float32, mean of the channels.
        rate: [Hz].
        remarks: Keys of `REMARKS`.
    """

    samples: NDArray[np.float32]
    rate: int
    remarks: tuple[str, ...]


def read_sound(
    source: Path | io.BytesIO,
    told: Extent,
    start: float | None,
    end: float | None,
    max_duration: float | None,
    size: int | None = None,
) -> Sound:
    """Read a sound file, or a stretch of it.

    Args:
        source: The file.
        told: What it says of its own length.
        start: Where the stretch begins [s]; None for the beginning.
        end: Where it ends [s]; None for the end.
        max_duration: Read at most this much from the start [s].
        size: How long the file is [bytes]; None where nothing announces that.

    Raises:
        SoundError: It is truncated, empty, silent, holds no finite numbers, has an absurd rate, or ends before the
            stretch.
        soundfile.SoundFileError: It cannot be decoded.
        OSError: It cannot be read.
    """
    if told.wrong is not None:
        raise SoundError(told.wrong)
    if told.end is not None and size is not None and told.end > size:
        raise SoundError(f"truncated: its header announces audio up to byte {told.end}, the file has {size}")
    mixer = _Mixer()
    with _opened(source, told) as handle:
        rate = handle.samplerate
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise SoundError(f"its header says {rate} Hz, which is no rate of speech: repair it, or convert it anew")
        total = handle.frames if handle.frames < UNKNOWN_FRAMES else None
        if total is not None and told.least is not None and told.least > total + MP3_PADDING:
            raise SoundError(
                f"its table of contents tells of {total} samples, and there are {told.least}: was it joined of several?"
            )
        first, last = round((start or 0.0) * rate), None if end is None else round(end * rate)

        def check_inside(total: int) -> None:
            if not 0 <= first < max(total if last is None else last, 1) or (
                last is not None and last > total + rate // TOLERANCE
            ):
                raise SoundError(f"[{start}, {end}] s lies outside its {total / rate:.2f} s")

        if total is not None:
            check_inside(total)
            last = total if last is None else min(last, total)
        if max_duration is not None:
            longest = first + round(max_duration * rate)
            wanted = longest if last is None else min(last, longest)
        else:
            wanted = last
        reached = _read(handle, first, wanted, mixer)
    if total is not None and wanted is not None and reached < wanted:
        raise SoundError(f"truncated: {max(reached - first, 0)} samples of {wanted - first}")
    if total is None and (wanted is None or reached < wanted):
        check_inside(reached)  # all of it was read
    remarks = mixer.remarks()
    return Sound(mixer.samples(), rate, remarks if told.tells else (*remarks, UNTOLD))


@functools.cache
def _forward() -> type[Any]:
    """`soundfile.SoundFile`, imported when it is first needed, that is read forwards."""
    import soundfile

    class Forward(soundfile.SoundFile):  # type: ignore[misc]
        """Where one can seek, soundfile seeks after every block; at the end of a FLAC of unknown length that fails."""

        def seekable(self) -> bool:
            return False

    return Forward


@contextlib.contextmanager
def _opened(source: Path | io.BytesIO, told: Extent) -> Iterator[Any]:
    """A `soundfile.SoundFile` to be read forwards."""
    opening = _forward()
    with contextlib.ExitStack() as opened:
        file: Any = source
        if isinstance(source, Path) and told.mended is not None:
            file = opened.enter_context(Mended(source, *told.mended))
        handle = opened.enter_context(opening(file))
        is_counted = told.is_counted and handle.format == "MP3"
        if isinstance(source, Path) and handle.subtype.startswith("MPEG") and not is_counted:  # in a WAV file too
            handle.close()
            handle = opened.enter_context(opening(opened.enter_context(_piped(source)), closefd=False))
        yield handle


@contextlib.contextmanager
def _piped(path: Path) -> Iterator[int]:
    """The reading end of a pipe that a file comes out of: there libmpg123 reads up to the end and guesses no length."""
    reading, writing = os.pipe()

    def feed() -> None:
        # Whoever reads may have enough; and a file that cannot be read ends at once, which is told of as damage.
        with contextlib.suppress(OSError), os.fdopen(writing, "wb") as target, path.open("rb") as source:
            head = source.read(SEARCHED)
            target.write(head[first_sound(head) :])
            while block := source.read(1 << 16):
                target.write(block)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        yield reading
    finally:
        os.close(reading)  # by us alone: a number that the decoder had closed could be another file's by now
        feeder.join()


def _read(handle: Any, first: int, last: int | None, mixer: _Mixer) -> int:
    """Read frames `first` to `last`, or to the end; returns the frame that was reached."""
    import soundfile

    most, at = max(BLOCK // handle.channels, 1), 0
    if first and soundfile.SoundFile.seekable(handle) and handle.frames < UNKNOWN_FRAMES:
        at = handle.seek(first)
    while last is None or at < last:
        number = most if last is None else min(most, last - at)
        if at < first:
            number = min(number, first - at)
        try:
            block = handle.read(number, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            why = str(getattr(error, "error_string", error)).removeprefix("Error : ").rstrip(".")
            raise SoundError(f"truncated or damaged after {at / handle.samplerate:.2f} s ({why})") from error
        if at >= first:
            mixer.add(block)
        at += len(block)
        if at - first > MOST_SAMPLES:
            raise SoundError(f"longer than {MOST_SAMPLES} samples: list stretches of it, with start and end")
        if len(block) < number:
            break
    return at


class _Mixer:
    """The mean of the channels, and what they are like, block by block."""

    def __init__(self) -> None:
        self._blocks: list[NDArray[np.float32]] = []
        self._channels = 1
        self._peak = 0.0
        self._power, self._mixed_power = 0.0, 0.0

    def add(self, block: NDArray[np.float32]) -> None:
        """Take (n, channels) float32."""
        # Of one channel the mean is the channel, but for a negative zero, which sums do not keep.
        mixed = block[:, 0] + np.float32(0) if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
        self._blocks.append(mixed)
        if not len(block):
            return
        self._channels = block.shape[1]
        self._peak = max(self._peak, float(np.abs(block).max()))
        if self._channels > 1 and np.isfinite(block).all():
            self._power += float(np.square(block, dtype=np.float64).sum())
            self._mixed_power += float(np.square(mixed, dtype=np.float64).sum())

    def samples(self) -> NDArray[np.float32]:
        """All of it: (n,) float32.

        Raises:
            SoundError: It is empty or silent, or holds no finite numbers.
        """
        samples = np.concatenate(self._blocks) if self._blocks else np.zeros(0, np.float32)
        if not len(samples):
            raise SoundError("the audio is empty")
        if not np.isfinite(samples).all():
            raise SoundError("the audio holds NaN or infinite samples")
        if np.abs(samples).max() < SILENCE_PEAK:
            if self._peak >= SILENCE_PEAK:
                raise SoundError("its channels cancel each other: their mean is silent")
            raise SoundError("the audio is silent")
        return samples

    def remarks(self) -> tuple[str, ...]:
        """What a reader should know."""
        found = {
            BEYOND: self._peak > 1.0,
            CANCELS: self._mixed_power * self._channels**2 < CANCELLING * self._power,
            CHANNELS: self._channels > 2,
        }
        return tuple(remark for remark, holds in found.items() if holds)
