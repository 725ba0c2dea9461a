"""Predictions of single utterances, which a run leaves beside its records and never publishes."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.protocol.targets import targets_of
from benchmark.records.cells import Cell, Unit
from benchmark.records.hiding import salted
from benchmark.records.schema import Record, TaskPart
from benchmark.records.store import RecordStore
from benchmark.records.verify import statistics_of

AGAIN = "remove the record and run it again"


@dataclass(frozen=True, eq=False)
class UnitPredictions:
    """The test utterances of a unit.

    Attributes:
        ids: Of the n utterances.
        speakers: Of each.
        truth: Class indices (n,) int64, or values (n, k) float64 of k dimensions.
        decided: Likewise, as the head decided.
    """

    ids: tuple[str, ...]
    speakers: tuple[str, ...]
    truth: NDArray[Any]
    decided: NDArray[Any]


def cell_predictions(folder: Path, cell: Cell) -> Mapping[Unit, UnitPredictions] | None:
    """The predictions of a cell of local records.

    Args:
        folder: Of the `RecordStore` with the records of the cell.
        cell: A complete cell.

    Returns:
        Those of every unit; None where one has none, as of published records.

    Raises:
        BenchError: A file cannot be read, or does not hold what its record counted.
    """
    store, found = RecordStore(folder), dict[Unit, UnitPredictions]()
    for local in store.of_task(cell.task.name):
        record = _of_cell(local, cell)
        path = store.path(local.task.name, local.id).with_suffix(".predictions.csv")
        if record is None or not path.is_file():
            continue
        read = _read(path, cell.task)
        counted = statistics_of(record).sum(axis=0)
        if not np.allclose(_counted(cell.task, read), counted, rtol=1e-6, atol=1e-6):
            raise BenchError(f"{path} does not hold what its record counted", AGAIN)
        found[record.fold, record.seed] = read
    return found if found.keys() == set(cell.units) else None


def _of_cell(local: Record, cell: Cell) -> Record | None:
    """A local record as the cell has it, whose speakers, folds and ids may be hidden; None where it is of another."""
    hidden = [] if local.clusters.salt is None else [salted(local, folds=local.clusters.folds)]
    return next((one for one in (local, *hidden) if cell.records.get((one.fold, one.seed)) == one), None)


def _counted(task: TaskPart, read: UnitPredictions) -> NDArray[np.float64]:
    """The statistics (a, b) of predictions."""
    if not targets_of(task.kind).are_classes:
        return np.asarray(task.statistics.of(read.truth, read.decided), dtype=np.float64)
    counts = np.zeros((len(task.outputs), len(task.outputs)))
    np.add.at(counts, (read.truth, read.decided), 1)
    return counts


def _read(path: Path, task: TaskPart) -> UnitPredictions:
    classes = {name: index for index, name in enumerate(task.outputs)}
    are_classes = targets_of(task.kind).are_classes
    what = "true and decided class" if are_classes else "true and predicted value of each dimension"
    ids, speakers, pairs = [], [], []
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        try:
            for row in reader:
                ids.append(row["id"])
                speakers.append(row["speaker"])
                if are_classes:
                    pairs.append([classes[row["truth"]], classes[row["decision"]]])
                else:
                    pairs.append(_values(row, task.outputs))
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise BenchError(f"{path}, line {reader.line_num}: no {what} ({error})", AGAIN) from error
    if are_classes:
        decisions = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return UnitPredictions(tuple(ids), tuple(speakers), decisions[:, 0], decisions[:, 1])
    values = np.array(pairs, dtype=np.float64).reshape(-1, 2, len(task.outputs))
    return UnitPredictions(tuple(ids), tuple(speakers), values[:, 0], values[:, 1])


def _values(row: Mapping[str, str], outputs: Sequence[str]) -> list[Any]:
    return [[float(row[f"{kind}_{name}"]) for name in outputs] for kind in ("true", "score")]
