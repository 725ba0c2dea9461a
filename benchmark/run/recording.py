"""From a scored unit to its record and its local predictions."""

from __future__ import annotations

import csv
import io
import resource
import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np

from benchmark.features.store import Encoded
from benchmark.metrics import METRICS
from benchmark.protocol.targets import targets_of
from benchmark.records import ClustersPart, Cost, Counts, Record
from benchmark.records.identity import command_of
from benchmark.run.fitting import Scored
from benchmark.run.provenance import provenance
from benchmark.run.unit import Material, Parts, PlannedUnit


@dataclass(frozen=True)
class Result:
    """What comes out of a unit: its record, and its predictions as CSV; None where it failed."""

    record: Record
    predictions: bytes | None


def result_of(
    material: Material, parts: Parts, unit: PlannedUnit, scored: Scored | str, encoded: Encoded, device: str
) -> Result:
    """The record and the predictions of a unit, or the record of why it failed."""
    predictions = None if isinstance(scored, str) else predictions_csv(scored)
    return Result(record_of(material, parts, unit, scored, encoded, device), predictions)


def record_of(
    material: Material, parts: Parts, unit: PlannedUnit, result: Scored | str, encoded: Encoded | None, device: str
) -> Record:
    """The record of a unit.

    Args:
        material: The task with its data.
        parts: What is said of its cell.
        unit: Fold and seed.
        result: What was scored, or why it failed.
        encoded: The features; None where encoding failed.
        device: Where the head was fitted.
    """
    dataset, scored = material.dataset, None if isinstance(result, str) else result
    task = dataset.task
    metrics = {}
    if scored is not None:
        total = parts.task.statistics.total(scored.by_speaker.values())
        metrics = {name: float(METRICS[name].compute(total)) for name in task.metrics}
    shape = encoded.shape if encoded else (None, None)
    # Statistics are means and deviations, so they are twice as many as the upstream has dimensions.
    dim = shape[-1] // 2 if shape[-1] and parts.downstream.needs == "statistics" else shape[-1]
    found = {"layers": shape[0], "dim": dim, "parameters": encoded.parameters if encoded else None}
    encoding, fitting = parts.code
    command = command_of(
        parts.upstream.name, parts.downstream.name, parts.task.name, unit.fold, unit.seed, parts.changes
    )
    return Record(
        id=unit.id,
        status="failed" if scored is None else "completed",
        reason=result if isinstance(result, str) else None,
        task=parts.task,
        upstream=parts.upstream.model_copy(update=found),
        downstream=parts.downstream.model_copy(update={"parameters": scored.parameters if scored else None}),
        fold=unit.fold,
        seed=unit.seed,
        protocol=unit.protocol,
        counts=_counts(material, unit),
        metrics=metrics,
        primary=task.primary,
        clusters=ClustersPart(
            unit=dataset.cluster_unit,
            salt=dataset.salt,
            salted=False,
            folds=dataset.folds_are_clusters,
            gender=dataset.genders(scored.by_speaker) if scored and dataset.cluster_unit == "speaker" else {},
        ),
        by_speaker={name: values.tolist() for name, values in scored.by_speaker.items()} if scored else {},
        calibration=scored.calibration if scored else None,
        selection=scored.selection if scored else None,
        cost=Cost(
            encode_s=encoded.seconds if encoded else None,
            fit_s=scored.fit_s if scored else None,
            peak_bytes=_peak_bytes(),
            audio_s=material.audio_s,
            device=f"encode {encoded.device}, fit {device}" if encoded else device,
        ),
        provenance=provenance(command, encoding, fitting),
    )


def predictions_csv(scored: Scored) -> bytes:
    """One line for each test utterance: id, speaker, truth, decision (for classes) and scores. Stays local."""
    test, truth = scored.test, np.asarray(scored.test.y)
    targets = targets_of(test.kind)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "speaker", *targets.columns(test.outputs), *(f"score_{name}" for name in test.outputs)])
    for name, speaker, target, scores in zip(test.ids, test.speakers, truth, scored.scores, strict=True):
        writer.writerow([name, speaker, *targets.row(test.outputs, target, scores), *scores.tolist()])
    return out.getvalue().encode()


def _counts(material: Material, unit: PlannedUnit) -> Counts:
    dataset = material.dataset
    fold = next(fold for fold in dataset.folds if fold.name == unit.fold)
    classes = Counter(dataset.labels[name] for name in fold.test) if dataset.labels else Counter[str]()
    return Counts(
        train=len(fold.train),
        dev=len(fold.dev),
        test=len(fold.test),
        adapt=len(fold.adapt),
        test_speakers=len({dataset.by_id[name].speaker for name in fold.test} - {None}),
        per_class={label: classes[label] for label in dataset.task.labels},
    )


def _peak_bytes() -> int:
    """High-water mark of this process's memory, which the system gives in kilobytes, on macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
