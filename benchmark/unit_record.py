"""From a scored unit to its record and its local predictions."""

from __future__ import annotations

import csv
import io
import resource
import shlex
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.metrics import METRICS
from benchmark.plan import CellPlan, Unit
from benchmark.provenance import provenance
from benchmark.records import ClustersPart, Cost, Counts, Record, SelectionPart, UpstreamPart
from benchmark.store import Encoded
from benchmark.types import Examples, Selection


@dataclass(frozen=True)
class Scored:
    """A unit that went well.

    Attributes:
        test: The test examples with their targets.
        scores: (n, K) class scores, or (n, k) values.
        by_speaker: Sufficient statistics of each test speaker, or other cluster.
        selection: How the head was selected.
        parameters: Trained values of the head.
        fit_s: Time for fitting and predicting [s].
    """

    test: Examples
    scores: NDArray[np.float64]
    by_speaker: Mapping[str, NDArray[Any]]
    selection: SelectionPart
    parameters: int
    fit_s: float


def unit_record(cell: CellPlan, unit: Unit, result: Scored | str, encoded: Encoded | None, device: str) -> Record:
    """The record of a unit.

    Args:
        cell: What it belongs to.
        unit: Fold and seed.
        result: What was scored, or why it failed.
        encoded: The features; None where encoding failed.
        device: Where the head was fitted.
    """
    dataset, scored = cell.material.dataset, None if isinstance(result, str) else result
    task = dataset.task
    metrics = {}
    if scored is not None:
        total = np.sum(list(scored.by_speaker.values()), axis=0)
        metrics = {name: float(METRICS[name].compute(total)) for name in task.metrics}
    shape = encoded.shape if encoded else (None, None)
    # Statistics are means and deviations, so they are twice as many as the upstream has dimensions.
    dim = shape[-1] // 2 if shape[-1] and cell.downstream.needs == "statistics" else shape[-1]
    parameters = scored.parameters if scored else None
    return Record(
        id=unit.id,
        status="failed" if scored is None else "completed",
        reason=result if isinstance(result, str) else None,
        task=cell.material.part,
        upstream=UpstreamPart(
            name=cell.upstream.name,
            sha256=cell.upstream_sha256,
            params=dict(cell.upstream.params),
            weights_sha256=cell.upstream.weights_sha256(),
            sample_rate=cell.upstream.sample_rate,
            layers=shape[0],
            dim=dim,
            parameters=encoded.parameters if encoded else None,
            trained_on=list(cell.upstream.trained_on),
        ),
        downstream=cell.downstream_part.model_copy(update={"parameters": parameters}),
        fold=unit.fold.name,
        seed=unit.seed,
        protocol=unit.protocol,
        counts=_counts(cell, unit),
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
        selection=scored.selection if scored else None,
        cost=Cost(
            encode_s=encoded.seconds if encoded else None,
            fit_s=scored.fit_s if scored else None,
            peak_bytes=_peak_bytes(),
            audio_s=cell.material.audio_s,
            device=f"encode {encoded.device}, fit {device}" if encoded else device,
        ),
        provenance=provenance(_command(cell, unit)),
    )


def predictions_csv(scored: Scored) -> bytes:
    """One line for each test utterance: id, speaker, truth, decision (for classes) and scores. Stays local."""
    test, truth = scored.test, np.asarray(scored.test.y)
    is_classes = test.kind == "classification"
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    known = ["truth", "decision"] if is_classes else [f"true_{name}" for name in test.outputs]
    writer.writerow(["id", "speaker", *known, *(f"score_{name}" for name in test.outputs)])
    for name, speaker, target, scores in zip(test.ids, test.speakers, truth, scored.scores, strict=True):
        facts = [test.outputs[target], test.outputs[int(scores.argmax())]] if is_classes else target.tolist()
        writer.writerow([name, speaker, *facts, *scores.tolist()])
    return out.getvalue().encode()


def _counts(cell: CellPlan, unit: Unit) -> Counts:
    dataset, fold = cell.material.dataset, unit.fold
    classes = Counter(dataset.labels[name] for name in fold.test) if dataset.labels else Counter[str]()
    return Counts(
        train=len(fold.train),
        dev=len(fold.dev),
        test=len(fold.test),
        adapt=len(fold.adapt),
        test_speakers=len({dataset.by_id[name].speaker for name in fold.test} - {None}),
        per_class={label: classes[label] for label in dataset.task.labels},
    )


def selection_part(selection: Selection) -> SelectionPart:
    """What the record says of a selection.

    Raises:
        BenchError: The head gave something else.
    """
    if not isinstance(selection, Selection):
        raise BenchError(f"fit returned a {type(selection).__name__}", "it returns benchmark.Selection")
    values = asdict(selection)
    weights = values["layer_weights"]
    return SelectionPart(**{**values, "layer_weights": None if weights is None else list(weights)})


def _peak_bytes() -> int:
    """High-water mark of this process's memory, which the system gives in kilobytes, on macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _command(cell: CellPlan, unit: Unit) -> str:
    options = {
        "--upstream": cell.upstream.name,
        "--downstream": cell.downstream_name,
        "--task": cell.material.dataset.task.name,
        "--fold": unit.fold.name,
        "--seed": str(unit.seed),
    }
    return shlex.join(["bench", "run", *(word for option in options.items() for word in option)])
