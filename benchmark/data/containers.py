"""Where the sound of a file ends by its own headers: of containers made of chunks, and of those with one header.

libsndfile reads what there is of a file that was cut off, and says nothing; and it takes a length of zero, which
programs write that cannot go back to the header, for an empty recording. So these are looked at here, and nothing else.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from benchmark.data.streams import StreamError, first_frame, mpeg_audio, ogg_pages

# What programs write in place of a length in 32 bits that they do not know: zero, or more than any file has. SoX writes
# 0x7FFFF000 (and 0x7F000000 into AIFF), arecord 0x80000000, FFmpeg and GStreamer 0xFFFFFFFF.
UNKNOWN_32, UNKNOWN_64 = 0x7F000000, 1 << 48
MOST_CHUNKS = 10_000
FURTHEST = 1 << 62  # byte of a file that can be asked for
SEARCHED = 1 << 16  # bytes in which the first frame of an MP3 is looked for
W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
NIST_FIELD = re.compile(rb"^(channel_count|sample_count|sample_n_bytes) -i (\d{1,18})\s*$", re.MULTILINE)
NIST_HEADER = re.compile(rb"NIST_1A\n *(\d{1,9})\n")

Order = Literal["little", "big"]


@dataclass(frozen=True)
class Extent:
    """What a file says of its own length.

    Attributes:
        end: The byte where its sound ends; None where nothing says so, or where a decoder counts for itself (FLAC).
        tells: Whether the file tells its length, so that one that was cut off is noticed.
        wrong: What is wrong with it, in words; None for nothing.
        mended: A place in its header and the bytes that a decoder must see there to read all of it.
        least: Samples that it holds at least, where it can be counted without decoding (MP3).
        is_counted: Whether an MP3 has a table of contents that tells the number of samples, which is guessed else.
    """

    end: int | None = None
    tells: bool = True
    wrong: str | None = None
    mended: tuple[int, bytes] | None = None
    least: int | None = None
    is_counted: bool = True


@dataclass(frozen=True)
class _Chunk:
    """A chunk of a container: its name, where its content begins, the size it announces, and where that stands."""

    name: bytes
    start: int
    size: int
    size_at: int


@dataclass(frozen=True)
class _Chunked:
    """How a container of chunks is written.

    Attributes:
        first: Where its first chunk begins.
        order: Of the bytes of a size.
        name: Bytes of the name of a chunk.
        width: Bytes of its size.
        align: What chunks begin at a multiple of.
        includes: Whether a size counts the chunk's own header.
        sound: Names of the chunk with the samples.
    """

    first: int
    order: Order
    name: int = 4
    width: int = 4
    align: int = 2
    includes: bool = False
    sound: tuple[bytes, ...] = (b"data",)

    @property
    def unknown(self) -> int:
        return UNKNOWN_32 if self.width == 4 else UNKNOWN_64

    def chunks(self, handle: IO[bytes], at: int) -> Iterator[_Chunk]:
        """Chunk after chunk, up to the end of the file or MOST_CHUNKS."""
        for _ in range(MOST_CHUNKS):
            handle.seek(at)
            header = handle.read(self.name + self.width)
            if len(header) < self.name + self.width:
                return
            size = int.from_bytes(header[self.name :], self.order) - (len(header) if self.includes else 0)
            start = at + len(header)
            yield _Chunk(header[:4], start, max(size, 0), at + self.name)
            at = start + max(size, 0)
            at += -at % self.align
            if at > FURTHEST:
                return

    def sized(self, size: int) -> bytes:
        """A size as it stands in a chunk."""
        return (size + (self.name + self.width if self.includes else 0)).to_bytes(self.width, self.order)


# By how a file begins, and its form.
CHUNKED = {
    (b"RIFF", b"WAVE"): _Chunked(12, "little"),
    (b"RF64", b"WAVE"): _Chunked(12, "little"),
    (b"BW64", b"WAVE"): _Chunked(12, "little"),
    (b"RIFX", b"WAVE"): _Chunked(12, "big"),
    (b"FORM", b"AIFF"): _Chunked(12, "big", sound=(b"SSND",)),
    (b"FORM", b"AIFC"): _Chunked(12, "big", sound=(b"SSND",)),
    (b"FORM", b"8SVX"): _Chunked(12, "big", sound=(b"BODY",)),
    (b"FORM", b"16SV"): _Chunked(12, "big", sound=(b"BODY",)),
}


def extent(path: Path, size: int) -> Extent:
    """What a sound file says of its own length.

    Args:
        path: The file.
        size: How long it is [bytes].

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as handle:
        start = _after_id3(handle)
        handle.seek(start)
        head = handle.read(16)
        kind = _kind(head) if start == 0 else None
        if kind is not None:
            return _of_chunks(handle, kind, size, is_rf64=head[:4] in (b"RF64", b"BW64"))
        if head[:4] == b"fLaC":  # libFLAC counts the samples, where the header says how many there are
            handle.seek(start + 21)
            total = int.from_bytes(handle.read(5), "big") & 0xFFFFFFFFF
            return Extent(tells=total > 0)
        if start or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
            return _of_mpeg(handle, start, size)
        reader = READERS.get(head[:4])
        return Extent(tells=False, is_counted=False) if reader is None else reader(handle, size)


def _after_id3(handle: IO[bytes]) -> int:
    """Where a file goes on after tags of ID3v2 (their size is in four times seven bits); 0 without them."""
    at = 0
    while len(head := handle.read(10)) == 10 and head[:3] == b"ID3" and max(head[6:]) < 0x80:
        at += 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + (10 if head[5] & 0x10 else 0)
        handle.seek(at)
    return at


def _kind(head: bytes) -> _Chunked | None:
    """How a file is written that begins so, if in chunks."""
    if head == W64_RIFF:
        return _Chunked(40, "little", name=16, width=8, align=8, includes=True)
    if head[:4] == b"caff":
        return _Chunked(8, "big", width=8, align=1)
    return CHUNKED.get((head[:4], head[8:12]))


def _of_chunks(handle: IO[bytes], kind: _Chunked, size: int, *, is_rf64: bool) -> Extent:
    wide: _Chunk | None = None
    for chunk in kind.chunks(handle, kind.first):
        if is_rf64 and chunk.name == b"ds64":  # sizes in 64 bits: of the file, then of the samples
            handle.seek(chunk.start + 8)
            wide = _Chunk(b"data", 0, int.from_bytes(handle.read(8), "little"), chunk.start + 8)
        if chunk.name in kind.sound:
            if wide is not None and chunk.size == 0xFFFFFFFF:
                known = _Chunked(0, "little", width=8)
                return _of_sound(handle, known, _Chunk(chunk.name, chunk.start, wide.size, wide.size_at), size)
            return _of_sound(handle, kind, chunk, size)
    return Extent()  # without samples: the decoder says so


def _of_sound(handle: IO[bytes], kind: _Chunked, chunk: _Chunk, size: int) -> Extent:
    there = max(size - chunk.start, 0)
    is_zero = chunk.size in ((0, 8) if chunk.name == b"SSND" else (0, 4) if kind.align == 1 else (0,))
    is_streamed = chunk.size > there and (chunk.size >= kind.unknown or chunk.size == 0xFFFFFFFF)
    if is_zero and there > chunk.size:
        is_streamed = not _is_followed_by_chunks(handle, kind, chunk.start + chunk.size, size)
    if is_streamed:
        return Extent(tells=False, mended=(chunk.size_at, kind.sized(there)))
    return Extent(end=chunk.start + chunk.size)


def _is_followed_by_chunks(handle: IO[bytes], kind: _Chunked, at: int, size: int) -> bool:
    """Whether what follows an empty chunk of samples are other chunks, to the end of the file."""
    end = at
    for chunk in kind.chunks(handle, at):
        if not (chunk.name.isascii() and chunk.name.decode().isprintable()):
            return False
        end = chunk.start + chunk.size
        if end > size + kind.align:
            return False
    return end + kind.align > size


def _of_au(handle: IO[bytes], size: int) -> Extent:
    handle.seek(0)
    head = handle.read(12)
    order: Order = "big" if head[:4] == b".snd" else "little"
    start, length = int.from_bytes(head[4:8], order), int.from_bytes(head[8:12], order)
    there = max(size - start, 0)
    if (length == 0 and there) or (length >= UNKNOWN_32 and length > there):
        return Extent(tells=False, mended=(8, there.to_bytes(4, order)))
    return Extent(end=start + length)


def _of_nist(handle: IO[bytes], size: int) -> Extent:
    """A header in text, with the number of samples of each channel; a stream's has none, or zero."""
    handle.seek(0)
    head = handle.read(1 << 16)
    begin = NIST_HEADER.match(head)
    fields = {name: int(value) for name, value in NIST_FIELD.findall(head.partition(b"end_head")[0])}
    if begin is None or not fields.get(b"sample_count") or b"sample_n_bytes" not in fields:
        return Extent(tells=False)
    end = int(begin[1]) + fields[b"sample_count"] * fields[b"sample_n_bytes"] * fields.get(b"channel_count", 1)
    return Extent(end=end)


def _of_ogg(handle: IO[bytes], size: int) -> Extent:
    handle.seek(0)
    try:
        number = ogg_pages(handle, size)
    except StreamError as error:
        return Extent(wrong=str(error))
    if number > 1:
        return Extent(wrong=f"holds {number} recordings one after another, of which only the first is heard: join them")
    return Extent()


def _of_mpeg(handle: IO[bytes], start: int, size: int) -> Extent:
    handle.seek(start)
    begin = first_frame(handle.read(SEARCHED))
    try:
        found = None if begin is None else mpeg_audio(handle, start + begin, size)
    except StreamError as error:
        return Extent(wrong=str(error))
    if found is None:  # not followed frame by frame: the decoder reads as far as it can
        return Extent(tells=False, is_counted=False)
    return Extent(tells=found.has_table, least=found.samples, is_counted=found.has_table)


READERS = {b".snd": _of_au, b"dns.": _of_au, b"NIST": _of_nist, b"OggS": _of_ogg}


class Mended(io.FileIO):
    """A file some bytes of whose header read otherwise than they are on disk."""

    def __init__(self, path: Path, place: int, content: bytes) -> None:
        super().__init__(path)
        self._place, self._content = place, content

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read as a decoder does."""
        at = self.tell()
        number = super().readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        for offset, byte in enumerate(self._content, start=self._place - at):
            if 0 <= offset < number:
                view[offset] = byte
        return number
