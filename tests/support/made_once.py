"""What is made once per run of the suite, whatever the number of processes that run it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

MADE_ONCE = "made-once"


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a run share: theirs are side by side in one."""
    top = factory.getbasetemp()
    return (top.parent if "PYTEST_XDIST_WORKER" in os.environ else top) / MADE_ONCE


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name, made by whichever process first asks for it; not to be changed.

    Args:
        factory: Where temporary folders are.
        name: A name of its own in the whole suite; it may have parts, "trees/emodb".
        make: Fills the folder that it is given, which is not there yet, and is elsewhere in the end.
    """
    folder = shared_folder(factory) / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if not folder.exists():
            # What a process left half made when it was ended is no folder to use.
            making = folder.parent / ".making" / folder.name
            make(making)
            making.rename(folder)
    return folder
