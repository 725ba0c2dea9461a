"""Ogg and MPEG audio, followed page by page and frame by frame, to know whether a file is whole; nothing is decoded.

Neither says at its beginning how long it is. libsndfile takes the last page that it finds for the last, and guesses the
length of an MP3 without a table of contents from its size and first frame, by which most of an utterance may be lost.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import IO

FIRST_PAGE, LAST_PAGE = 0x2, 0x4  # flags of an Ogg page (RFC 3533, 6)
# MPEG audio (ISO 11172-3 and 13818-3): kbit/s by index, for version 1 and layers I to III, then for versions 2 and 2.5.
BITRATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = (44_100, 48_000, 32_000)
DIVISORS = {3: 1, 2: 2, 0: 4}  # of the rate, by the bits of the version: 1, 2, 2.5
TABLES = (b"Xing", b"Info")  # of variable and of constant bit rate; then flags, of which one says that frames follow
FRAUNHOFER_TABLE = b"VBRI"
TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3", b"3DI")  # what may follow the last frame


class StreamError(Exception):
    """A stream is not whole; the message says why, and whoever knows its file adds it."""


def ogg_pages(handle: IO[bytes], size: int) -> int:
    """How many streams follow each other in an Ogg file.

    Raises:
        StreamError: A page is cut off or damaged, or a stream has no last page.
    """
    links, open_streams, at = 0, set[bytes](), 0
    while at < size:
        handle.seek(at)
        header = handle.read(27)
        if header[:4] != b"OggS"[: len(header)]:
            if not open_streams:
                return links  # something else behind the last page
            raise StreamError(f"damaged: there is no page of Ogg at byte {at}")
        table = handle.read(header[26]) if len(header) == 27 else b""
        end = at + len(header) + len(table) + sum(table)
        if len(header) < 27 or len(table) < header[26] or end > size:
            raise StreamError(f"truncated: its last page ends at byte {end}, the file has {size}")
        serial, flags = header[14:18], header[5]
        if flags & FIRST_PAGE:
            links += not open_streams
            open_streams.add(serial)
        if flags & LAST_PAGE:
            open_streams.discard(serial)
        at = end
    if open_streams:
        raise StreamError("truncated: no page of it is marked as the last (if it is whole, convert it anew)")
    return links


@dataclass(frozen=True)
class MpegAudio:
    """What the frames of an MPEG audio file tell.

    Attributes:
        samples: In all frames but a table of contents.
        has_table: Whether the first frame is a table of contents, which tells the length.
    """

    samples: int
    has_table: bool


def first_frame(head: bytes) -> int | None:
    """Where the first frame of MPEG audio begins which another one follows; None where there is none."""
    for at in range(len(head) - 4):
        frame = _frame(head[at : at + 4]) if head[at] == 0xFF else None
        if frame is not None and _frame(head[at + frame[0] : at + frame[0] + 4]) is not None:
            return at
    return None


def first_sound(head: bytes) -> int:
    """Where MPEG audio begins behind what stands before it and its table of contents; 0 where nothing tells."""
    at = first_frame(head)
    if at is None:
        return 0
    frame = _frame(head[at : at + 4])
    return at + frame[0] if frame is not None and _is_table(head[at : at + frame[0]]) else at


def mpeg_audio(handle: IO[bytes], start: int, size: int) -> MpegAudio | None:
    """Count what is in an MPEG audio file.

    Args:
        handle: The file.
        start: Where its first frame begins.
        size: How long it is [bytes].

    Returns:
        None where one frame does not follow the other, so that they cannot be counted.

    Raises:
        StreamError: The last frame is cut off.
    """
    samples, frames, has_table, at = 0, 0, False, start
    with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while at + 4 <= size:
            frame = _frame(content[at : at + 4])
            if frame is None:
                tail = content[at : at + 16]
                is_tail = any(tail.startswith(tag) for tag in TAGS) or not any(content[at:size][: 1 << 16])
                return MpegAudio(samples, has_table) if frames and is_tail else None
            length, number = frame
            if at + length > size:
                raise StreamError(f"truncated: its last frame ends at byte {at + length}, the file has {size}")
            is_table = frames == 0 and _is_table(content[at : at + length])
            has_table = has_table or (is_table and _tells_frames(content[at : at + length]))
            samples += 0 if is_table else number
            frames += 1
            at += length
    return MpegAudio(samples, has_table) if frames else None


def _is_table(frame: bytes) -> bool:
    return any(table in frame for table in (*TABLES, FRAUNHOFER_TABLE))


def _tells_frames(frame: bytes) -> bool:
    """Whether a frame is a table of contents with the number of frames; some programs leave it out or write zero."""
    for table in TABLES:
        if (at := frame.find(table)) >= 0:
            return bool(frame[at + 7] & 1) and any(frame[at + 8 : at + 12]) if len(frame) >= at + 12 else False
    return FRAUNHOFER_TABLE in frame


def _frame(header: bytes) -> tuple[int, int] | None:
    """Length [bytes] and number of samples of the frame that begins so; None where none does."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bits, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or not 0 < bits < 15 or rate == 3:
        return None
    family = 1 if version == 3 else 2
    kbits, hertz = BITRATES[family, layer][bits], RATES[rate] // DIVISORS[version]
    if layer == 1:
        return (12_000 * kbits // hertz + padding) * 4, 384
    samples = 1152 if layer == 2 or family == 1 else 576
    return samples // 8 * 1000 * kbits // hertz + padding, samples
