"""Unpacking archives of other people: nothing leaves its folder, nothing but files and folders, nothing endless.

pooch's `Unzip` and `Untar` take all seven traps of `tests/speed/own_code.py archives` on Python 3.11: members that lead
out of the folder (a tar writes them there), links, a device, and archives that expand a thousand times. From 3.12 on
`Untar` has tarfile's data filter, which limits no size and lets links inside through. Here all seven are refused, and
what is harmless takes about as long.
"""

from __future__ import annotations

import contextlib
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmark.errors import BenchError

# An archive that promises more than this many times its size is a trap: recordings compress to a half or so.
EXPANSION = 100
ALLOWANCE = 1 << 20  # [bytes], as lists of labels in a small archive may compress well
MOST_MEMBERS = 1_000_000
BLOCK = 1 << 20
ENCRYPTED = 0x1  # bit of the flags of a zip member
DRIVE = re.compile(r"[A-Za-z]:")
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")  # of an archive with members, and of an empty one
# Title, size [bytes] or None where it is not known, and how much of it was done before -> what is told of progress.
Meter = Callable[[str, int | None, int], AbstractContextManager[Callable[[int], object]]]
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)


@dataclass(frozen=True)
class _Member:
    """One file of an archive, or one folder (which has nothing to open)."""

    parts: tuple[str, ...]
    size: int
    open: Callable[[], IO[bytes]] | None


def unpack(archive: Path, folder: Path, meter: Meter) -> None:
    """Unpack a zip or tar archive (plain, gzip, bzip2 or xz).

    All members are looked at before the first is written. Modes, owners and times of the archive are not kept.

    Args:
        archive: The archive.
        folder: Where to; made where it is not there yet.
        meter: Told of the bytes that are written.

    Raises:
        BenchError: It is no such archive, or damaged or encrypted; a member would leave the folder, is a link or a
            device, or is there twice; it would expand absurdly; or the disk has no room for it.
    """
    try:
        with _opened(archive) as members:
            listed = _listed(archive, members)
            folder.mkdir(parents=True, exist_ok=True)
            needed, free = sum(member.size for member in listed), shutil.disk_usage(folder).free
            if needed > free:
                raise _refused(archive, f"needs {needed} bytes unpacked and there are {free}", "free some space")
            with meter(f"unpack {archive.name}", needed, 0) as advance:
                for member in listed:
                    _write(archive, member, folder, advance)
    except DAMAGE as error:
        raise _refused(archive, f"is damaged: {error}") from error
    except OSError as error:
        raise _refused(archive, f"cannot be unpacked into {folder}: {error}", "who may write there?") from error


def _refused(archive: Path, why: str, hint: str = "nothing of it is used: report it") -> BenchError:
    return BenchError(f"{archive.name} {why}", hint)


def _opened(archive: Path) -> AbstractContextManager[Iterator[_Member]]:
    with archive.open("rb") as handle:
        is_zip = handle.read(4) in ZIP_MAGIC
    # By its beginning: a tar whose last member is a zip ends like one.
    if is_zip and zipfile.is_zipfile(archive):
        return _zip_members(archive)
    if not is_zip and tarfile.is_tarfile(archive):
        return _tar_members(archive)
    raise _refused(archive, "is neither a zip nor a tar archive")


@contextlib.contextmanager
def _zip_members(archive: Path) -> Iterator[Iterator[_Member]]:
    with zipfile.ZipFile(archive) as opened:

        def member(info: zipfile.ZipInfo) -> _Member:
            parts = _parts(archive, info.filename)
            mode = info.external_attr >> 16  # the Unix mode, where the archive was made on such a system
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(archive, f"holds a link or a device: {info.filename!r}")
            if info.flag_bits & ENCRYPTED:
                raise _refused(archive, f"is encrypted: {info.filename!r}")
            if info.is_dir() or info.filename.endswith("\\"):
                return _Member(parts, 0, None)
            return _Member(parts, info.file_size, lambda: opened.open(info))

        yield map(member, opened.infolist())


@contextlib.contextmanager
def _tar_members(archive: Path) -> Iterator[Iterator[_Member]]:
    with tarfile.open(archive) as opened:

        def content(info: tarfile.TarInfo) -> IO[bytes]:
            found = opened.extractfile(info)
            if found is None:
                raise _refused(archive, f"has no content for {info.name!r}")
            return found

        def member(info: tarfile.TarInfo) -> _Member:
            parts = _parts(archive, info.name)
            if not (info.isreg() or info.isdir()):
                raise _refused(archive, f"holds a link or a device: {info.name!r}")
            if info.isdir():
                return _Member(parts, 0, None)
            return _Member(parts, info.size, lambda: content(info))

        yield map(member, opened)


def _parts(archive: Path, name: str) -> tuple[str, ...]:
    """The folders and the file of a member's name; archives made on Windows may separate them by backslashes."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or any(map(DRIVE.match, parts)) or "\0" in name:
        raise _refused(archive, f"would write outside of its folder: {name!r}")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise _refused(archive, f"has a name that is no text: {name!r}") from error
    return tuple(part for part in parts if part not in ("", "."))


def _listed(archive: Path, members: Iterator[_Member]) -> list[_Member]:
    """All members, without reading on where it is already too much."""
    limit = EXPANSION * archive.stat().st_size + ALLOWANCE
    listed, size = [], 0
    for member in members:
        listed.append(member)
        size += member.size
        if size > limit or len(listed) > MOST_MEMBERS:
            raise _refused(archive, f"expands absurdly: from {archive.stat().st_size} bytes to more than {limit}")
    return listed


def _write(archive: Path, member: _Member, folder: Path, advance: Callable[[int], object]) -> None:
    target = folder.joinpath(*member.parts)
    if member.open is None:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    try:
        output = target.open("xb")
    except FileExistsError as error:
        raise _refused(archive, f"holds {'/'.join(member.parts)!r} twice, or it is there already") from error
    with output, member.open() as source:
        while block := source.read(BLOCK):
            output.write(block)
            written += len(block)
            advance(len(block))
    if written != member.size:
        raise _refused(archive, f"is damaged: {'/'.join(member.parts)!r} has {written} bytes instead of {member.size}")
