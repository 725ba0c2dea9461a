"""`bench pretrain`: a model of one's own, pre-trained as emotion2vec was."""

from __future__ import annotations

import importlib
import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.options import Device, Json, Plugin, Quiet, examples, load
from benchmark.cli.terminal import TerminalProgress, print_json, print_table, stdout
from benchmark.errors import MissingError, UsageError
from benchmark.text import bytes_text, clean, count, decimal, human, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark.registry.registry import Registry

# The spoke that trains, named only as strings.
PRETRAINING, RECIPES, SPEECH = (f"upstreams.pretraining.{name}" for name in ("pretrain", "recipe", "speech"))
CANVAS, CURVES = "leaderboard.figures", "leaderboard.figures.training"  # the spoke that draws
PRETRAIN_EPILOG = examples(
    "bench pretrain --list",
    "bench pretrain --recipe emotion2vec-small --data demo --out small",
    "bench pretrain --recipe emotion2vec --data iemocap=IEMOCAP --start data2vec2:base_libri --out model --dry-run",
    "torchrun --standalone --nproc-per-node 4 --no-python bench pretrain --recipe emotion2vec --data demo --out model",
)


def pretrain(
    recipe: Annotated[
        str, typer.Option("--recipe", "-r", metavar="NAME|FILE.yaml", help="What is done, see --list.")
    ] = "emotion2vec",
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="CORPUS[=PATH]", help="A corpus to learn from; may be repeated."),
    ] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option("--audio", metavar="DIR", help="A folder of audio that is no corpus; may be repeated."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start", metavar="KIND:PATH", help="Weights to begin with: data2vec2:, data2vec:, emotion2vec:."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of the model; one that is begun is gone on with."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe; may be repeated."),
    ] = None,
    device: Device = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what it would take; train nothing.")] = False,
    list_recipes: Annotated[bool, typer.Option("--list", help="List the recipes.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
    plugin: Plugin = None,
) -> None:
    """Pre-train a speech representation on unlabelled speech. It is done by online distillation, as emotion2vec was.

    The folder that comes of it is an upstream: `--upstream emotion2vec:DIR`. Killed, and called again, it goes on.
    """
    if list_recipes:
        _print_recipes(as_json)
        return
    if out is None:
        raise UsageError("where shall the model go?", "--out DIR")
    names = [text.partition("=") for text in data or ()]
    registry, settings = load(plugin, [text for text in data or () if "=" in text])
    from benchmark.threads import resolve_device

    training: Any = importlib.import_module(PRETRAINING)
    request = training.Request(
        recipe=recipe,
        changes=tuple(changes or ()),
        start=start,
        sources=tuple(_sources(registry, [name for name, _, _ in names], audio or ())),
        out=out,
        device=resolve_device(device),
    )
    progress = TerminalProgress(quiet)
    leads = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts, one speaks
    if dry_run:
        planned = training.plan(request, settings, progress).as_dict()
        if leads:
            _print_plan(planned, as_json)
        return
    made = training.pretrain(request, settings, progress)
    if leads:
        _draw(out / training.TRAINING, training.LOG, made["recipe"]["name"], progress)
        _print_made(made, out, as_json)


def _sources(registry: Registry, names: Sequence[str], folders: Sequence[Path]) -> list[Any]:
    """What is to be heard.

    Raises:
        UsageError: A corpus is not known.
    """
    source = importlib.import_module(SPEECH).Source
    known = [entry.name for entry in registry.corpora()]
    for name in names:
        if name not in known:
            hint = f"{nearest(name, known)}; --audio DIR for a folder that is no corpus"
            raise UsageError(f"--data {name!r} is no corpus", hint)
    corpora = [source(name, corpus=registry.corpus(name)) for name in names]
    return corpora + [source(folder.expanduser().resolve().name, folder=folder.expanduser()) for folder in folders]


def _draw(folder: Path, log: str, name: str, progress: TerminalProgress) -> None:
    """Draw the curves of the log, where there is one and figures can be drawn."""
    from benchmark.io.files import write_atomically

    if not (folder / log).is_file():  # fewer steps than between two lines
        return
    lines = [json.loads(line) for line in (folder / log).read_text(encoding="utf-8").splitlines()]
    try:
        figure = importlib.import_module(CURVES).curves(lines, name, f"bench pretrain --recipe {name}")
    except MissingError as error:
        progress.note(f"no curves: {error}")
        return
    write_atomically(folder / "curves.svg", importlib.import_module(CANVAS).svg(figure, alone=True).encode())


def _print_recipes(as_json: bool) -> None:
    recipes: Any = importlib.import_module(RECIPES)
    rows = [recipes.read_recipe(name) for name in recipes.recipe_names()]
    if as_json:
        print_json([row.model_dump(mode="json") for row in rows])
        return
    shown = [[row.name, row.summary, row.start, f"{row.schedule.steps}"] for row in rows]
    print_table("", ["recipe", "summary", "starts from", "steps"], shown, right=["steps"])


def _print_plan(planned: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(planned)
        return
    start = planned["start"]
    sources = ", ".join(one.get("corpus") or f"{one['folder']} (folder)" for one in planned["data"])
    rows = [
        ["recipe", planned["recipe"]],
        ["starts from", f"{start['kind']} {start['model']}".strip()],
        ["begins at random", ", ".join(start["new"]) or "nothing"],
        ["speech", f"{count(planned['recordings'], 'recording')}, {decimal(planned['hours'], 2)} h: {sources}"],
        ["contaminated on", ", ".join(planned["trained_on"]) or "no corpus"],
        [
            "parameters",
            f"{human(planned['parameters_trained'])} trained, {human(planned['parameters_of_the_encoder'])} encode",
        ],
        ["steps", f"{planned['steps']}, of which {planned['done']} are done"],
        ["epochs", decimal(planned["epochs"], 1)],
        ["disk", bytes_text(planned["disk_bytes"])],
    ]
    print_table("plan", ["", ""], rows)


def _print_made(made: dict[str, Any], out: Path, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    shown = {key: value for key, value in made["last"].items() if value is not None}
    rows = [
        [key.replace("_", " "), f"{value:.6g}" if isinstance(value, float) else value] for key, value in shown.items()
    ]
    print_table(f"{clean(made['recipe']['name'])}, at the end", ["", ""], rows, right=[""])
    stdout().print(f"marked as contaminated on: {', '.join(made['trained_on']) or 'no corpus'}", markup=False)
    command = f"bench run --upstream emotion2vec:{shlex.quote(str(out))} --task demo"
    stdout().print(command, markup=False, soft_wrap=True)
