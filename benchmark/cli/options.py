"""Options that several commands share."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark.io.settings import Settings
    from benchmark.registry.registry import Registry

log = logging.getLogger(__name__)

HELP_WIDTH = 110  # of a help text, in a terminal that has as much

Plugin = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py|MODULE",
        help="Load upstreams, downstreams and corpora from here too, and recipes/*.yaml beside it.",
    ),
]
Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data", metavar="NAME=PATH", help="Where a corpus is. Also BENCH_DATA, a folder with one folder per corpus."
    ),
]
Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weights",
        metavar="NAME=PATH",
        help="Where a named checkpoint is. Also BENCH_WEIGHTS, a folder with one folder per checkpoint.",
    ),
]
Results = Annotated[
    Path | None, typer.Option("--results", metavar="DIR", help="Folder of the records. Also BENCH_RESULTS.")
]
ResultFolders = Annotated[
    list[Path] | None,
    typer.Option("--results", metavar="DIR", help="Folder of records; may be repeated, the first one wins."),
]


def recorded_names(given: str | list[str] | None) -> str | list[str] | None:
    """What records call tasks that are given by their names, or by the paths of their YAMLs."""
    from benchmark.registry.tasks import Tasks

    if given is None:
        return None
    tasks = Tasks()
    return tasks.name_of(given) if isinstance(given, str) else [tasks.name_of(one) for one in given]


# Of commands that read records, and no protocol.
RecordedTask = Annotated[str, typer.Option("--task", "-t", help="Task, or its protocol YAML.", callback=recorded_names)]
RecordedTasks = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        "-t",
        help="Task, or its protocol YAML; may be repeated. All where not given.",
        callback=recorded_names,
    ),
]
Phones = Annotated[
    Path | None,
    typer.Option("--phones", metavar="DIR", help="Phone alignments, TextGrid or CTM, for what reads them."),
]
Task = Annotated[str, typer.Option("--task", "-t", help="Task, or a protocol YAML.")]
OnlyUpstreams = Annotated[
    list[str] | None, typer.Option("--upstream", "-u", help="Only these systems; may be repeated.")
]
OnlyDownstreams = Annotated[
    list[str] | None, typer.Option("--downstream", "-d", help="Only these systems; may be repeated.")
]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option("--device", help="Where to compute.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; what fails is told.")]
Published = Annotated[bool, typer.Option("--published", help="Also the results published with serbench.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def command_group(name: str, summary: str, epilog: str) -> typer.Typer:
    """Several commands under a name. Help is plain text: what draws boxes takes longer to load than all else."""
    return typer.Typer(
        name=name,
        help=summary,
        epilog=epilog,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": HELP_WIDTH},
    )


def examples(*commands: str) -> str:
    """The end of a help text: commands that run as they stand, a line for each."""
    # The backspace keeps lines as they are.
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)


def load(
    plugins: Sequence[str] | None,
    data: Sequence[str] | None = None,
    weights: Sequence[str] | None = None,
    results: Path | None = None,
    tasks: Sequence[str] = (),
    changes: Sequence[str] = (),
    upstreams: Sequence[str] = (),
) -> tuple[Registry, Settings]:
    """The registry and the settings that a command works with; entry points that are broken are told, and left out.

    Raises:
        UsageError: `data` or `weights` place something unknown; or a file in `tasks`, or among those on which
            `upstreams` are trained, is no protocol, where anything is placed.
    """
    from benchmark.errors import UsageError
    from benchmark.io.settings import load_settings
    from benchmark.registry.registry import Registry
    from benchmark.text import nearest

    registry, settings = Registry(plugins or (), changes), load_settings(data or (), weights or (), results)
    for offer in registry.broken:
        log.warning("the %s is broken, and left out: %s", offer.where, offer.broken)
    given = [*tasks, *(task for name in upstreams for task in registry.upstream_tasks(name))] if settings.data else []
    own = [registry.task(name).name for name in given]  # first, as what is wrong with one explains what is not known
    corpora = {*(entry.name for entry in registry.corpora()), *registry.tasks(), *own}
    checkpoints = {entry.name for entry in registry.upstreams() if entry.arguments}
    for option, placed, known in (("--data", settings.data, corpora), ("--weights", settings.weights, checkpoints)):
        for name in placed:
            if name not in known:
                raise UsageError(f"{option} places {name!r}, which is not known", nearest(name, known))
    return registry, settings
