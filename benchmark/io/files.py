"""Writing files so that a reader sees all of one or nothing, and digests of plain values."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError

TEMPORARY_PREFIX = ".writing-"  # hidden; then the machine and the process that writes, see `temporary_prefix`
LFS_POINTER, ANNEX_POINTER = b"version https://git-lfs.github.com/spec/", b"/annex/objects/"  # how their files begin
JUNK_FOLDER = "__MACOSX"  # of archives that were made on a Mac


CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """Encode a plain value the one way that a digest can rely on: sorted keys, no spaces, UTF-8, no NaN.

    File names that are not in the file system's encoding hold lone surrogates, which `json.loads` reads back.
    """
    return CANONICAL.encode(value).encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """The sha256 of a plain value, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        checksum = hashlib.sha256()
        while block := handle.read(1 << 20):
            checksum.update(block)
    return checksum.hexdigest()


def safe_name(name: str) -> str:
    """A name as part of a file name: letters, digits, "-", "_" and "."; everything else becomes "-"."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).lstrip(".") or "-"


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one that nobody put there to be read: hidden, half written, or added by archives."""
    return name.startswith(".") or name == JUNK_FOLDER


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, as `names_below`."""
    return (folder / name for name in names_below(folder))


def names_below(folder: Path) -> Iterator[str]:
    """Every file below a folder, past hidden ones; links are followed, each folder once, so that none leads in circles.

    Folders that lie here come before those behind links, in the order of their names. A link that leads nowhere is
    given as a file: who reads it says that it is missing.

    Yields:
        The path relative to the folder, with slashes.

    Raises:
        OSError: A folder cannot be read.
    """
    waiting, met = [""], set[tuple[int, int]]()
    behind: list[str] = []
    while waiting or behind:
        here = waiting.pop() if waiting else behind.pop()
        status = (folder / here).stat()
        if (status.st_dev, status.st_ino) in met:
            continue
        met.add((status.st_dev, status.st_ino))
        with os.scandir(folder / here) as found:
            entries = sorted((entry for entry in found if not is_hidden(entry.name)), key=lambda entry: entry.name)
        inside = f"{here}/" if here else ""
        # What lies here tells its kind without being asked for more; a link may lead anywhere.
        links = {entry.name: Path(entry.path) for entry in entries if entry.is_symlink()}
        folders = [entry.name for entry in entries if entry.name not in links and entry.is_dir()]
        waiting += [inside + name for name in reversed(folders)]
        behind = [inside + name for name, link in reversed(links.items()) if link.is_dir()] + behind
        for entry in entries:
            link = links.get(entry.name)
            if entry.is_file() if link is None else link.is_file() or not link.exists():
                yield inside + entry.name


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one; a link that leads in circles is none.

    Raises:
        OSError: Where a link leads may not be seen.
    """
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()


def pointed_at(path: Path) -> str | None:
    """What is wrong with a file that only points to another, which was not fetched; None where it is a file itself.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as handle:
        head = handle.read(64)
    if head.startswith(LFS_POINTER):
        return "is a pointer of Git LFS, whose content was not fetched (git lfs pull)"
    if head.startswith(ANNEX_POINTER):
        return "is a pointer of git-annex, whose content was not fetched (git annex get)"
    return None


def temporary_prefix() -> str:
    """How temporary files of this process begin, so that others see who writes them: `.writing-MACHINE-PROCESS-`."""
    return f"{TEMPORARY_PREFIX}{made_by()}"


def made_by() -> str:
    """What a name tells of whoever made it: the machine and the process, `MACHINE-PROCESS-`."""
    return f"{machine()}-{os.getpid()}-"


def machine() -> str:
    """A short name of this machine, of letters and digits, that tells nothing of it."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def check_writable(folder: Path, hint: str) -> None:
    """Refuse a folder that cannot be written, or made, before anything is done that would be lost.

    Args:
        folder: It need not exist.
        hint: What to do.

    Raises:
        BenchError: It cannot.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        Path(tempfile.mkdtemp(prefix=temporary_prefix(), dir=there)).rmdir()
    except OSError as error:
        raise BenchError(f"nothing can be written to {folder}: {error.strerror or error}", hint) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file by renaming a finished temporary file, so that a killed writer leaves the old file or the new one.

    Raises:
        BenchError: The disk is full or the folder cannot be written; nothing is left behind.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=temporary_prefix(), dir=path.parent)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BenchError(
                f"the disk is full: could not write {len(content)} bytes to {path}",
                "free some space, or move the cache with BENCH_CACHE; finished work is kept, run again to go on",
            ) from error
        raise BenchError(f"cannot write {path}: {error.strerror or error}", "is the folder writable?") from error
