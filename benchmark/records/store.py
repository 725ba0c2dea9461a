"""Folders of records: written one file for each unit, read with whatever files lie there."""

from __future__ import annotations

import gc
import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchError
from benchmark.io.bounded_json import MAX_BYTES
from benchmark.io.files import canonical_json, is_hidden, write_atomically
from benchmark.records.file_format import read_file, sealed
from benchmark.records.schema import Record


class RecordStore:
    """Records in a folder: one JSON for each unit, or one for each published cell.

    Attributes:
        root: `root/TASK/ID.json`, and predictions beside them in `root/TASK/ID.predictions.csv`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, task: str, record_id: str) -> Path:
        """Where the record of a unit lies."""
        return self.root / task / f"{record_id}.json"

    def write(self, record: Record, predictions: bytes | None = None) -> None:
        """Write the predictions, then the record: a record that exists is complete."""
        path = self.path(record.task.name, record.id)
        if predictions is not None:
            write_atomically(path.with_suffix(".predictions.csv"), predictions)
        write_atomically(path, canonical_json(sealed(record.model_dump(mode="json"))) + b"\n")

    def get(self, task: str, record_id: str) -> Record | None:
        """The record of a unit, or None where there is none.

        Raises:
            BenchError: As `read_file`; or the file holds the record of another unit.
        """
        path = self.path(task, record_id)
        if not path.exists():
            return None
        record = read_file(path)[0]
        if record.id != record_id:
            raise BenchError(
                f"{path} holds the record of another unit: its id is {record.id!r}, not {record_id!r}",
                "remove it and run again",
            )
        return record

    def paths(self) -> tuple[list[Path], dict[Path, str]]:
        """The files of records, in a fixed order; and what is wrong with folders that cannot be read."""
        problems: dict[Path, str] = {}
        return _files(self.root, problems), problems

    def read(self, task: str | None = None) -> Reading:
        """Every record, or those of a task, whose folder alone is looked into; and what cannot be read."""
        problems: dict[Path, str] = {}
        paths = _files(self.root if task is None else self.root / task, problems)
        return self._read(paths, problems, None if task is None else [task])

    def read_about(self, tasks: Collection[str]) -> Reading:
        """Every record of some tasks, wherever it lies; and what cannot be read of what may hold some.

        Of the folders of other tasks only those files are opened in which the name of one of these stands, which takes
        a small part of the time that it takes to read all.
        """
        paths, problems = self.paths()
        paths = [path for path in paths if _may_be_about(path, tasks, self.root)]
        return self._read(paths, problems, tasks)

    def _read(self, paths: Iterable[Path], problems: dict[Path, str], tasks: Collection[str] | None) -> Reading:
        found: list[Record] = []
        for path, records in read_each(paths):
            if isinstance(records, BenchError):
                problems[path] = str(records)
            else:
                found += records
        kept = [record for record in found if tasks is None or record.task.name in tasks]
        return Reading(self.root, tuple(kept), dict(sorted(problems.items())))

    def of_task(self, task: str) -> Iterator[Record]:
        """Every record of a task, in a fixed order, from its own folder: other tasks' files are not opened.

        Raises:
            BenchError: As `Reading.whole`.
        """
        yield from self.read(task).whole()

    def __iter__(self) -> Iterator[Record]:
        """Every record below the root, in a fixed order.

        Raises:
            BenchError: As `Reading.whole`.
        """
        yield from self.read().whole()


def read_each(paths: Iterable[Path]) -> Iterator[tuple[Path, list[Record] | BenchError]]:
    """The records of each of some files, or why they cannot be read; what many records say alike is in memory once."""
    shared = _Shared()
    with uncollected():
        for path in paths:
            try:
                yield path, shared.shared(read_file(path))
            except BenchError as error:
                yield path, error


def _may_be_about(path: Path, tasks: Collection[str], root: Path) -> bool:
    """Whether a file may hold a record of some tasks.

    It does not where it lies in the folder of another task, whose name stands in it, and has none of theirs. All else
    is left to be read: what may have lost the name, what may have written it in another way, what is refused anyway.
    """
    folder = path.relative_to(root).parts[0]
    if folder in tasks:
        return True
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_BYTES:
            return True
        content = path.read_bytes()
    except (OSError, ValueError):
        return True
    return b"\\u" in content or _quoted(folder) not in content or any(_quoted(task) in content for task in tasks)


def _quoted(name: str) -> bytes:
    return json.dumps(name, ensure_ascii=False).encode("utf-8", "surrogatepass")


@contextmanager
def uncollected() -> Iterator[None]:
    """Without looking for garbage in cycles: records have none, and there are more and more of them to look through."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Shared:
    """What many records say alike, held in memory once: with it a large board takes less than half as much."""

    def __init__(self) -> None:
        self._rows: dict[tuple[float, ...], list[float]] = {}
        self._fields: dict[frozenset[str], set[str]] = {}

    def shared(self, records: list[Record]) -> list[Record]:
        """These records, changed in place: nobody else has them yet."""
        for record in records:
            for part in (record, record.counts):
                fields = part.model_fields_set
                object.__setattr__(part, "__pydantic_fields_set__", self._fields.setdefault(frozenset(fields), fields))
            if record.task.kind == "classification":  # sums of values are hardly ever the same
                for counts in record.by_speaker.values():
                    counts[:] = [self._rows.setdefault(tuple(row), row) for row in counts]
        return records


@dataclass(frozen=True)
class Reading:
    """What there is in a folder of records.

    Attributes:
        root: The folder.
        records: Those that can be read, in a fixed order.
        problems: What is wrong, by the file or folder that cannot be read.
    """

    root: Path
    records: tuple[Record, ...]
    problems: Mapping[Path, str]

    def whole(self) -> tuple[Record, ...]:
        """All records.

        Raises:
            BenchError: Some cannot be read; the message names all of them.
        """
        if self.problems:
            raise BenchError("; ".join(self.problems.values()))
        return self.records

    @property
    def doubtful(self) -> frozenset[str]:
        """The tasks of which something cannot be read, by the folder that it lies in; a file in none tells no task."""
        places = [path.relative_to(self.root).parts for path in self.problems]
        return frozenset(parts[0] for parts in places if len(parts) > 1 or (parts and not parts[0].endswith(".json")))

    def without_doubtful(self) -> tuple[Record, ...]:
        """The records of those tasks of which all can be read: a row is never shown on a part of its records."""
        return tuple(record for record in self.records if record.task.name not in self.doubtful)


def _files(folder: Path, problems: dict[Path, str]) -> list[Path]:
    """The files of records below a folder, in a fixed order: links are followed, each folder once.

    What is hidden is passed over: half-written files, and what file systems and archives add.

    Args:
        folder: Where they lie; it need not exist.
        problems: Told which folders cannot be read.
    """

    def unreadable(error: OSError) -> None:
        problems[Path(error.filename)] = f"{error.filename} cannot be read: {error.strerror} (who may read it?)"

    found, seen = [], set[str]()
    for name, folders, files in os.walk(folder, onerror=unreadable, followlinks=True) if folder.exists() else ():
        real = os.path.realpath(name)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [one for one in folders if not is_hidden(one)]
        found += [Path(name, one) for one in files if one.endswith(".json") and not is_hidden(one)]
    return sorted(found)
