"""The record of one unit of work: what happened, with everything needed to trust it.

A unit is (task, upstream, downstream, fold, seed). Its id is a digest of what decides the number and of nothing else,
so the same work is recognised wherever and however it was run. Records carry per-speaker statistics from which every
metric and interval is computed again; they hold no label of an utterance and no path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark.errors import BenchError
from benchmark.files import TEMPORARY_PREFIX, canonical_json, write_atomically
from benchmark.types import Kind

SCHEMA: Literal[1] = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CorpusPart(_Part):
    """Which recordings: name, digest of the index, digest of the decoded audio, number of utterances used."""

    name: str
    index_sha256: str
    audio_sha256: str
    utterances: int
    synthetic: bool


class TaskPart(_Part):
    """Which protocol, with what the leaderboard needs to know of it."""

    name: str
    version: int
    sha256: str
    title: str
    corpus: CorpusPart
    kind: Kind
    outputs: list[str]
    metrics: list[str]
    pool: Literal["utterances", "folds"]
    folds: list[str]
    folds_sha256: str
    seeds: list[int]
    speaker_independent: bool
    dev: str


class UpstreamPart(_Part):
    """Which representation. `sha256` is the digest of its whole identity, code and libraries included."""

    name: str
    sha256: str
    params: dict[str, Any]
    weights_sha256: str | None
    sample_rate: int
    layers: int | None
    dim: int | None
    parameters: int | None


class DownstreamPart(_Part):
    """Which head. `sha256` is the digest of its whole identity, code and libraries included."""

    name: str
    sha256: str
    params: dict[str, Any]
    parameters: int | None
    stochastic: bool
    transductive: bool


class Counts(_Part):
    """Utterances of each set, speakers of the test set, test utterances of each class (empty for regression)."""

    train: int
    dev: int
    test: int
    test_speakers: int
    per_class: dict[str, int]


class SelectionPart(_Part):
    """How the head was chosen on dev."""

    on: str | None
    score: float | None
    epoch: int | None
    layer_weights: list[float] | None
    chosen: dict[str, float | str]


class Cost(_Part):
    """What it took. `encode_s` is the time once spent on encoding this task's utterances, shared by all its units."""

    encode_s: float | None
    fit_s: float | None
    peak_bytes: int | None
    audio_s: float
    device: str


class Provenance(_Part):
    """When, with what and how."""

    created: str
    version: str
    code_sha256: str
    git: dict[str, str | bool] | None
    python: str
    packages: dict[str, str]
    platform: str
    command: str


class Record(_Part):
    """One unit of work, completed or failed.

    `by_speaker` holds the sufficient statistics: for classification the (K, K) confusion counts of each test speaker,
    rows truth, columns decision; for regression a (k, 6) array of n, sum t, sum p, sum t*t, sum p*p, sum t*p.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    schema_version: Literal[1] = Field(SCHEMA, alias="schema")
    id: str
    status: Literal["completed", "failed"]
    reason: str | None
    task: TaskPart
    upstream: UpstreamPart
    downstream: DownstreamPart
    fold: str
    seed: int
    protocol: Literal["official", "modified"]
    counts: Counts
    metrics: dict[str, float]
    primary: str
    by_speaker: dict[str, list[list[float]]]
    selection: SelectionPart | None
    cost: Cost
    provenance: Provenance


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
        write_atomically(path, canonical_json(record.model_dump(mode="json")) + b"\n")

    def get(self, task: str, record_id: str) -> Record | None:
        """The record of a unit, or None where there is none."""
        path = self.path(task, record_id)
        return next(iter(read_file(path))) if path.exists() else None

    def __iter__(self) -> Iterator[Record]:
        """Every record below the root, in a fixed order."""
        if self.root.is_dir():
            for path in sorted(self.root.rglob("*.json")):
                if not path.name.startswith(TEMPORARY_PREFIX):
                    yield from read_file(path)


def read_file(path: Path) -> list[Record]:
    """Read one file of records.

    A file holds one record, or a published cell: `{"common": {...}, "units": [{...}, ...]}`, where `common` is what
    all the units share.

    Raises:
        BenchError: The file is no valid JSON, or does not follow the schema; the message names the file and the key.
    """
    try:
        content = json.loads(path.read_bytes())
        if isinstance(content, dict) and set(content) == {"common", "units"}:
            if not (isinstance(content["units"], list) and content["units"]):
                raise ValueError("units is not a list of at least one unit")
            return [Record.model_validate({**content["common"], **unit}) for unit in content["units"]]
        return [Record.model_validate(content)]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        raise BenchError(f"{path} is not a valid record: {where}: {first['msg']}", "remove it and run again") from error
    except (ValueError, TypeError, RecursionError, OSError) as error:
        raise BenchError(f"{path} is not a valid record: {error}", "remove it and run again") from error


def pack(records: list[Record]) -> bytes:
    """Pack the records of a cell into one file, what they share written once."""
    units = [record.model_dump(mode="json") for record in records]
    common = {key: value for key, value in units[0].items() if all(unit[key] == value for unit in units)}
    rest = [{key: value for key, value in unit.items() if key not in common} for unit in units]
    lines = ",\n".join(canonical_json(unit).decode() for unit in rest)
    return f'{{"common": {canonical_json(common).decode()},\n"units": [\n{lines}\n]}}\n'.encode()
