"""`bench cache`: what is stored, how large it is, and whether it is whole."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmark.cli.options import examples
from benchmark.cli.terminal import print_table, stdout
from benchmark.errors import BenchError, UsageError
from benchmark.text import bytes_text, count

# What is cached beside features.
CHECKPOINTS = ("checkpoints", "tuned")
OTHERS = ("audio", "boards", "corpora", "extracted", "lessons", *CHECKPOINTS)
CACHE_EPILOG = examples("bench cache du", "bench cache verify", "bench cache clear --checkpoints")


def cache(
    action: Annotated[
        Literal["du", "verify", "clear"], typer.Argument(help="Measure it, read all of it again, or delete it.")
    ],
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="Clear only weights: of interrupted trainings, and of finished ones.")
    ] = False,
) -> None:
    """Measure, verify or clear the cache. Features, digests, sound of videos, boards, corpora, trained weights.

    It holds no records.
    """
    if checkpoints and action != "clear":
        raise UsageError(f"--checkpoints goes with clear, not with {action}", "bench cache clear --checkpoints")
    from benchmark.features.store import cached_features
    from benchmark.io.settings import load_settings

    settings = load_settings()
    console = stdout()
    if action == "du":
        folders = [*cached_features(settings.cache), *(settings.cache / name for name in OTHERS)]
        rows = [[str(path.relative_to(settings.cache)), bytes_text(_size(path))] for path in folders if path.is_dir()]
        print_table(f"cache {settings.cache}", ["folder", "size"], [*rows, ["all", bytes_text(_size(settings.cache))]])
    elif action == "verify":
        _verify(settings.cache, settings.results)
    else:
        size = _size(settings.cache)
        for name in CHECKPOINTS if checkpoints else ("features", *OTHERS):
            shutil.rmtree(settings.cache / name, ignore_errors=True)
        console.print(f"cleared {bytes_text(size - _size(settings.cache))} in {settings.cache}", markup=False)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _verify(folder: Path, results: Path) -> None:
    from benchmark.features.shards import is_whole, shard_paths
    from benchmark.features.store import cached_features
    from benchmark.io.leftovers import leftovers

    shards = [path for features in cached_features(folder) for path in shard_paths(features)]
    damaged = [path for path in shards if not is_whole(path)]
    left = [path for place in (folder, results) for path in leftovers(place)]
    stdout().print(
        f"{count(len(shards), 'feature file')}, {len(damaged)} damaged; {len(left)} left over by interrupted writers"
        f"{' (the next run removes them)' if left else ''}",
        markup=False,
    )
    if damaged:
        names = ", ".join(str(path.relative_to(folder)) for path in damaged)
        raise BenchError(f"damaged: {names}", "the next run encodes their utterances again")
