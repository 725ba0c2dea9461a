"""The record of one unit of work: what happened, with everything needed to trust it.

A unit is (task, upstream, downstream, fold, seed). Its id is a digest of what decides the number and of nothing else,
so the same work is recognised wherever and however it was run. Records carry per-speaker statistics from which every
metric and interval is computed again; they hold no label of an utterance and no path. What is read is verified first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark.errors import BenchError
from benchmark.files import TEMPORARY_PREFIX, canonical_json, write_atomically
from benchmark.metrics import Metric, find
from benchmark.types import Kind

SCHEMA: Literal[1] = 1
# "modified": other seeds or folds than the task's own; "partial": on a part of the corpus. Neither is on a leaderboard.
Protocol = Literal["official", "modified", "partial"]
# How far a stated metric may lie from the computed one, relative or absolute: room for float64, not for another score.
TOLERANCE = 1e-9
EXACT = 2**53  # below it float64 holds every number of utterances exactly


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CorpusPart(_Part):
    """Which recordings: name ("source -> target" for two), digest of the index and of the decoded audio, how many."""

    name: str
    index_sha256: str
    audio_sha256: str
    utterances: int
    synthetic: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The corpora themselves: one, or source and target."""
        return tuple(self.name.split(" -> "))


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
    """Which representation. `sha256` is the digest of its whole identity, code and libraries included.

    `trained_on` names the corpora of the benchmark with whose recordings its weights were trained.
    """

    name: str
    sha256: str
    params: dict[str, Any]
    weights_sha256: str | None
    sample_rate: int
    layers: int | None
    dim: int | None
    parameters: int | None
    trained_on: list[str] = []


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
    adapt: int = 0
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
    protocol: Protocol
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

    def of_task(self, task: str) -> Iterator[Record]:
        """Every record of a task, in a fixed order, from its own folder: other tasks' files are not opened."""
        yield from (record for record in _read_files(self.root / task) if record.task.name == task)

    def __iter__(self) -> Iterator[Record]:
        """Every record below the root, in a fixed order."""
        yield from _read_files(self.root)


def read_file(path: Path) -> list[Record]:
    """Read and verify one file of records.

    A file holds one record, or a published cell: `{"common": {...}, "units": [{...}, ...]}`, where `common` is what
    all the units share.

    Raises:
        BenchError: The file is no valid JSON, does not follow the schema, or a record contradicts itself; the message
            names the file and the key.
    """
    records = _parse(path)
    for record in records:
        try:
            verify(record)
        except BenchError as error:
            raise BenchError(f"{path} is not a valid record: {error.message}", error.hint) from error
    return records


def verify(record: Record) -> None:
    """Check that a record agrees with itself, so that nothing it states has to be believed.

    Of a completed one the counts of the test set and every metric must be those of its per-speaker statistics; a failed
    one has neither metrics nor statistics.

    Raises:
        BenchError: It does not; the message names the record, what it states and what its statistics give.
    """
    where = f"record {record.id!r} ({record.task.name}, fold {record.fold!r}, seed {record.seed})"
    again = "remove it and run again"
    metrics = metrics_of(record)
    if record.status == "failed":
        if record.metrics or record.by_speaker:
            raise BenchError(f"{where} failed, but has metrics or statistics", again)
        return
    if record.metrics.keys() != set(record.task.metrics):
        raise BenchError(f"{where} has the metrics {sorted(record.metrics)}, not {record.task.metrics}", again)
    total = statistics_of(record).sum(axis=0)
    for key, found in _counted(record, total).items():
        stated = getattr(record.counts, key)
        if stated != found:
            raise BenchError(f"{where}: counts.{key} is {stated}, but its statistics give {found}", again)
    for metric in metrics:
        score, computed = record.metrics[metric.name], float(metric.compute(total))
        if not math.isclose(score, computed, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            raise BenchError(f"{where}: metrics.{metric.name} is {score}, but its statistics give {computed}", again)


def metrics_of(record: Record) -> list[Metric]:
    """The metrics of a record's task, primary first.

    Raises:
        BenchError: There is none, or one is unknown or of another kind than the task.
    """
    metrics = [find(name) for name in record.task.metrics]
    if {metric.kind for metric in metrics} != {record.task.kind}:
        raise BenchError(
            f"record {record.id!r} of {record.task.name!r} has the metrics {record.task.metrics}",
            f"a task has at least one metric, and all of them for {record.task.kind}",
        )
    return metrics


def statistics_of(record: Record) -> NDArray[np.float64]:
    """The statistics of a completed record as an array, once they can be statistics at all.

    Returns:
        (S, K, K) confusion counts or (S, k, 6) moments of S speakers, in the order of `by_speaker`.

    Raises:
        BenchError: There is no speaker; or a speaker's statistics do not suit the task, or no utterances can give them.
    """
    again = "remove the record and run again"
    where = f"record {record.id!r} ({record.task.name}, fold {record.fold!r})"
    if not record.by_speaker:
        raise BenchError(f"{where} has no test speaker", again)
    is_classes, outputs = record.task.kind == "classification", len(record.task.outputs)
    shape = [outputs, outputs if is_classes else 6]
    for speaker, values in record.by_speaker.items():
        if [len(values), *{len(row) for row in values}] != shape:
            text = f"{where} has for speaker {speaker!r} statistics that are not {shape[0]} x {shape[1]}"
            raise BenchError(text, again)
    array = np.array(list(record.by_speaker.values()), dtype=np.float64)
    tested = array if is_classes else array[..., :1]  # the moments of all dimensions have one n
    possible = (tested >= 0) & (tested < EXACT) & (tested == np.floor(tested)) & tested.any(axis=(1, 2), keepdims=True)
    if not is_classes:
        possible &= tested == tested[:, :1]
    if not possible.all():
        speaker = list(record.by_speaker)[int(possible.all(axis=(1, 2)).argmin())]
        raise BenchError(f"{where} has for speaker {speaker!r} impossible numbers of utterances", again)
    return array


def pack(records: list[Record]) -> bytes:
    """Pack the records of a cell into one file, what they share written once."""
    units = [record.model_dump(mode="json") for record in records]
    common = {key: value for key, value in units[0].items() if all(unit[key] == value for unit in units)}
    rest = [{key: value for key, value in unit.items() if key not in common} for unit in units]
    lines = ",\n".join(canonical_json(unit).decode() for unit in rest)
    return f'{{"common": {canonical_json(common).decode()},\n"units": [\n{lines}\n]}}\n'.encode()


def _counted(record: Record, total: NDArray[np.float64]) -> dict[str, int | dict[str, int]]:
    """What the counts of a record must be, from the (K, K) or (k, 6) total of its statistics."""
    per_class = {}
    if record.task.kind == "classification":
        per_class = dict(zip(record.task.outputs, map(int, total.sum(axis=1)), strict=True))
    test = int(total.sum() if record.task.kind == "classification" else total[0, 0])
    return {"test": test, "test_speakers": len(record.by_speaker), "per_class": per_class}


def _read_files(folder: Path) -> Iterator[Record]:
    """Every record below a folder, in a fixed order, without what is half written."""
    if folder.is_dir():
        for path in sorted(folder.rglob("*.json")):
            if not path.name.startswith(TEMPORARY_PREFIX):
                yield from read_file(path)


def _parse(path: Path) -> list[Record]:
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
