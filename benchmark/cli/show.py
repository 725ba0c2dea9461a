"""`bench show`: everything about an upstream, a downstream, a task or a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.list import (
    where,
)
from benchmark.cli.options import Data, Json, Plugin, Weights, examples, load
from benchmark.cli.show_audit import show_audit
from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import MissingError, UsageError

if TYPE_CHECKING:
    from benchmark.io.settings import Settings
    from benchmark.registry.registry import Registry

SHOW_EPILOG = examples(
    "bench show demo --audit", "bench show demo --audit --json", "bench show superb", "bench show egemaps --json"
)


def show(
    name: Annotated[str, typer.Argument(help="An upstream, downstream, task or corpus, or a YAML.")],
    audit: Annotated[bool, typer.Option("--audit", help="For a task: what its split gives away.")] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="With --audit: take an incomplete corpus.")
    ] = False,
    folds_from: Annotated[
        Path | None,
        typer.Option(
            "--folds-from", metavar="DIR", help="With --audit: EmoBox's folds of the corpus instead of the task's own."
        ),
    ] = None,
    as_json: Json = False,
    plugin: Plugin = None,
    data: Data = None,
    weights: Weights = None,
) -> None:
    """Show all about one upstream, downstream, task or corpus."""
    registry, settings = load(plugin, data, weights, tasks=[name] if _is_protocol(name) else [])
    found = _find(registry, settings, name)
    if not found:
        from benchmark.registry.tasks import by_path
        from benchmark.text import nearest

        entries = [*registry.upstreams(), *registry.downstreams(), *registry.corpora()]
        known = {*registry.tasks(), *(entry.name for entry in entries)}
        raise UsageError(f"nothing is called {name!r}", by_path(name) or nearest(name, known))
    if audit:
        if "task" not in found:
            raise UsageError(f"--audit is for tasks, and {name!r} is none", "bench list tasks")
        show_audit(registry, settings, name, as_json=as_json, allow_partial=allow_partial, folds_from=folds_from)
        return
    if allow_partial or folds_from is not None:
        raise UsageError("--allow-partial and --folds-from say what to audit", "give --audit too")
    references = _references(found["task"]["name"]) if "task" in found else []
    if as_json:
        print_json({**found, **({"references": references} if references else {})})
        return
    for kind, facts in found.items():
        print_table(f"{kind} {name}", ["", ""], [[key, _plain(value)] for key, value in facts.items() if value != {}])
    _print_references(references)


def _is_protocol(name: str) -> bool:
    """Whether it is the path of a YAML that is there, and no recipe."""
    from benchmark.registry.downstreams import is_recipe
    from benchmark.registry.entries import SUFFIXES

    path = Path(name)
    return name.endswith(SUFFIXES) and path.is_file() and not is_recipe(path, name)


def _plain(value: Any) -> str:
    if isinstance(value, dict | list):
        return _flow(value) if value else "-"
    return "-" if value is None or value == "" else str(value)


def _flow(value: Any) -> str:
    """A mapping or list on one line, as the YAML of a task writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items() if inner is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join("null" if inner is None else _flow(inner) for inner in value) + "]"
    return str(value)


def _references(task: str) -> list[dict[str, Any]]:
    from benchmark.protocol.references import references_of

    return [
        {**asdict(one), "figures": {figure.title: figure.text for figure in one.figures}} for one in references_of(task)
    ]


def _print_references(references: Sequence[dict[str, Any]]) -> None:
    if not references:
        return
    metrics = list(dict.fromkeys(title for one in references for title in one["figures"]))
    rows = [
        [one["upstream"], one["downstream"], *(one["figures"].get(title, "-") for title in metrics), one["source"]]
        for one in references
    ]
    columns = ["upstream", "downstream", *metrics, "source"]
    print_table("published elsewhere, often under another protocol", columns, rows, right=metrics)
    for source in dict.fromkeys((one["source"], one["table"], one["differs"]) for one in references):
        stdout().print("{}, {}: {}".format(*source), markup=False, style="dim")


def _find(registry: Registry, settings: Settings, name: str) -> dict[str, dict[str, Any]]:
    """Everything of this name, by kind: a task and its corpus often share one."""
    from benchmark.base.identity import code_of, identity_of
    from benchmark.registry.downstreams import is_recipe
    from benchmark.registry.entries import SUFFIXES

    found: dict[str, dict[str, Any]] = {}
    is_file = name.endswith(SUFFIXES)
    if is_file and not Path(name).is_file():
        raise UsageError(f"there is no file {name!r}", "give the path of a protocol or of a recipe, a YAML")
    is_own_recipe = is_file and is_recipe(Path(name), name)
    if name in registry.tasks() or (is_file and not is_own_recipe):
        task = registry.task(name)
        found["task"] = {**task.model_dump(mode="json", exclude_defaults=True), "sha256": task.sha256}
    if name in {entry.name for entry in registry.corpora()}:
        corpus = registry.corpus(name)
        fields = ("language", "licence", "citation", "homepage", "how_to_get", "synthetic")
        found["corpus"] = {field: getattr(corpus, field) for field in fields}
        found["corpus"]["counts"] = {part: asdict(whole) for part, whole in corpus.counts.items()}
        found["corpus"]["scales"] = {dimension: list(scale) for dimension, scale in corpus.scales.items()}
        found["corpus"]["data_found"] = where(corpus, settings)
    if is_own_recipe or name in {entry.name for entry in registry.downstreams()}:
        entry, head = registry.downstream_entry(name), registry.declared_head(name)
        facts = {**head.facts.as_dict(), **identity_of(head), **code_of(head).as_dict()}
        found["downstream"] = {"name": entry.name, "summary": entry.summary, "source": entry.source, **facts}
    try:
        entries = registry.upstream_entries(name)
    except UsageError:
        if found or not {"@", "+", ":"} & set(name):
            return found
        raise
    facts = {}
    for entry, _ in entries:
        own: dict[str, Any] = {key: getattr(entry, key) for key in ("summary", "extra", "source", "licence")}
        own |= {**entry.arguments, "training_data": list(entry.training_data), "trained_on": list(entry.trained_on)}
        facts |= {key if len(entries) == 1 else f"{key} of {entry.name}": value for key, value in own.items()}
    try:
        upstream = registry.upstream(name, settings.find_weights)
        shape = {"layers": upstream.layers, "dim": upstream.dim, "min_duration": upstream.min_duration}
        facts["trained_on"] = list(upstream.trained_on)
        found["upstream"] = {**facts, **shape, **identity_of(upstream), **code_of(upstream).as_dict()}
    except MissingError as error:
        if any(argument is not None for _, argument in entries):
            raise
        # A named checkpoint whose weights are not here: one more thing to show.
        found["upstream"] = {**facts, "missing": str(error)}
    return found
