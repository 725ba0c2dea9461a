"""`bench export`: a fine-tuned upstream as a folder that others load."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.options import Plugin, Results, Weights, examples
from benchmark.cli.systems import kept
from benchmark.cli.terminal import stdout

EXPORT_EPILOG = examples(
    "bench export demo/whisper-tiny/finetune --fold 0 --out whisper-demo",
    "bench run --upstream hf:whisper-demo --task emodb",
)


def export(
    cell: Annotated[str, typer.Argument(metavar="TASK/UPSTREAM/RECIPE", help="Names of a cell that was run.")],
    fold: Annotated[str, typer.Option("--fold", help="Of which fold.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder that is made.")],
    seed: Annotated[int | None, typer.Option("--seed", help="Of which seed; the first where not given.")] = None,
    weights: Weights = None,
    results: Results = None,
    plugin: Plugin = None,
) -> None:
    """Write a fine-tuned upstream in the layout of transformers. It comes from one fold, with a model card."""
    from benchmark.run.exporting import export as write

    shelf, registry, _ = kept(cell, plugin, weights, results)
    write(shelf, shelf.find(fold, seed)[0], registry, out)
    named = out if out.name else out.resolve()  # a row has the name of the folder
    stdout().print(
        f"{out}: bench run --upstream {shlex.quote(f'hf:{named}')} --task TASK", markup=False, soft_wrap=True
    )
