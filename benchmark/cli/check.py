"""`bench check`: does it keep its contract?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from benchmark.cli.options import Data, Plugin, Weights, examples, load
from benchmark.cli.terminal import stdout
from benchmark.errors import BenchError
from benchmark.text import count

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
    """Hold an upstream, downstream, corpus or task to its contract. One line for each check; a mistake is told once."""
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
    mistakes: dict[tuple[str, ...], list[str]] = {}
    console = stdout()
    for item in checks:
        try:
            item.run()
        except BenchError as error:
            if error.exit_code != BenchError.exit_code:  # unknown or missing here: that says nothing of the contract
                raise
            log.debug("%s", item.name, exc_info=True)
            failed = mistakes.setdefault(contracts.mistake_of(error), [])
            told = f"by the same mistake as {failed[0]!r}" if failed else error
            failed.append(item.name)
            console.print(f"FAILED  {item.name}: {told}", markup=False, soft_wrap=True)
        else:
            console.print(f"ok      {item.name}", markup=False)
    if mistakes:
        number = count(sum(map(len, mistakes.values())), "check")
        several = [f"{len(names)} by that of {names[0]!r}" for names in mistakes.values() if len(names) > 1]
        more = f": {', '.join(several)}" if len(mistakes) > 1 else ""
        by = f" by {count(len(mistakes), 'mistake')}{more}" if several else ""
        raise BenchError(f"{part} {name!r} breaks {number} of its contract{by}")
