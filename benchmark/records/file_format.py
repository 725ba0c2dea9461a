"""What a file of records holds: one record, or a published cell whose units share what they have in common.

Each record carries a digest of all that it says, so that a change of any byte is noticed.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from benchmark.errors import BenchError
from benchmark.io.bounded_json import read_bounded
from benchmark.io.files import canonical_json, digest
from benchmark.records.identity import check_id
from benchmark.records.schema import Record
from benchmark.records.upgrades import NEWEST, upgraded
from benchmark.records.verify import verify

# What all units share is checked with each of them: the values of both, at most.
MAX_SHARED = 20_000_000
# The key of a record's digest, and the first schema that has it.
SEAL, FIRST_SEALED = "sha256", 3
AGAIN = "remove it and run again"


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
