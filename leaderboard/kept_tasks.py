"""The tasks of a board, kept from one time to the next: made again only where their records have changed.

A board of 50 tasks and 200 systems takes minutes from its records; after one more record only one of its tasks differs.
What is kept of a task goes by the digests of the files that its records lie in, and of all sources and libraries that
make it: what is taken from there is what would be made.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import pickle
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError
from benchmark.io.bounded_json import MAX_BYTES
from benchmark.io.files import canonical_json, digest, file_sha256, files_below, is_hidden, write_atomically
from benchmark.io.packages import package_folder, versions
from benchmark.metrics import METRICS, Metric
from benchmark.protocol.references import Reference
from benchmark.records import Record, RecordStore
from benchmark.records.grouping import group
from benchmark.records.store import read_each, uncollected
from leaderboard.board import Board, assembled
from leaderboard.task_board import TaskBoard, task_board

FOLDER = "boards"  # of the cache
INDEX = "files"  # no name of a record, wherever the cache lies
PACKAGES = ("benchmark", "leaderboard", "upstreams", "downstreams", "tasks")
UNUSABLE = (OSError, ValueError, pickle.UnpicklingError)
SOURCES = (".py", ".yaml")
LIBRARIES = ("numpy", "scipy", "pydantic", "tabulate")
# All that a kept task is made of; nothing else is made where one is read, whatever its file says.
MADE_OF: Mapping[str, frozenset[str]] = {
    "numpy": frozenset({"dtype", "ndarray"}),
    "numpy._core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy.core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy._core.numeric": frozenset({"_frombuffer"}),
    "numpy.core.numeric": frozenset({"_frombuffer"}),
    "benchmark.records.cells": frozenset({"Cell", "Forgotten"}),
    "benchmark.records.schema": frozenset({"CorpusPart", "DownstreamPart", "TaskPart", "UpstreamPart"}),
    "benchmark.statistics.fairness": frozenset({"Fairness"}),
    "benchmark.statistics.intervals": frozenset({"Interval"}),
    "benchmark.statistics.pairs": frozenset({"Compared"}),
    "benchmark.statistics.scores": frozenset({"Scores"}),
    "benchmark.statistics.task": frozenset({"Pairs", "TaskAnalysis"}),
    "leaderboard.calibration": frozenset({"Believed", "Calibrated"}),
    "leaderboard.rows": frozenset({"Group", "Place", "Row", "Section", "Value"}),
    "leaderboard.tables": frozenset({"CalibrationTable", "GroupTable", "Table", "TaskTable"}),
    "leaderboard.task_board": frozenset({"Shown", "TaskBoard"}),
}


def kept_board(folders: Sequence[Path], cache: Path, references: Iterable[Reference] = ()) -> Board | None:
    """The leaderboard of folders of records, as `leaderboard.board.board` makes it of all their records.

    Its cells do not know their records: it is for tables, not for figures that look into them.

    Args:
        folders: Of records; of a unit that several have, the first one's counts.
        cache: The cache; what it cannot keep is made anew the next time.
        references: What was published elsewhere.

    Returns:
        None where a folder or a file cannot be read: who reads all records says what is wrong.

    Raises:
        BenchError: Records contradict each other or their task; the message names them.
    """
    kept = _Kept(cache / FOLDER / digest([str(folder.resolve()) for folder in folders])[:16])
    with uncollected():
        try:
            files = [_File(number, path) for number, folder in enumerate(folders) for path in _paths(folder)]
            parts = [kept.task(task, own) for task, own in sorted(kept.by_task(files).items())]
        except UnreadableError:
            return None
        kept.remove_others()
        return assembled(parts, references=references)


class UnreadableError(Exception):
    """A file or a folder of records cannot be read."""


def _paths(folder: Path) -> list[Path]:
    paths, problems = RecordStore(folder).paths()
    if problems or not folder.is_dir():
        raise UnreadableError
    return paths


class _File:
    """A file of records, and the digest of what it held when it was met."""

    def __init__(self, number: int, path: Path) -> None:
        self.number = number  # of its folder, among those that are given
        self.path = path
        self.sha256 = self.now()

    def now(self) -> str:
        """The digest of what it holds."""
        try:
            about = self.path.stat()
            if stat.S_ISREG(about.st_mode) and about.st_size <= MAX_BYTES:  # a pipe would never end
                return file_sha256(self.path)
        except (OSError, ValueError) as error:
            raise UnreadableError from error
        raise UnreadableError


class _Kept:
    """A folder of kept tasks: those of one board, which others leave alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made_by = _made_by()
        self._records: dict[Path, list[Record]] = {}
        self._used = {INDEX}

    def by_task(self, files: Sequence[_File]) -> dict[str, list[_File]]:
        """The files that have records of each task: known from the last time, or read."""
        known = self._index()
        new = [file for file in files if file.sha256 not in known]
        self._read(new)
        tasks = {file.sha256: known.get(file.sha256) or self._tasks(file) for file in files}
        kept = {file.sha256 for file in files} - {file.sha256 for file in new if file.now() != file.sha256}
        index = {sha256: tasks[sha256] for sha256 in sorted(kept)}
        if index != known:
            self._write(INDEX, _sealed(canonical_json({"made_by": self._made_by, "tasks": index})))
        found: dict[str, list[_File]] = {}
        for file in files:
            for task in tasks[file.sha256]:
                found.setdefault(task, []).append(file)
        return found

    def task(self, task: str, files: Sequence[_File]) -> TaskBoard:
        """A task as it was kept, or made of its records."""
        name = digest([self._made_by, task, [[file.number, file.sha256] for file in files]])[:32]
        self._used.add(name)
        try:
            return _unpacked(_unsealed((self._folder / name).read_bytes()))
        except UNUSABLE:  # of another time, or half of it is gone: it is made again
            made = self._made(task, files)
        if all(file.now() == file.sha256 for file in files):  # nobody has written them anew meanwhile
            self._write(name, _sealed(_packed(made)))
        return made

    def _made(self, task: str, files: Sequence[_File]) -> TaskBoard:
        self._read(file for file in files if file.path not in self._records)
        stores: dict[int, list[Record]] = {}
        for file in files:
            own = (record for record in self._records[file.path] if record.task.name == task)
            stores.setdefault(file.number, []).extend(own)
        for path in {file.path for file in files}:
            del self._records[path]
        made = task_board(task, group(*stores.values()))
        made.forget_records()
        return made

    def remove_others(self) -> None:
        """Remove what this board was before."""
        with contextlib.suppress(OSError):  # another process removes it too, or nobody may
            for path in self._folder.iterdir():
                if path.name not in self._used and not is_hidden(path.name):
                    path.unlink()

    def _index(self) -> dict[str, list[str]]:
        """The tasks that files have records of, by the digests of the files, as they were the last time."""
        try:
            content = json.loads(_unsealed((self._folder / INDEX).read_bytes()))
        except UNUSABLE:
            return {}
        return content["tasks"] if content["made_by"] == self._made_by else {}

    def _read(self, files: Iterable[_File]) -> None:
        for path, found in read_each(file.path for file in files):
            if isinstance(found, BenchError):
                raise UnreadableError from found
            self._records[path] = found

    def _tasks(self, file: _File) -> list[str]:
        return sorted({record.task.name for record in self._records[file.path]})

    def _write(self, name: str, content: bytes) -> None:
        with contextlib.suppress(BenchError):  # a full disk, or a cache that others own: it is made again the next time
            write_atomically(self._folder / name, content)


def _made_by() -> str:
    """The digest of all that makes a task of its records: sources and data of these packages, and libraries."""
    checksum = hashlib.sha256()
    for package in PACKAGES:
        folder = package_folder(package)
        for path in sorted(path for path in files_below(folder) if path.suffix in SOURCES):
            checksum.update(f"{package}/{path.relative_to(folder)} {file_sha256(path)}\n".encode())
    return digest([checksum.hexdigest(), sys.version, versions(LIBRARIES)])


class _Pickler(pickle.Pickler):
    """Metrics go by their names: they hold functions."""

    def persistent_id(self, value: Any) -> str | None:
        return value.name if isinstance(value, Metric) else None


class _Unpickler(pickle.Unpickler):
    """Makes what tasks are made of, and nothing else."""

    def persistent_load(self, name: str) -> Metric:
        return METRICS[name]

    def find_class(self, module: str, name: str) -> Any:
        if name not in MADE_OF.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a task")
        return super().find_class(module, name)


def _packed(part: TaskBoard) -> bytes:
    content = io.BytesIO()
    _Pickler(content, protocol=5).dump(part)
    return content.getvalue()


def _unpacked(content: bytes) -> TaskBoard:
    part: TaskBoard = _Unpickler(io.BytesIO(content)).load()
    return part


def _sealed(content: bytes) -> bytes:
    """Bytes with their digest before them."""
    return hashlib.sha256(content).digest() + content


def _unsealed(content: bytes) -> bytes:
    """What was sealed.

    Raises:
        ValueError: It is not whole, or was changed.
    """
    size = hashlib.sha256().digest_size
    if hashlib.sha256(content[size:]).digest() != content[:size]:
        raise ValueError("its digest is not that of the rest")
    return content[size:]
