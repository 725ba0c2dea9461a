"""`bench list`: what there is, from protocols, scanners and checkpoints, without data, weights or torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from benchmark.cli.options import Data, Json, Plugin, examples, load
from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import BenchError, MissingError, UsageError

if TYPE_CHECKING:
    from benchmark.base import Corpus
    from benchmark.io.settings import Settings
    from benchmark.protocol.task import Task
    from benchmark.registry.entries import Entry
    from benchmark.registry.registry import Registry

# Whether a folder is there: what is in it is not looked at.
Place = Literal["yes", "made when needed", "no", "no: the folder given does not exist"]
KINDS = ("classification", "regression", "sequence", "cross-corpus")
LIST_EPILOG = examples("bench list upstreams", "bench list tasks --runnable", "bench list corpora --json")
ARROW = " -> "
ARGUMENTS = {"tuned:": "TASK/UPSTREAM/RECIPE"}  # of prefixes that take no path
# What an entry point offers, as it is listed.
OFFERED = {"upstream": "upstreams", "downstream": "downstreams", "corpus": "corpora", "task": "tasks"}


def list_names(
    what: Annotated[Literal["upstreams", "downstreams", "tasks", "corpora"], typer.Argument(help="What to list.")],
    runnable: Annotated[
        bool,
        typer.Option("--runnable", help="Only tasks whose corpora are found; whether they are whole is not looked at."),
    ] = False,
    as_json: Json = False,
    plugin: Plugin = None,
    data: Data = None,
) -> None:
    """List upstreams, downstreams, tasks or corpora."""
    if runnable and what != "tasks":
        raise UsageError(f"--runnable is for tasks, not for {what}", "bench list tasks --runnable")
    registry, settings = load(plugin, data)
    rows: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "upstreams": lambda: upstream_rows(registry),
        "downstreams": lambda: downstream_rows(registry),
        "tasks": lambda: [row for row in task_rows(registry, settings) if row["data_found"] or not runnable],
        "corpora": lambda: corpus_rows(registry, settings),
    }
    found = rows[what]()
    if as_json:
        print_json(found)
    else:
        shown: dict[str, Callable[[Sequence[dict[str, Any]]], None]] = {
            "upstreams": print_upstreams,
            "downstreams": print_downstreams,
            "tasks": print_tasks,
            "corpora": print_corpora,
        }
        shown[what](found)
        for offer in registry.broken:
            if OFFERED[offer.kind] == what:
                stdout().print(f"BROKEN {offer.where}: {offer.broken}", markup=False)


def downstream_rows(registry: Registry) -> list[dict[str, Any]]:
    """Every downstream.

    Returns:
        Plain values: name, summary, extra, "defined in", version (None where none is declared), what
        `benchmark.base.declared.HeadFacts` tells (None where the head cannot be made), and broken: why not.
    """
    return [_downstream_row(registry, entry) for entry in registry.downstreams()]


def _downstream_row(registry: Registry, entry: Entry) -> dict[str, Any]:
    from dataclasses import fields

    from benchmark.base.declared import HeadFacts

    row = {"name": entry.name, "summary": entry.summary, "extra": entry.extra, "defined in": entry.where}
    try:
        facts, broken = registry.head_facts(entry.name).as_dict(), None
    except BenchError as error:  # other people's: it stops no other
        facts, broken = {fact.name: None for fact in fields(HeadFacts)}, str(error)
    return {**row, "version": entry.version, **facts, "broken": broken}


def print_downstreams(rows: Sequence[dict[str, Any]]) -> None:
    """Print what each head reads and which tasks it takes."""
    columns = ["name", "summary", "needs", "kinds", "uses dev", "defined in"]
    print_table("", columns, [_head_texts(row) for row in rows])
    for row in rows:
        if row["broken"] is not None:
            stdout().print(f"BROKEN {row['name']}: {row['broken']}", markup=False)


def _head_texts(row: dict[str, Any]) -> list[str]:
    if row["broken"] is not None:
        return [row["name"], row["summary"], "BROKEN", "", "", row["defined in"]]
    more = {"sequences": "sequences", "adapts": "cross-corpus"}
    kinds = [*row["kinds"], *(f"{word} only" for key, word in more.items() if row[key])]
    needs = f"{row['needs']}, phones" if row["phones"] else row["needs"]
    return [row["name"], row["summary"], needs, ", ".join(kinds), row["uses_dev"], row["defined in"]]


def where(corpus: Corpus, settings: Settings, task: str | None = None) -> Place:
    """Whether a corpus is at hand, without touching it.

    Args:
        corpus: The scanner.
        settings: Where corpora are.
        task: A task whose own folder would do too.
    """
    from benchmark.base import Corpus

    if type(corpus).prepare is not Corpus.prepare:
        return "made when needed"
    try:
        return "yes" if settings.find_data(*([task] if task else []), corpus.name) else "no"
    except MissingError:
        return "no: the folder given does not exist"


def task_rows(registry: Registry, settings: Settings) -> list[dict[str, Any]]:
    """Every task with what it expects, grouped by language and kind; tasks between two corpora come last.

    Returns:
        Plain values: name, title, language, kind, corpus, utterances and speakers (the sum over its corpora; None where
        it expects no number), metric, speaker_independent, data_found (of all its corpora), the parts, one for each
        corpus: corpus, language, utterances, speakers, data (see `where`), and broken: why it cannot be used, where it
        cannot; such a task comes last, and all else of it is not known.
    """
    rows = [_task_row_or_why_not(name, registry, settings) for name in registry.tasks()]

    def place(row: dict[str, Any]) -> tuple[bool, str, int, str]:
        return row["kind"] == "cross-corpus", row["language"], KINDS.index(row["kind"]), row["name"]

    broken = [row for row in rows if row["broken"] is not None]
    return [*sorted((row for row in rows if row["broken"] is None), key=place), *broken]


def _task_row_or_why_not(name: str, registry: Registry, settings: Settings) -> dict[str, Any]:
    try:
        return {**_task_row(registry.task(name), registry, settings), "broken": None}
    except BenchError as error:  # other people's: it stops no other
        keys = ("title", "language", "kind", "corpus", "utterances", "speakers", "metric", "speaker_independent")
        return {"name": name, **dict.fromkeys(keys), "data_found": False, "parts": [], "broken": str(error)}


def _task_row(task: Task, registry: Registry, settings: Settings) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {
            "corpus": corpus.name,
            "language": corpus.language,
            "utterances": part.expect.utterances,
            "speakers": part.expect.speakers,
            "data": where(corpus, settings, task.name),
        }
        for part, corpus in zip(task.uses, registry.corpora_of(task), strict=True)
    ]

    def total(what: str) -> int | None:
        numbers = [part[what] for part in parts]
        return None if None in numbers else sum(numbers)

    return {
        "name": task.name,
        "title": task.title,
        "language": ARROW.join(part["language"] for part in parts),
        "kind": _kind(task),
        "corpus": ARROW.join(part["corpus"] for part in parts),
        "utterances": total("utterances"),
        "speakers": total("speakers"),
        "metric": task.primary,
        "speaker_independent": task.speaker_independent,
        "data_found": all(not part["data"].startswith("no") for part in parts),
        "parts": parts,
    }


def _kind(task: Task) -> str:
    if task.target is not None:
        return "cross-corpus"
    return "sequence" if task.context is not None else task.kind


def corpus_rows(registry: Registry, settings: Settings) -> list[dict[str, Any]]:
    """Every corpus.

    Returns:
        Plain values: name, summary, language, counts (by part its utterances and speakers; empty where nobody can
        know), licence, synthetic, data_found, data (see `where`).
    """
    return [_corpus_row(entry.summary, registry.corpus(entry.name), settings) for entry in registry.corpora()]


def _corpus_row(summary: str, corpus: Corpus, settings: Settings) -> dict[str, Any]:
    place = where(corpus, settings)
    return {
        "name": corpus.name,
        "summary": summary,
        "language": corpus.language,
        "counts": {
            part: {"utterances": whole.utterances, "speakers": whole.speakers} for part, whole in corpus.counts.items()
        },
        "licence": corpus.licence,
        "synthetic": corpus.synthetic,
        "data_found": not place.startswith("no"),
        "data": place,
    }


def upstream_rows(registry: Registry) -> list[dict[str, Any]]:
    """Every upstream.

    Returns:
        Plain values: name (of a prefix with what follows it), summary, extra, "defined in", trained_on; and of a named
        checkpoint hub, revision, licence and training_data, which are None or empty for all others.
    """
    return [_upstream_row(entry) for entry in registry.upstreams()]


def _upstream_row(entry: Entry) -> dict[str, Any]:
    return {
        "name": f"{entry.name}{ARGUMENTS.get(entry.name, 'PATH-OR-ID')}" if entry.name.endswith(":") else entry.name,
        "summary": entry.summary,
        "extra": entry.extra,
        "defined in": entry.where,
        "hub": entry.arguments.get("model"),
        "revision": entry.arguments.get("revision"),
        "licence": entry.licence,
        "training_data": list(entry.training_data),
        "trained_on": list(entry.trained_on),
    }


def print_upstreams(rows: Sequence[dict[str, Any]]) -> None:
    """Print what is computed by code, then the named checkpoints with their training data and licences."""

    def table(title: str, columns: Sequence[str], chosen: Sequence[dict[str, Any]]) -> None:
        print_table(title, [column.replace("_", " ") for column in columns], [_texts(row, columns) for row in chosen])

    table("", ["name", "summary", "extra", "defined in"], [row for row in rows if not row["training_data"]])
    checkpoints = [row for row in rows if row["training_data"]]
    if checkpoints:
        stdout().print()
        table("named checkpoints", ["name", "summary", "training_data", "licence"], checkpoints)
    for row in rows:
        if row["trained_on"]:
            known = ", ".join(row["trained_on"])
            stdout().print(f"{row['name']} was trained on {known}: marked as contaminated there", markup=False)


def _texts(row: dict[str, Any], columns: Sequence[str]) -> list[str]:
    values = (row[column] for column in columns)
    return ["; ".join(value) if isinstance(value, list) else value or "" for value in values]


def print_tasks(rows: Sequence[dict[str, Any]]) -> None:
    """Print tasks by language and kind."""
    from benchmark.metrics import METRICS

    if not rows:
        stdout().print("no task has its data here: bench data status", markup=False)
        return
    columns = ["task", "title", "utterances", "speakers", "metric", "speaker-independent", "data found"]
    shown: list[list[str]] = []
    group = ""
    for row in [one for one in rows if one["broken"] is None]:
        if group != (group := f"{row['language']}, {row['kind']}"):
            shown.append([group, *[""] * (len(columns) - 1)])
        numbers = [
            ARROW.join("?" if part[what] is None else str(part[what]) for part in row["parts"])
            for what in ("utterances", "speakers")
        ]
        shown.append(
            [
                f"  {row['name']}",
                row["title"],
                *numbers,
                METRICS[row["metric"]].title,
                "yes" if row["speaker_independent"] else "NO",
                _found(row),
            ]
        )
    broken = [row for row in rows if row["broken"] is not None]
    shown += [[row["name"], "BROKEN", *[""] * (len(columns) - 2)] for row in broken]
    print_table("", columns, shown, right=columns[2:4])
    for row in broken:
        stdout().print(f"BROKEN {row['name']}: {row['broken']}", markup=False)


def _found(row: dict[str, Any]) -> str:
    """One word where all corpora of a task are alike; else each with its own."""
    places = [part["data"] for part in row["parts"]]
    if len(set(places)) == 1:
        return str(places[0])
    return ", ".join(f"{part['corpus']} {part['data']}" for part in row["parts"])


def print_corpora(rows: Sequence[dict[str, Any]]) -> None:
    """Print corpora."""

    def counted(row: dict[str, Any], what: str) -> str:
        counts = {part: "?" if whole[what] is None else str(whole[what]) for part, whole in row["counts"].items()}
        return ", ".join(number if part == "all" else f"{part} {number}" for part, number in counts.items())

    columns = ["corpus", "summary", "language", "utterances", "speakers", "licence", "data found"]
    shown = [
        [
            row["name"],
            f"{row['summary']} (synthetic)" if row["synthetic"] else row["summary"],
            row["language"],
            counted(row, "utterances"),
            counted(row, "speakers"),
            row["licence"],
            row["data"],
        ]
        for row in rows
    ]
    print_table("", columns, shown)
