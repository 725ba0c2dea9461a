"""`bench list` and `bench show`: what there is, and everything about one of it. No torch is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from benchmark.cli.options import Data, Json, Plugin, Weights, examples, load
from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import MissingError, UsageError

if TYPE_CHECKING:
    from benchmark.audit import Audit
    from benchmark.registry import Registry
    from benchmark.settings import Settings

LIST_EPILOG = examples("bench list upstreams", "bench list tasks --json")
SHOW_EPILOG = examples("bench show demo --audit", "bench show superb", "bench show egemaps --json")


def list_names(
    what: Annotated[Literal["upstreams", "downstreams", "tasks", "corpora"], typer.Argument(help="What to list.")],
    as_json: Json = False,
    plugin: Plugin = None,
    data: Data = None,
) -> None:
    """List upstreams, downstreams, tasks or corpora."""
    registry, settings = load(plugin, data)
    rows: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "upstreams": lambda: [_entry(entry) for entry in registry.upstreams()],
        "downstreams": lambda: [_entry(entry) for entry in registry.downstreams()],
        "tasks": lambda: [_task_row(registry, settings, name) for name in registry.tasks()],
        "corpora": lambda: [_corpus_row(registry, settings, entry.name) for entry in registry.corpora()],
    }
    found = rows[what]()
    if as_json:
        print_json(found)
    else:
        columns = list(found[0])
        print_table("", columns, [["" if row[key] is None else row[key] for key in columns] for row in found])


def _entry(entry: Any) -> dict[str, Any]:
    shown = f"{entry.name}PATH-OR-ID" if entry.name.endswith(":") else entry.name
    return {"name": shown, "summary": entry.summary, "extra": entry.extra, "defined in": entry.where}


def _task_row(registry: Registry, settings: Settings, name: str) -> dict[str, Any]:

    task = registry.task(name)
    return {
        "name": task.name,
        "title": task.title,
        "corpus": task.corpus,
        "utterances": task.expect.utterances,
        "speakers": task.expect.speakers,
        "metric": task.primary,
        "speaker-independent": "yes" if task.speaker_independent else "NO",
        "data": _where(registry, settings, task.corpus, task.name),
    }


def _corpus_row(registry: Registry, settings: Settings, name: str) -> dict[str, Any]:
    corpus = registry.corpus(name)
    summary = next(entry.summary for entry in registry.corpora() if entry.name == name)
    return {
        "name": name,
        "summary": summary,
        "licence": corpus.licence,
        "synthetic": "yes" if corpus.synthetic else "",
        "data": _where(registry, settings, name),
    }


def _where(registry: Registry, settings: Settings, corpus: str, task: str | None = None) -> str:
    """Whether the data are at hand, without touching them."""
    from benchmark.base import Corpus

    if type(registry.corpus(corpus)).prepare is not Corpus.prepare:
        return "made when needed"
    try:
        return "found" if settings.find_data(*([task] if task else []), corpus) else "not here"
    except MissingError:
        return "not where it was said to be"


def show(
    name: Annotated[str, typer.Argument(help="An upstream, downstream, task or corpus.")],
    audit: Annotated[bool, typer.Option("--audit", help="For a task: what its split gives away.")] = False,
    as_json: Json = False,
    plugin: Plugin = None,
    data: Data = None,
    weights: Weights = None,
) -> None:
    """Show everything about one upstream, downstream, task or corpus."""
    registry, settings = load(plugin, data, weights, tasks=[name])
    found = _find(registry, settings, name)
    if not found:
        from benchmark.registry import nearest

        known = [*registry.tasks(), *(e.name for e in [*registry.upstreams(), *registry.downstreams()])]
        raise UsageError(f"nothing is called {name!r}", nearest(name, [*known, *(e.name for e in registry.corpora())]))
    if audit:
        if "task" not in found:
            raise UsageError(f"--audit is for tasks, and {name!r} is none", "bench list tasks")
        _show_audit(registry, settings, name, as_json)
        return
    if as_json:
        print_json(found)
        return
    for kind, facts in found.items():
        print_table(f"{kind} {name}", ["", ""], [[key, _plain(value)] for key, value in facts.items()])


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(inner)}" for key, inner in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(_plain(inner) for inner in value) or "-"
    return "-" if value is None or value == "" else str(value)


def _find(registry: Registry, settings: Settings, name: str) -> dict[str, dict[str, Any]]:
    """Everything of this name, by kind: a task and its corpus often share one."""
    found: dict[str, dict[str, Any]] = {}
    if name in registry.tasks() or name.endswith((".yaml", ".yml")):
        task = registry.task(name)
        found["task"] = {**task.model_dump(mode="json"), "sha256": task.sha256}
    if name in {entry.name for entry in registry.corpora()}:
        corpus = registry.corpus(name)
        fields = ("licence", "citation", "homepage", "how_to_get", "synthetic")
        found["corpus"] = {field: getattr(corpus, field) for field in fields}
        found["corpus"]["data"] = _where(registry, settings, name)
    if name in {entry.name for entry in registry.downstreams()}:
        entry = registry.downstream_entry(name)
        identity = registry.downstream(name).identity()
        found["downstream"] = {"summary": entry.summary, "source": entry.source, **identity}
    try:
        upstream_entry, argument = registry.upstream_entry(name)
    except UsageError:
        return found
    facts = {"summary": upstream_entry.summary, "extra": upstream_entry.extra, "source": upstream_entry.source}
    facts |= {"licence": upstream_entry.licence, **upstream_entry.arguments}
    try:
        upstream = registry.upstream(name, settings.find_weights(name))
        shape = {"layers": upstream.layers, "dim": upstream.dim, "min_duration": upstream.min_duration}
        found["upstream"] = {**facts, **shape, **upstream.identity()}
    except MissingError as error:
        if argument is not None:
            raise
        # A named checkpoint whose weights are not here: one more thing to show.
        found["upstream"] = {**facts, "missing": str(error)}
    return found


def _show_audit(registry: Registry, settings: Settings, name: str, as_json: bool) -> None:
    from dataclasses import asdict

    from benchmark.audit import audit
    from benchmark.cli.terminal import TerminalProgress
    from benchmark.dataset import load_dataset
    from benchmark.listening import listen

    task = registry.task(name)
    dataset = load_dataset(task, registry.corpus(task.corpus), settings)
    with TerminalProgress().stage(f"listen to {name}", len(dataset.utterances)) as advance:
        heard = listen(dataset, settings, {}, advance)
    report = audit(dataset, heard)
    if as_json:
        print_json(asdict(report))
        return
    _print_audit(f"{name} (synthetic)" if dataset.corpus.synthetic else name, report)


def _print_audit(name: str, report: Audit) -> None:
    columns = ["fold", "train", "dev", "test", "speakers", "shared speakers", "test per class", "classes missing"]
    rows = [
        [
            fold.name,
            *fold.sizes,
            "/".join(str(number) for number in fold.speakers),
            len(fold.shared_speakers),
            " ".join(f"{label} {number}" for label, number in fold.per_class.items()),
            ", ".join(fold.missing),
        ]
        for fold in report.folds
    ]
    print_table(f"audit of {name}", columns, rows, right=columns[1:4])
    console = stdout()
    for finding in report.findings:
        console.print(f"{finding.severity}: {finding.text}", markup=False)
    if not report.findings:
        console.print("no findings")
