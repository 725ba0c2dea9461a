"""What processes left when they were killed, half-written or in the way, told from what others are still at."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from benchmark.io.files import TEMPORARY_PREFIX, machine

MADE_BY = re.compile(r"([0-9a-f]{8})-(\d{1,10})-")
NAME = re.compile(re.escape(TEMPORARY_PREFIX) + MADE_BY.pattern)
# A file is written in seconds. Whoever wrote one so old [s] is gone, also where its machine cannot be asked.
OLD = 86_400.0


def leftovers(folder: Path) -> Iterator[Path]:
    """The half-written files and folders below a folder whose writers are gone; links are not followed."""
    for name, folders, files in os.walk(folder):
        own = [one for one in folders if one.startswith(TEMPORARY_PREFIX)]
        folders[:] = [one for one in folders if one not in own]
        for one in sorted([*own, *(one for one in files if one.startswith(TEMPORARY_PREFIX))]):
            path = Path(name, one)
            if _is_left(path):
                yield path


def remove_leftovers(*folders: Path) -> int:
    """Remove what killed writers left below some folders; how much it was."""
    found = [path for folder in folders for path in leftovers(folder)]
    for path in found:
        with contextlib.suppress(OSError):  # another run removes it too, or nobody may
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return len(found)


def remove_scratch(place: Path, prefix: str) -> None:
    """Remove folders of processes that are gone, for what they needed while they ran, however long that was.

    Args:
        place: The folder in which they lie.
        prefix: How their names begin, before what `made_by` gives.
    """
    name = re.compile(re.escape(prefix) + MADE_BY.pattern)
    with os.scandir(place) as found:
        folders = [entry for entry in found if entry.is_dir(follow_symlinks=False)]
    for entry in folders:
        made = name.match(entry.name)
        if made is not None and _is_gone(made):
            shutil.rmtree(entry.path, ignore_errors=True)  # another run removes it too, or nobody may


def _is_left(path: Path) -> bool:
    try:
        is_old = time.time() - path.lstat().st_mtime > OLD
    except OSError:  # its writer has just finished
        return False
    written = NAME.match(path.name)
    if is_old or written is None:  # older versions did not say who writes
        return True
    return _is_gone(written)


def _is_gone(made: re.Match[str]) -> bool:
    """Whether the process that a name tells of was one of this machine and is no more."""
    return made[1] == machine() and not _is_alive(int(made[2]))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # asks, and sends nothing
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return True
