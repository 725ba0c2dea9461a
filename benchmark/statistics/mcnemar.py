"""McNemar's test of two systems' decisions, where the predictions of single utterances are at hand.

It takes utterances for independent, which those of one speaker are not: with speakers who suit one system more than the
other it finds differences that are not there several times too often (`leaderboard/METHODS.md`). It is shown because
readers ask for it, beside the test that counts.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchError
from benchmark.protocol.targets import targets_of
from benchmark.records import Record, RecordStore
from benchmark.records.cells import Cell, same_protocol


@dataclass(frozen=True)
class McNemar:
    """The decisions on which two systems differ, in the first seed of each.

    Attributes:
        a_only: Utterances that only the first one decides correctly.
        b_only: Utterances that only the second one does.
        utterances: All that both were tested on.
        p: Two-sided exact p-value of "both are as often right"; McNemar (1947), Psychometrika 12(2).
    """

    a_only: int
    b_only: int
    utterances: int
    p: float


def mcnemar(a: Cell, b: Cell, root: Path) -> McNemar | None:
    """Compare the predictions of two cells that were run here.

    Args:
        a: A complete cell of a classification task.
        b: Another one, of the same protocol, recordings and folds.
        root: Folder of the records, beside which the predictions lie.

    Returns:
        None for values instead of classes, or where the predictions of a fold are not there, as of published records.

    Raises:
        BenchError: A file of predictions is not what a run writes, or the two are not of the same utterances.
    """
    if not targets_of(a.task.kind).are_classes:
        return None
    right_a, right_b = _right(a, root), _right(b, root)
    if right_a is None or right_b is None:
        return None
    if right_a.keys() != right_b.keys():
        raise BenchError(
            f"the predictions of {a.name} and {b.name} on {a.task.name} are not of the same utterances",
            "run both again with --rerun all",
        )
    from scipy import stats

    a_only = sum(right and not right_b[key] for key, right in right_a.items())
    b_only = sum(right and not right_a[key] for key, right in right_b.items())
    p = float(stats.binomtest(a_only, a_only + b_only).pvalue) if a_only + b_only else 1.0
    return McNemar(a_only, b_only, len(right_a), p)


def _right(cell: Cell, root: Path) -> dict[tuple[str, str], bool] | None:
    """Whether each utterance of each fold was decided correctly with the first seed.

    Cells may hide the names of folds, and so the ids of records; the files of predictions have the open ones.
    """
    store, found, folds = RecordStore(root), {}, 0
    for record in store.of_task(cell.task.name):
        if not _is_of(record, cell):
            continue
        path = store.path(cell.task.name, record.id).with_suffix(".predictions.csv")
        if not path.is_file():
            return None
        folds += 1
        try:
            with path.open(newline="", encoding="utf-8") as lines:
                for line in csv.DictReader(lines):
                    found[record.fold, line["id"]] = line["truth"] == line["decision"]
        except (KeyError, UnicodeDecodeError, csv.Error) as error:
            raise BenchError(f"{path} does not hold predictions: {error}", "run it again with --rerun all") from error
    return found if folds == len(cell.task.folds) else None


def _is_of(record: Record, cell: Cell) -> bool:
    """Whether a local record is a unit of the cell with its first seed."""
    same = (
        same_protocol(record.task, cell.task)
        and record.upstream.sha256 == cell.upstream.sha256
        and record.downstream.sha256 == cell.downstream.sha256
    )
    return same and record.seed == cell.seeds[0] and (record.status, record.protocol) == ("completed", "official")
