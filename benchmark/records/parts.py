"""Parts of a cell as cells of their own, so that their scores and intervals are computed as every other."""

from __future__ import annotations

from benchmark.records import Record
from benchmark.records.cells import Cell
from benchmark.sufficient import CALIBRATION

# What is computed from sums of probabilities.
MEASURES = ("ece", "brier", "nll")
AFTER = "_after"  # ends their names after the temperature


def of_class(cell: Cell, label: str) -> Cell:
    """The test utterances of one class: the WA of this cell is the recall of the class, all folds pooled.

    Speakers and folds without an utterance of the class are not in it; it is incomplete where nobody has any.

    Args:
        cell: A complete cell of a classification task.
        label: One of its classes.
    """
    index = cell.task.outputs.index(label)

    def only(record: Record) -> Record:
        kept = {}
        for speaker, counts in record.by_speaker.items():
            if sum(counts[index]) > 0:
                empty = [0.0] * len(counts)
                kept[speaker] = [row if place == index else empty for place, row in enumerate(counts)]
        return record.model_copy(update={"by_speaker": kept})

    records = {unit: only(record) for unit, record in cell.records.items()}
    records = {unit: record for unit, record in records.items() if record.by_speaker}
    having = [fold for fold in cell.task.folds if (fold, cell.seeds[0]) in records]
    task = cell.task.model_copy(update={"pool": "utterances", "folds": having})
    return Cell(task, cell.upstream, cell.downstream, records)


def of_probabilities(cell: Cell, *, after: bool) -> Cell | None:
    """The sums of probabilities of a cell: the metrics of this one are those of how far they can be believed.

    Args:
        cell: A complete cell of a classification task.
        after: Of probabilities after the temperature, not before.

    Returns:
        None where a unit has none: its head gives no probabilities or no temperature, or it is of an older version.
    """
    found = {}
    for unit in cell.units:
        part = cell.records[unit].calibration
        sums = None if part is None else part.after if after else part.before
        if sums is None:
            return None
        found[unit] = sums
    task = cell.task.model_copy(update={"kind": CALIBRATION.kind, "metrics": list(MEASURES)})
    records = {
        unit: cell.records[unit].model_copy(update={"by_speaker": sums, "task": task}) for unit, sums in found.items()
    }
    return Cell(task, cell.upstream, cell.downstream, records)


def of_dimension(cell: Cell, name: str) -> Cell:
    """One dimension of a regression task: the metrics of this cell are those of the dimension.

    Args:
        cell: A complete cell of a regression task.
        name: One of its dimensions.
    """
    index, task = cell.task.outputs.index(name), cell.task.model_copy(update={"outputs": [name]})

    def only(record: Record) -> Record:
        kept = {speaker: [rows[index]] for speaker, rows in record.by_speaker.items()}
        return record.model_copy(update={"by_speaker": kept, "task": task})

    records = {unit: only(record) for unit, record in cell.records.items()}
    return Cell(task, cell.upstream, cell.downstream, records)
