"""Folders of records: those that a command is given, those published with serbench, and what is in them."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import BenchError, MissingError
from benchmark.text import clean

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


@dataclass(frozen=True)
class ReadFolders:
    """The records of several folders, for a command that goes on without tasks of which something cannot be read.

    Attributes:
        records: Of each folder, without those tasks.
        problems: How many files or folders cannot be read.
        left_out: Those tasks.
    """

    records: tuple[tuple[Record, ...], ...]
    problems: int
    left_out: tuple[str, ...]

    def beside_published(self, *, every: bool) -> ReadFolders:
        """The last folder as the published one: what the others hold is marked as local, see `marked_local`."""
        from benchmark.records.beside import marked_local

        *own, published = self.records
        marked = (tuple(marked_local(records, published, every=every)) for records in own)
        return replace(self, records=(*marked, published))

    def fail_if_doubtful(self) -> None:
        """End a command that has done its work.

        Raises:
            BenchError: Something could not be read.
        """
        if self.problems:
            files = "1 file or folder" if self.problems == 1 else f"{self.problems} files or folders"
            without = f"; left out for it: {', '.join(self.left_out)}" if self.left_out else ""
            raise BenchError(f"{files} of records cannot be read{without}", "each is named above")


def read_records(folders: Sequence[Path], tasks: Collection[str] = (), *, or_all: bool = True) -> ReadFolders:
    """The records of folders. All that cannot be read is told at once, on stderr.

    Args:
        folders: Where they are.
        tasks: Those that are asked for; all where none is given.
        or_all: Whether to read all where one of the tasks has nothing that can be ranked, so that it can be said what
            there is.

    Raises:
        MissingError: There is no such folder.
    """
    stores = [open_records(folder) for folder in folders]
    readings = [store.read_about(tasks) for store in stores] if tasks else []
    usable = (record for reading in readings for record in reading.without_doubtful())
    if not tasks or (or_all and {one.task.name for one in usable if one.protocol == "official"} != {*tasks}):
        readings = [store.read() for store in stores]
    problems = [problem for reading in readings for problem in reading.problems.values()]
    for problem in problems:
        sys.stderr.write(f"{clean(problem)}\n")
    return ReadFolders(
        records=tuple(reading.without_doubtful() for reading in readings),
        problems=len(problems),
        left_out=tuple(sorted({task for reading in readings for task in reading.doubtful})),
    )
