"""`bench analyse`: what two systems decide differently, where errors lie and what systems weigh, from records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli import analyse_features, analyse_layers
from benchmark.cli.analyse_answers import FOLDER, Answer, Out, ends, give
from benchmark.cli.folders import read_records, record_folders
from benchmark.cli.options import Json, Published, RecordedTask, Results, command_group, examples
from benchmark.cli.systems import fitting, named, no_records
from benchmark.errors import BenchError, UsageError
from benchmark.text import clean, count, decimal

if TYPE_CHECKING:
    from benchmark.cli.folders import ReadFolders
    from benchmark.records.cells import Cell
    from benchmark.records.grouping import Grouping

EPILOG = examples(
    "bench analyse mismatch logmel mfcc --task demo",
    "bench analyse size --task urdu --published",
    "bench analyse projection whisper-tiny --task urdu --colour emotion --colour speaker",
)
SYSTEM = "UPSTREAM, or UPSTREAM+DOWNSTREAM."

app = command_group(
    "analyse", "Analyses of systems beyond their scores. Numbers as JSON and CSV, a figure as SVG and PNG.", EPILOG
)
First = Annotated[str, typer.Argument(help=SYSTEM)]
Second = Annotated[str, typer.Argument(help="The system to compare it with.")]
Systems = Annotated[list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="All of the task where not given.")]


@app.command("mismatch", epilog=examples("bench analyse mismatch whisper-tiny+svm egemaps+svm --task urdu"))
def mismatch(
    context: typer.Context,
    a: First,
    b: Second,
    task: RecordedTask,
    results: Results = None,
    out: Out = FOLDER,
    as_json: Json = False,
) -> None:
    """How often two systems decide differently. Beside what two seeds of one give; agreement; kappa."""
    from benchmark.analyses import decisions_of
    from benchmark.analyses import mismatch as compared

    folders, sources, shown = _shown(task, results, published=False)
    first, second = _two(a, b, shown)
    found = compared(decisions_of(folders, first), decisions_of(folders, second))
    rows = {
        "A and B": found.between,
        "two seeds of A": found.within_a,
        "two seeds of B": found.within_b,
        "beyond seeds": found.beyond,
    }
    remarks = [
        f"A: {found.a}, {count(found.seeds[0], 'seed')}; B: {found.b}, {count(found.seeds[1], 'seed')}; "
        f"{found.tests} tests each",
        f"Cohen's kappa {decimal(found.kappa, 3)}; intervals of 95 % for new speakers",
    ]
    answer = Answer(
        stem=f"mismatch-{task}-{_stem(first)}-{_stem(second)}",
        numbers={"mismatch": found},
        columns=["decided differently", "share", "low", "high"],
        rows=[[name, *ends(one)] for name, one in rows.items()],
        draw=lambda figures, command: figures.mismatch(found, command),
        remarks=remarks,
    )
    give(answer, context, out, as_json)
    sources.fail_if_doubtful()


@app.command(
    "confusion-shift",
    epilog=examples("bench analyse confusion-shift whisper-tiny+superb egemaps+superb --task urdu --published"),
)
def confusion_shift(
    context: typer.Context,
    a: First,
    b: Second,
    task: RecordedTask,
    results: Results = None,
    published: Published = False,
    out: Out = FOLDER,
    as_json: Json = False,
) -> None:
    """Where the confusions of two systems differ. Each difference is tested over speakers, and corrected for all."""
    from benchmark.analyses import confusion_shift as compared

    _, sources, shown = _shown(task, results, published)
    first, second = _two(a, b, shown)
    found = compared(first, second)
    names = [clean(name) for name in found.outputs]
    rows = [
        [
            names[i], names[j], found.shares_a[i, j], found.shares_b[i, j], *ends(found.shifts[i][j]),
            found.shifts[i][j].p, float(found.p_adjusted[i, j]),
        ]
        for i in range(len(names))
        for j in range(len(names))
    ]  # fmt: skip
    answer = Answer(
        stem=f"confusion-shift-{task}-{_stem(first)}-{_stem(second)}",
        numbers={"confusion_shift": found},
        columns=["truth", "decision", "A", "B", "A - B", "low", "high", "p", "corrected"],
        rows=rows,
        draw=lambda figures, command: figures.confusion_shift(found, command),
        remarks=[f"A: {found.a}; B: {found.b}; shares of a true class; corrected by Holm for all {len(rows)}"],
    )
    give(answer, context, out, as_json)
    sources.fail_if_doubtful()


@app.command("error-by-value", epilog=examples("bench analyse error-by-value --task iemocap-dims --dimension valence"))
def error_by_value(
    context: typer.Context,
    task: RecordedTask,
    systems: Systems = None,
    dimension: Annotated[
        list[str] | None, typer.Option("--dimension", help="Such as valence; may be repeated. All where not given.")
    ] = None,
    intervals: Annotated[int, typer.Option("--intervals", min=2, max=100, help="Of the true value.")] = 10,
    results: Results = None,
    out: Out = FOLDER,
    as_json: Json = False,
) -> None:
    """Error of systems by interval of the true value. With counts, and intervals for new speakers."""
    from benchmark.analyses import decisions_of
    from benchmark.analyses import error_by_value as by_value
    from benchmark.analyses.errors_by_value import edges_of

    folders, sources, shown = _shown(task, results, published=False)
    known = [decisions_of(folders, cell) for cell in _several(systems, shown)]
    found = {}
    for name in dict.fromkeys(dimension or known[0].outputs):
        edges = edges_of(known[0], name, intervals)
        found[name] = [by_value(one, name, edges) for one in known]
    rows = [
        [name, one.system, part.start, part.end, part.utterances, *ends(part.rmse), part.bias]
        for name, each in found.items()
        for one in each
        for part in one.bins
    ]
    answer = Answer(
        stem=f"error-by-value-{task}",
        numbers={"error_by_value": found},
        columns=["dimension", "system", "from", "to", "tests", "RMSE", "low", "high", "bias"],
        rows=rows,
        draw=lambda figures, command: figures.error_by_value(found, task, command),
    )
    give(answer, context, out, as_json)
    sources.fail_if_doubtful()


@app.command("size", epilog=examples("bench analyse size --task urdu --published"))
def size(
    context: typer.Context,
    task: RecordedTask,
    systems: Systems = None,
    results: Results = None,
    published: Published = False,
    out: Out = FOLDER,
    as_json: Json = False,
) -> None:
    """Size and speed of systems against their scores. Parameters, megabytes, encoding time and real-time factor."""
    from benchmark.analyses import sizes

    _, sources, shown = _shown(task, results, published)
    found = sizes(_several(systems, shown))
    rows = [
        [
            one.system, one.upstream, one.downstream, one.megabytes, one.encode_s, one.real_time, one.device,
            one.score, one.low, one.high,
        ]
        for one in found
    ]  # fmt: skip
    names = ["system", "upstream", "head", "MB", "encoding s", "real-time factor", "device", found[0].metric]
    answer = Answer(
        stem=f"size-{task}",
        numbers={"sizes": list(found)},
        columns=[*names, "low", "high"],
        rows=rows,
        draw=lambda figures, command: figures.sizes(found, command),
    )
    give(answer, context, out, as_json)
    sources.fail_if_doubtful()


@app.command("layer-weights", epilog=examples("bench analyse layer-weights whisper-tiny --task urdu --published"))
def layer_weights(
    context: typer.Context,
    task: RecordedTask,
    systems: Systems = None,
    results: Results = None,
    published: Published = False,
    out: Out = FOLDER,
    as_json: Json = False,
) -> None:
    """Weights of the layers that a head listens to. Mean and deviation over seeds, the mean over folds."""
    from benchmark.analyses import layer_weights as weights_of

    _, sources, shown = _shown(task, results, published)
    chosen, weights, reasons = [], {}, []
    for cell in _several(systems, shown):
        try:
            weights[clean(cell.name)] = weights_of(cell)
        except BenchError as error:
            if systems:
                raise
            reasons.append(error.message)
        else:
            chosen.append(cell)
    if not chosen:
        raise BenchError("; ".join(reasons), "only heads that weight several layers have some")
    rows = [
        [name, layer, float(each.mean()), float(each.std(ddof=1)) if len(each) > 1 else None, len(each)]
        for name, values in weights.items()
        for layer, each in enumerate(values.T)
    ]
    answer = Answer(
        stem=f"layer-weights-{task}",
        numbers={"layer_weights": weights},
        columns=["system", "layer", "weight", "sd over seeds", "seeds"],
        rows=rows,
        draw=lambda figures, command: figures.layer_weights(chosen, command),
        remarks=reasons,
    )
    give(answer, context, out, as_json)
    sources.fail_if_doubtful()


def _shown(task: str, results: Path | None, published: bool) -> tuple[list[Path], ReadFolders, Grouping]:
    """The folders of records, what is in them, and the cells of a task.

    Raises:
        UsageError: The task has no records.
    """
    from benchmark.records.grouping import group

    folders = record_folders([results] if results else None, published)
    sources = read_records(folders, [task])
    grouped = group(*sources.records)
    cells = grouped.cells
    known = sorted({cell.task.name for cell in cells})
    if task in sources.left_out:
        raise BenchError(f"the records of {task!r} are left out, as one of them cannot be read", "it is named above")
    if task not in known and grouped.modified.get(task):
        raise UsageError(
            f"all records of {task!r} are of a changed protocol or recipe, and no two need be changed alike",
            "run it as it is: without --set, and with the task's own seeds and folds",
        )
    if task not in known:
        raise no_records(task, known)
    return folders, sources, replace(grouped, cells=tuple(cell for cell in cells if cell.task.name == task))


def _two(a: str, b: str, shown: Grouping) -> tuple[Cell, Cell]:
    first, second = (named(name, shown.cells, shown.superseded) for name in (a, b))
    if first is second:
        raise UsageError(f"{clean(first.name)} would be compared with itself", "name two systems")
    return first, second


def _several(systems: list[str] | None, shown: Grouping) -> list[Cell]:
    """The systems that are named, or all that are complete."""
    cells = shown.cells
    if systems:
        chosen = [cell for name in systems for cell in (fitting(name, cells) or [named(name, cells, shown.superseded)])]
        return list(dict.fromkeys(chosen))
    complete = [cell for cell in cells if cell.complete]
    if not complete:
        raise BenchError(f"no system is complete on {cells[0].task.name}", "bench run completes them")
    return complete


def _stem(cell: Cell) -> str:
    return f"{cell.upstream.name}+{cell.downstream.name}"


app.command("layer-similarity", epilog=analyse_layers.EPILOG)(analyse_layers.layer_similarity)
analyse_features.register(app)
