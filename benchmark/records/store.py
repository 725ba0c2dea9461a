"""Records as files: one for each unit that was run, or one for each published cell."""

from __future__ import annotations

import gc
import hashlib
import itertools
import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from benchmark.errors import BenchError
from benchmark.io.bounded_json import MAX_BYTES, read_bounded
from benchmark.io.files import canonical_json, digest, is_hidden, write_atomically
from benchmark.records.identity import check_id
from benchmark.records.schema import Record
from benchmark.records.upgrades import NEWEST, upgraded
from benchmark.records.verify import verify

# What all units share is checked with each of them: the values of both, at most.
MAX_SHARED = 20_000_000
# The key of a record's digest, and the first schema that has it.
SEAL, FIRST_SEALED = "sha256", 3
AGAIN = "remove it and run again"


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

    def read(self, task: str | None = None) -> Reading:
        """Every record, or those of a task, whose folder alone is looked into; and what cannot be read."""
        problems: dict[Path, str] = {}
        paths = _files(self.root if task is None else self.root / task, problems)
        return self._read(paths, problems, None if task is None else [task])

    def read_about(self, tasks: Collection[str]) -> Reading:
        """Every record of some tasks, wherever it lies; and what cannot be read of what may hold some.

        Beside the folders of these tasks only those files are opened in which the name of one of them stands, which
        takes a small part of the time that it takes to read all.
        """
        problems: dict[Path, str] = {}
        paths = [path for path in _files(self.root, problems) if _may_be_about(path, tasks, self.root)]
        return self._read(paths, problems, tasks)

    def _read(self, paths: Iterable[Path], problems: dict[Path, str], tasks: Collection[str] | None) -> Reading:
        found: list[Record] = []
        shared = _Shared()
        with _uncollected():
            for path in paths:
                try:
                    found += shared.shared(read_file(path))
                except BenchError as error:
                    problems[path] = str(error)
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


def _may_be_about(path: Path, tasks: Collection[str], root: Path) -> bool:
    """Whether a file may hold a record of some tasks: it lies in the folder of one, or has its name in quotes.

    What is refused anyway is left to be refused, and what may have written a name in another way to be read.
    """
    if path.relative_to(root).parts[0] in tasks:
        return True
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_BYTES:
            return True
        content = path.read_bytes()
    except (OSError, ValueError):
        return True
    return b"\\u" in content or any(json.dumps(task, ensure_ascii=False).encode() in content for task in tasks)


@contextmanager
def _uncollected() -> Iterator[None]:
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


def read_file(path: Path) -> list[Record]:
    """Read and verify one file of records.

    A file holds one record, or a published cell: `{"common": {...}, "units": [{...}, ...]}`, where `common` is what
    all the units share.

    Raises:
        BenchError: The file is no valid JSON, does not follow the schema, or a record contradicts itself; the message
            names the file and the key.
    """
    try:
        content = read_bounded(path)
        records = parse_records(content)
        verify(*records)
        check_seals(content)
        for record in records:
            check_id(record)
    except BenchError as error:
        raise BenchError(f"{path} is not a valid record: {error.message}", error.hint) from None
    return records


def sealed(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a record with the digest of all of it, so that a change of any byte is noticed."""
    rest = {key: value for key, value in content.items() if key != SEAL}
    return {**rest, SEAL: digest(rest)}


def check_seals(content: Any) -> None:
    """Refuse a file in which the digest of a record is not that of what it says; before schema 3 there was none.

    Args:
        content: Of a file from which records were parsed.

    Raises:
        BenchError: One was changed, or damaged on the disk.
    """
    common, units = _shared(content)
    runs: dict[tuple[str, ...], list[tuple[str, ...] | bytes]] = {}
    for unit in units:
        one, keys = {**common, **unit}, tuple(unit)
        if keys not in runs:
            runs[keys] = _runs(common, unit)
        if one["schema"] >= FIRST_SEALED and one.get(SEAL) != _seal_of(unit, runs[keys]):
            where = (
                f"record {one['id']!r:.80} ({one['task']['name']!s:.80}, fold {one['fold']!r:.80}, seed {one['seed']})"
            )
            raise BenchError(f"{where} was changed or damaged: its digest is not that of what it says", AGAIN)


def _runs(common: dict[str, Any], unit: dict[str, Any]) -> list[tuple[str, ...] | bytes]:
    """How a record stands in canonical JSON: what many share, encoded once, and between it keys of the unit alone."""
    keys = sorted((common.keys() | unit.keys()) - {SEAL})
    together = [(shared, tuple(run)) for shared, run in itertools.groupby(keys, common.__contains__)]
    return [_pairs(common, run) if shared else run for shared, run in together]


def _pairs(content: Mapping[str, Any], keys: Iterable[str]) -> bytes:
    """Some keys of an object with their values in canonical JSON, without the braces."""
    return canonical_json({key: content[key] for key in keys})[1:-1]


def _seal_of(unit: dict[str, Any], runs: Sequence[tuple[str, ...] | bytes]) -> str:
    """The digest of a record."""
    said = _said_at_once(unit, runs) or (
        b"{" + b",".join(run if isinstance(run, bytes) else _pairs(unit, run) for run in runs) + b"}"
    )
    return hashlib.sha256(said).hexdigest()


def _said_at_once(unit: dict[str, Any], runs: Sequence[tuple[str, ...] | bytes]) -> bytes | None:
    """A record in canonical JSON, encoded in one piece, which takes half the time; None where that does not go.

    In place of each run that many share stands its first key, of nothing.
    """
    own = {key: unit[key] for run in runs if not isinstance(run, bytes) for key in run}
    marks = {run[: run.index(b'":') + 2] + b"null": run for run in runs if isinstance(run, bytes)}
    keys = dict.fromkeys(mark[1:-6].decode() for mark in marks)
    said = canonical_json({**own, **keys})
    for mark, run in marks.items():
        if said.count(mark) != 1:
            return None
        said = said.replace(mark, run)
    return said


def pack(records: list[Record]) -> bytes:
    """Pack the records of a cell into one file, what they share written once."""
    units = [sealed(record.model_dump(mode="json")) for record in records]
    common = {key: value for key, value in units[0].items() if all(unit[key] == value for unit in units)}
    rest = [{key: value for key, value in unit.items() if key not in common} for unit in units]
    lines = ",\n".join(canonical_json(unit).decode() for unit in rest)
    return f'{{"common": {canonical_json(common).decode()},\n"units": [\n{lines}\n]}}\n'.encode()


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


def parse_records(content: Any) -> list[Record]:
    """The records in the parsed content of a file: they follow the schema, and are not verified yet.

    Raises:
        BenchError: They do not; the message names the key.
    """
    common, units = _shared(content)
    shared: dict[str, BaseModel] = {}
    records: list[Record] = []
    try:
        for unit in units:
            one = upgraded({key: value for key, value in {**common, **unit}.items() if key != SEAL})
            records.append(Record.model_validate({**one, **shared}, strict=True))  # strict: "1" and true are no numbers
            if not shared and common.get("schema") == NEWEST:
                # What all share has been checked with the first of them.
                parts = ((key, getattr(records[0], key)) for key in Record.model_fields if key in common)
                shared = {key: part for key, part in parts if isinstance(part, BaseModel)}
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(key)[:80] for key in first["loc"])
        raise BenchError(f"{where}: {first['msg']}", "remove it and run again") from None
    return records


def _shared(content: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What all records of a file hold, and what each of them does besides; of the only one, nothing is shared."""
    again = "remove it and run again"
    if not isinstance(content, dict):
        raise BenchError("it is no object", again)
    if content.keys() != {"common", "units"}:
        return {}, [content]
    common, units = content["common"], content["units"]
    if not isinstance(common, dict) or not isinstance(units, list) or not units:
        raise BenchError("units is not a list of at least one unit, beside an object that they share", again)
    if _size(common) * len(units) > MAX_SHARED:
        raise BenchError(f"it is too large: {len(units)} units, and what they share", again)
    for unit in units:
        if not isinstance(unit, dict):
            raise BenchError("a unit is no object", again)
        if shared := sorted(common.keys() & unit.keys()):
            raise BenchError(f"{shared[0]!r:.80} is said of all units and of one again", again)
    return common, units


def _size(value: Any) -> int:
    """The number of values in a value; it is not nested deeply."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, values))
