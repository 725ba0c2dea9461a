"""What installed packages offer: entry points in four groups, found without importing anything of theirs.

    [project.entry-points."serbench.upstreams"]
    spectrum = "my_package.tones:Spectrum"          # a class; likewise .downstreams and .corpora
    [project.entry-points."serbench.downstreams"]
    recipes = "my_package.recipes"                  # a folder of recipes, YAML
    [project.entry-points."serbench.tasks"]
    tasks = "my_package.tasks"                      # a folder of protocols, YAML

One that cannot be read stops nothing but itself: it is told with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from benchmark.errors import BenchError
from benchmark.io.packages import package_folder
from benchmark.registry.entries import Entry
from benchmark.registry.source import read_class

GROUPS = {
    "upstream": "serbench.upstreams",
    "downstream": "serbench.downstreams",
    "corpus": "serbench.corpora",
    "task": "serbench.tasks",
}
# What may be wrong with other people's files before they are imported.
_FAILURES = (BenchError, ImportError, AttributeError, OSError, SyntaxError, ValueError)


@dataclass(frozen=True)
class Offer:
    """What an entry point offers: a class, or files; or nothing, where it is broken.

    Attributes:
        kind: "upstream", "downstream", "corpus" or "task".
        where: What to call it.
        entry: Its class.
        files: Recipes or protocols.
        broken: Why it cannot be used.
    """

    kind: str
    where: str
    entry: Entry | None = None
    files: tuple[Path, ...] = ()
    broken: str | None = None


def offers() -> Iterator[Offer]:
    """What all installed packages offer, group by group."""
    every = metadata.entry_points()  # once: it reads what all packages declare
    for kind, group in GROUPS.items():
        for point in every.select(group=group):
            where = f"entry point {point.name!r} of {point.dist.name if point.dist else point.value}"
            try:
                yield _offer(kind, point, where)
            except _FAILURES as error:
                yield Offer(kind, where, broken=reason_of(error))


def reason_of(error: Exception) -> str:
    """What is wrong, in one line."""
    return str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"


def _offer(kind: str, point: metadata.EntryPoint, where: str) -> Offer:
    if kind == "task" or (kind == "downstream" and not point.attr):
        files = tuple(sorted(package_folder(point.module).glob("*.yaml")))
        if not files:
            raise FileNotFoundError(f"{point.module} holds no YAML")
        return Offer(kind, where, files=files)
    if not point.attr:
        raise ValueError(f"{point.value!r} is no 'module:Class'")
    target = f"{point.module}:{point.attr}"
    found = read_class(target) or Entry(point.name, target, f"from {where}", where)
    # Its parameters may say less of it than its class does, which is nobody's to promise: it is asked itself.
    return Offer(kind, where, replace(found, name=point.name, where=where, params=None))
