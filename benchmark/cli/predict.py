"""`bench predict`: what a fitted head says of recordings of one's own."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.options import Device, Plugin, Quiet, Results, Weights, examples
from benchmark.cli.systems import kept
from benchmark.cli.terminal import TerminalProgress
from benchmark.text import clean, count

if TYPE_CHECKING:
    from benchmark.protocol.task import Task
    from benchmark.run.predicting import Predictions

PREDICT_EPILOG = examples(
    "bench run --upstream logmel --task demo --keep-heads",
    "bench predict --cell demo/logmel/superb recordings/",
    "bench predict --cell demo/logmel/superb --fold 0 --json one.wav two.flac",
)


def predict(
    files: Annotated[list[Path], typer.Argument(metavar="FILES-OR-FOLDERS", help="Recordings.")],
    cell: Annotated[
        str, typer.Option("--cell", metavar="TASK/UPSTREAM/DOWNSTREAM", help="A cell whose heads are kept.")
    ],
    fold: Annotated[str | None, typer.Option("--fold", help="The head of this fold; the mean of all else.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The head of this seed; the mean of all else.")] = None,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of CSV.")] = False,
    quiet: Quiet = False,
    weights: Weights = None,
    results: Results = None,
    plugin: Plugin = None,
) -> None:
    """Let the kept heads of a cell decide on your own recordings. CSV on stdout, one line for each file."""
    from benchmark.run.predicting import no_sound, recordings
    from benchmark.run.predicting import predict as ask
    from benchmark.threads import resolve_device

    shelf, _, settings = kept(cell, plugin, weights, results)
    progress = TerminalProgress(quiet)
    heard, others, empty = recordings(files)
    for path, reason in empty.items():
        progress.problem(clean(f"{path}: {reason}"))
    if others:
        progress.note(f"not heard: {no_sound(others)}")
    units = shelf.find(fold, seed)
    folds = {unit.record.fold for unit in units}
    every = units[0].record.task.folds
    if fold is None and len(folds) < len(every):
        progress.note(f"the mean is over the heads of {len(folds)} of {count(len(every), 'fold')}: others are not kept")
    found = ask(shelf, units, heard, settings, resolve_device(device), progress)
    _write(found, shelf.task, as_json)
    if found.odd or empty:
        raise typer.Exit(1)


def _write(found: Predictions, task: Task, as_json: bool) -> None:
    """One line for each file."""
    is_classes = task.kind == "classification"
    kind = ("probability" if found.are_probabilities else "score") if is_classes else ""
    columns = [f"{kind}_{name}" if kind else name for name in task.outputs]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if not as_json:
        writer.writerow(["file", *(["decision"] if is_classes else []), *columns])
    for name, values in zip(found.files, found.values, strict=True):
        decision = {"decision": task.outputs[int(values.argmax())]} if is_classes else {}
        row = dict(zip(columns, (round(float(value), 6) for value in values), strict=True))
        if as_json:
            sys.stdout.write(json.dumps({"file": name, **decision, **row}, ensure_ascii=False) + "\n")
        else:
            writer.writerow([name, *decision.values(), *row.values()])
