"""`bench check`: does it keep its contract?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from benchmark.cli.options import Data, Plugin, Weights, examples, load
from benchmark.cli.terminal import stdout
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmark.contracts import Check

log = logging.getLogger(__name__)

CHECK_EPILOG = examples("bench check upstream logmel", "bench check corpus demo", "bench check task demo")


def check(
    part: Annotated[
        Literal["upstream", "downstream", "corpus", "task"], typer.Argument(help="What kind of thing it is.")
    ],
    name: Annotated[str, typer.Argument(help="Its name, or the YAML of a recipe or a task.")],
    plugin: Plugin = None,
    data: Data = None,
    weights: Weights = None,
) -> None:
    """Hold an upstream, downstream, corpus or task to its contract. One line for each check."""
    from benchmark import contracts

    registry, settings = load(plugin, data, weights, tasks=[name] if part == "task" else [])
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
