"""Folders of records: those that a command is given, those published with serbench, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import MissingError

if TYPE_CHECKING:
    from benchmark.records import Record, RecordStore

# The spoke that holds the published results, named only as a string, and their folder in it.
PUBLISHED = ("leaderboard", "results")
# Where a checkout of the project keeps them, seen from its root.
OWN_RESULTS = Path(*PUBLISHED)


def record_folders(given: list[Path] | None, published: bool) -> list[Path]:
    """The folders of records that are asked for; before the first run there may be only the published one."""
    from benchmark.io.packages import package_folder
    from benchmark.io.settings import load_settings

    folders = given or [load_settings().results]
    if not published:
        return folders
    own = folders if given or folders[0].is_dir() else []
    return [*own, package_folder(PUBLISHED[0]) / PUBLISHED[1]]


def open_records(folder: Path) -> RecordStore:
    """The records of a folder, none of them read yet.

    Raises:
        MissingError: There is no such folder.
    """
    from benchmark.records import RecordStore

    if not folder.is_dir():
        raise MissingError(
            f"there are no records in {folder}", "bench run makes some; or give their folder by --results"
        )
    return RecordStore(folder)


def read_records(folder: Path) -> list[Record]:
    """Every record of a folder.

    Raises:
        MissingError: There is no such folder.
        BenchError: A file is not a valid record.
    """
    return list(open_records(folder))
