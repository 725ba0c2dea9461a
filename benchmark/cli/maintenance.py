"""`bench check`, `bench cache` and `bench doctor`: is it right, how large is it, and what is wrong here?"""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from benchmark.cli.options import Data, Plugin, Weights, examples, load
from benchmark.cli.terminal import print_table, stdout
from benchmark.errors import BenchError
from benchmark.text import bytes_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmark.contracts import Check

log = logging.getLogger(__name__)

# What is cached beside features.
OTHERS = ("audio", "corpora", "extracted")
CHECK_EPILOG = examples("bench check upstream logmel", "bench check corpus demo", "bench check task demo")
CACHE_EPILOG = examples("bench cache du", "bench cache verify")
DOCTOR_EPILOG = examples("bench doctor")


def check(
    part: Annotated[
        Literal["upstream", "downstream", "corpus", "task"], typer.Argument(help="What kind of thing it is.")
    ],
    name: Annotated[str, typer.Argument(help="Its name, or the YAML of a task.")],
    plugin: Plugin = None,
    data: Data = None,
    weights: Weights = None,
) -> None:
    """Hold an upstream, a downstream, a corpus or a task to its contract; one line for each check."""
    from benchmark import contracts

    registry, settings = load(plugin, data, weights, tasks=[name])
    checks: Iterable[Check]
    if part == "upstream":
        checks = contracts.check_upstream(lambda: registry.upstream(name, settings.find_weights))
    elif part == "downstream":
        checks = contracts.check_downstream(lambda: registry.downstream(name))
    elif part == "corpus":
        checks = contracts.check_corpus(registry.corpus(name), settings)
    else:
        checks = contracts.check_task(name, registry, settings)
    failed = 0
    console = stdout()
    for item in checks:
        try:
            item.run()
        except BenchError as error:
            if error.exit_code != BenchError.exit_code:  # unknown or missing here: that says nothing of the contract
                raise
            log.debug("%s", item.name, exc_info=True)
            failed += 1
            console.print(f"FAILED  {item.name}: {error}", markup=False)
        else:
            console.print(f"ok      {item.name}", markup=False)
    if failed:
        raise BenchError(f"{part} {name!r} breaks {failed} checks of its contract")


def cache(
    action: Annotated[
        Literal["du", "verify", "clear"], typer.Argument(help="Measure it, read all of it again, or delete it.")
    ],
) -> None:
    """Measure, verify or clear the cache: features, audio digests, sound of videos, rendered corpora; no records."""
    from benchmark.settings import load_settings
    from benchmark.store import cached_features

    settings = load_settings()
    console = stdout()
    if action == "du":
        folders = [*cached_features(settings.cache), *(settings.cache / name for name in OTHERS)]
        rows = [[str(path.relative_to(settings.cache)), bytes_text(_size(path))] for path in folders if path.is_dir()]
        print_table(f"cache {settings.cache}", ["folder", "size"], [*rows, ["all", bytes_text(_size(settings.cache))]])
    elif action == "verify":
        _verify(settings.cache)
    else:
        size = _size(settings.cache)
        for name in ("features", *OTHERS):
            shutil.rmtree(settings.cache / name, ignore_errors=True)
        console.print(f"cleared {bytes_text(size - _size(settings.cache))} in {settings.cache}", markup=False)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _verify(folder: Path) -> None:
    from benchmark.files import TEMPORARY_PREFIX
    from benchmark.shards import is_whole, shard_paths
    from benchmark.store import cached_features

    shards = [path for features in cached_features(folder) for path in shard_paths(features)]
    damaged = [path for path in shards if not is_whole(path)]
    leftovers = [path for path in folder.rglob(f"{TEMPORARY_PREFIX}*") if path.is_file()]
    stdout().print(
        f"{len(shards)} feature files, {len(damaged)} damaged; {len(leftovers)} left over by interrupted writers",
        markup=False,
    )
    if damaged:
        names = ", ".join(str(path.relative_to(folder)) for path in damaged)
        raise BenchError(f"damaged: {names}", "the next run encodes their utterances again")


def doctor(data: Data = None, weights: Weights = None) -> None:
    """Say what works on this machine: Python, packages, device, folders, corpora and weights."""
    from benchmark.doctor import examine

    registry, settings = load(None, data, weights)
    findings = examine(registry, settings)
    print_table("", ["", "what", "found"], [[f.status, f.what, f.found] for f in findings])
    broken = [finding.what for finding in findings if finding.status == "BROKEN"]
    if broken:
        raise BenchError(f"broken here: {', '.join(broken)}", "see the table")
