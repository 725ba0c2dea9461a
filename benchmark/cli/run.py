"""`bench run`: fill the cells of the leaderboard."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from benchmark.cli.options import Data, Device, Json, Phones, Plugin, Quiet, Results, Weights, examples, load
from benchmark.cli.terminal import TerminalProgress, print_json, print_table, stdout
from benchmark.errors import UsageError
from benchmark.text import bytes_text, clean, count

if TYPE_CHECKING:
    from benchmark.base.downstream import TrainingSize
    from benchmark.io.settings import Settings
    from benchmark.run.dask_engine import DaskEngine
    from benchmark.run.outcomes import CellOutcome, CellScore
    from benchmark.run.plan import CellPlan

LARGEST_SEED = 2**32 - 1  # as in a protocol
RUN_EPILOG = examples(
    "bench run --upstream logmel --task demo",
    "bench run --upstream chance --upstream mfcc --downstream svm --task demo --seed 0",
    "bench run --upstream logmel --task demo --dry-run",
    "bench run --upstream logmel --task ravdess --data ravdess=SOME-ACTORS --allow-partial",
    "bench run --upstream logmel --task demo --workers 2",
    "bench run --upstream logmel --downstream svm --set downstream.C=0.1 --task demo",
    "bench run --upstream egemaps --downstream svm --task emodb --folds-from EmoBox/data/emodb",
)


def run(
    upstream: Annotated[list[str], typer.Option("--upstream", "-u", help="Representation; may be repeated.")],
    task: Annotated[list[str], typer.Option("--task", "-t", help="Task, or a protocol YAML; may be repeated.")],
    downstream: Annotated[
        list[str] | None,
        typer.Option("--downstream", "-d", help="Head, or a recipe YAML; the task's own if not given."),
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", min=0, max=LARGEST_SEED, help="Seed; the task's where not given.")
    ] = None,
    fold: Annotated[list[str] | None, typer.Option("--fold", help="Fold; all where not given.")] = None,
    rerun: Annotated[
        Literal["missing", "failed", "all"],
        typer.Option("--rerun", help="Do the units without a record, also those that failed, or all."),
    ] = "missing",
    device: Device = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; encode and train nothing.")] = False,
    allow_partial: Annotated[
        bool,
        typer.Option("--allow-partial", help="Take an incomplete corpus; its records are on no leaderboard."),
    ] = False,
    folds_from: Annotated[
        Path | None,
        typer.Option("--folds-from", metavar="DIR", help="EmoBox's folds of the corpus instead of the task's own."),
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Encode frames whenever a head reads them; store none.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=1024, help="Work in so many processes on this machine.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="Work on a dask cluster: file:PATH or tcp://HOST:PORT."),
    ] = None,
    without_audio: Annotated[
        bool,
        typer.Option("--without-audio", help="Hear nothing: for precomputed: features; records are on no leaderboard."),
    ] = False,
    phones: Phones = None,
    keep_heads: Annotated[
        bool, typer.Option("--keep-heads", help="Keep every fitted head, for bench predict; beside its record.")
    ] = False,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="downstream.KEY=VALUE",
            help="Change a value of the recipe for a study; its records are on no leaderboard. May be repeated.",
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
    data: Data = None,
    weights: Weights = None,
    results: Results = None,
    plugin: Plugin = None,
) -> None:
    """Run upstreams x downstreams x tasks. One record for a fold and seed; what is finished is not run again."""
    from benchmark.run.plan import Request, make_plan, setup_of
    from benchmark.run.worker import Worker

    if workers is not None and scheduler is not None:
        raise UsageError("--workers starts processes, and --scheduler names some that run", "give one of them")
    registry, settings = load(plugin, data, weights, results, task, changes or (), upstream)
    progress = TerminalProgress(quiet)
    request = Request(
        upstreams=upstream,
        tasks=task,
        downstreams=downstream or (),
        seeds=seed or (),
        folds=fold or (),
        rerun=rerun,
        allow_partial=allow_partial,
        folds_from=folds_from,
        stream=stream,
        without_audio=without_audio,
        phones=phones,
        keep_heads=keep_heads,
    )
    if dry_run:
        worker = Worker(setup_of(request, settings, registry.plugins, registry.changes), registry)
        _print_plan(make_plan(request, worker, progress), as_json)
        return
    if workers is None and scheduler is None:
        from benchmark.run.loop import run as run_here

        outcomes = run_here(request, registry, settings, progress, device)
    else:
        from benchmark.run.spread import run_spread

        try:
            started = _engine(workers, scheduler, device)
        except KeyboardInterrupt:
            progress.problem("interrupted before any worker was there: nothing was run")
            raise
        with closing(started) as engine:
            outcomes = run_spread(request, registry, settings, progress, engine, device)
    _print_outcomes(outcomes, settings, as_json, quiet)
    if any(outcome.failed or outcome.failed_earlier for outcome in outcomes):
        raise typer.Exit(1)


def _engine(workers: int | None, scheduler: str | None, device: str) -> DaskEngine:
    from benchmark.run.dask_engine import DaskEngine

    if scheduler is not None:
        return DaskEngine.connect(scheduler)
    from benchmark.threads import gpus

    return DaskEngine.local(workers or 1, 0 if device == "cpu" else gpus())


def _print_plan(cells: list[CellPlan], as_json: bool) -> None:
    rows = [cell.as_dict() for cell in cells]
    if as_json:
        print_json(rows)
        return
    columns = ["task", "upstream", "downstream", "utterances", "minutes", "folds", "seeds", "units", "to do"]
    columns += ["to encode", "disk"]
    shown = [
        [
            *(row[key] for key in ("task", "upstream", "downstream", "utterances")),
            f"{row['audio_s'] / 60:.1f}",
            *(row[key] for key in ("folds", "seeds", "units", "todo", "to_encode")),
            bytes_text(row["disk_bytes"]),
        ]
        for row in rows
    ]
    print_table("plan", columns, shown, right=columns[3:])
    from benchmark.features.views import total_bytes, total_encodings
    from benchmark.run.plan import weights_bytes

    for line in (line for cell in cells for line in _trainings(cell)):
        stdout().print(line, markup=False, soft_wrap=True)
    # Heads of one kind share the features of an upstream, and so do its layers and fusions.
    demands = [demand for cell in cells for demand in cell.demands]
    units, utterances = count(sum(len(cell.todo) for cell in cells), "unit"), total_encodings(demands)
    features, (kept, meanwhile) = total_bytes(demands), weights_bytes(cells)
    disk = bytes_text(None if features is None else features + kept)
    more = f", and {bytes_text(meanwhile)} more while one is trained" if meanwhile else ""
    told = f"in all: {units} to do, {count(utterances, 'utterance')} to encode, {disk} of disk{more}"
    stdout().print(told, soft_wrap=True)


def _trainings(cell: CellPlan) -> Iterator[str]:
    """What a cell trains: first what its upstream lacks, then in its own units."""
    where = f"{cell.parts.task.name} / {cell.parts.upstream.name}"
    if cell.trainings:
        sizes = Counter(cell.trainings.values())
        told = "; ".join(_training(number, size) for size, number in sizes.items())
        first = count(len(cell.trainings), "training")
        yield f"{where}: {first} first, and utterances are encoded with the weights of each"
        yield f"{where}: each training trains {told}"
    if cell.training is not None and cell.todo:
        yield f"{where} / {cell.parts.downstream.name}: each unit trains {_training(len(cell.todo), cell.training)}"


def _training(number: int, size: TrainingSize) -> str:
    each, kept, meanwhile = map(bytes_text, (size.kept_bytes, number * size.kept_bytes, size.checkpoint_bytes))
    return f"{size.parameters:,} values; {number} x {each} = {kept} are kept, and {meanwhile} more while one is trained"


def _score_text(score: CellScore | None) -> tuple[str, str]:
    from benchmark.metrics import find
    from benchmark.text import interval, with_spread

    if score is None:
        return "incomplete", ""
    metric = find(score.metric)
    is_known = score.low is not None and score.high is not None
    ends = interval(score.low or 0.0, score.high or 0.0, metric.percent) if is_known else ""
    return f"{metric.title} {with_spread(score.mean, score.sd, metric.percent)}", ends


def _print_outcomes(outcomes: list[CellOutcome], settings: Settings, as_json: bool, quiet: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json({"results": str(settings.results), "cells": [asdict(outcome) for outcome in outcomes]})
        return
    columns = [
        "task",
        "upstream",
        "downstream",
        "score",
        "95 % interval",
        "done",
        "kept",
        "failed",
        "encode s",
        "fit s",
    ]
    rows = []
    for outcome in outcomes:
        is_off_board = outcome.protocol != "official"
        marks = [mark for mark, holds in (("synthetic", outcome.synthetic), (outcome.protocol, is_off_board)) if holds]
        task = f"{outcome.task} ({', '.join(marks)})" if marks else outcome.task
        seconds = ["" if outcome.encode_s is None else f"{outcome.encode_s:.1f}", f"{outcome.fit_s:.1f}"]
        counts = [outcome.completed, outcome.kept, len(outcome.failed) + len(outcome.failed_earlier)]
        rows.append([task, outcome.upstream, outcome.downstream, *_score_text(outcome.score), *counts, *seconds])
    print_table("", columns, rows, right=columns[5:])
    for outcome in outcomes:
        if outcome.not_shown is not None:
            where = f"{outcome.task} / {outcome.upstream} / {outcome.downstream}"
            sys.stderr.write(clean(f"{where}: no board shows this row: {outcome.not_shown}") + "\n")
    if quiet:
        return
    # On stderr, since stdout carries the table; a path is never wrapped.
    on_board = any(outcome.protocol == "official" for outcome in outcomes)
    shown = f"bench leaderboard --results {shlex.quote(str(settings.results))}" if on_board else "none of it is ranked"
    sys.stderr.write(f"records: {settings.results}; {shown}\n")
