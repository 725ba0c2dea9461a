"""What writers left half-written when they were killed, told from what others are still writing."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from benchmark.io.files import TEMPORARY_PREFIX, machine

NAME = re.compile(re.escape(TEMPORARY_PREFIX) + r"([0-9a-f]{8})-(\d{1,10})-")
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


def _is_left(path: Path) -> bool:
    try:
        is_old = time.time() - path.lstat().st_mtime > OLD
    except OSError:  # its writer has just finished
        return False
    written = NAME.match(path.name)
    if is_old or written is None:  # older versions did not say who writes
        return True
    return written[1] == machine() and not _is_alive(int(written[2]))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # asks, and sends nothing
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return True
