"""What papers and other benchmarks published on the protocols: data beside the tasks, to be shown and never ranked.

One YAML file for each source in `tasks/references`. A figure stands there as it is printed in the source, in percent
where a metric is a percentage (a source that prints fractions is multiplied by 100), so that anybody can check it
against the source, together with what differs from the task's own protocol. Nothing is taken from memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.io.packages import package_folder
from benchmark.io.yamls import read_yaml, validate
from benchmark.metrics import METRICS
from benchmark.protocol.reference_file import OnLayers, OwnModel, PublishedResults, PublishedRow, ReferenceFile, Why
from benchmark.text import clean, decimal, nearest

# The spoke that holds them, named only as a string, and their folder in it.
TASKS_PACKAGE, FOLDER = "tasks", "references"


@dataclass(frozen=True)
class Figure:
    """One published number.

    Attributes:
        metric: Key of `METRICS`.
        dimension: Of which dimension alone, such as "arousal".
        value: In percent where the metric is a percentage.
        sd: Its standard deviation over seeds or runs, if given.
        places: Decimals that are printed.
    """

    metric: str
    dimension: str | None
    value: float
    sd: float | None
    places: int

    @property
    def title(self) -> str:
        """The metric for a table: "UAR", "CCC arousal"."""
        return METRICS[self.metric].title + (f" {clean(self.dimension)}" if self.dimension else "")

    @property
    def text(self) -> str:
        """The value as the source prints it: "67.2 ± 0.7"."""
        spread = "" if self.sd is None else f" ± {decimal(self.sd, self.places)}"
        return decimal(self.value, self.places) + spread


@dataclass(frozen=True)
class Reference:
    """What one source published on one task for one system.

    Attributes:
        task: Name of the task.
        upstream: The representation.
        downstream: The head in words.
        figures: One for each metric that the source gives.
        source: Short name of the source.
        table: Table of the source.
        citation: Full citation of the source.
        url: Where the source can be read.
        differs: What differs from the task's protocol; empty where nothing does.
        cell: Upstream and downstream of this benchmark that are the same system; None where there is none.
        why: Why there is none; empty where there is one.
        recipes: Of the pre-trainings that the cell needs.
        own_protocol: Name of the task that runs the source's own protocol; empty where it is that of `task`.
    """

    task: str
    upstream: str
    downstream: str
    figures: tuple[Figure, ...]
    source: str
    table: str
    citation: str
    url: str
    differs: str
    cell: tuple[str, str] | None = None
    why: str = ""
    recipes: tuple[str, ...] = ()
    own_protocol: str = ""

    @property
    def runs_on(self) -> str:
        """Name of the task on which the like is run here."""
        return self.own_protocol or self.task


@dataclass(frozen=True)
class PublishedClaim:
    """What a source says of its results.

    Attributes:
        source: Short name of the source.
        claim: In words.
        task: On which task.
        metric: Key of `METRICS`.
        better: UPSTREAM+DOWNSTREAM of this benchmark.
        worse: Those that it is said to be better than.
    """

    source: str
    claim: str
    task: str
    metric: str
    better: str
    worse: tuple[str, ...]


def read_references(folder: Path | None = None) -> tuple[Reference, ...]:
    """Read all references, by file name and then as listed.

    Args:
        folder: `tasks/references` where not given; the tasks are the YAML files of the folder above it.

    Raises:
        UsageError: A file does not follow the schema; names an unknown task or metric; gives a value that the metric
            cannot have or more decimals than it says; a figure twice; or an upstream in another spelling.
    """
    found: list[Reference] = []
    for path, source, tasks in _files(folder):
        found += _references(source, tasks, path.name)
    _check_figures_differ(found)
    _check_spelling(found)
    return tuple(found)


def read_claims(folder: Path | None = None) -> tuple[PublishedClaim, ...]:
    """Read all claims, by file name and then as listed.

    Raises:
        UsageError: A file does not follow the schema, or names an unknown task or metric.
    """
    found = []
    for path, source, tasks in _files(folder):
        for one in source.claims:
            if one.task not in tasks:
                raise UsageError(f"{path.name}: there is no task {one.task!r}", nearest(one.task, tasks))
            if one.metric not in METRICS:
                raise UsageError(f"{path.name}: unknown metric {one.metric!r}", nearest(one.metric, METRICS))
            known = (source.label, one.claim, one.task, one.metric, one.better, tuple(one.worse))
            found.append(PublishedClaim(*known))
    return tuple(found)


def read_figures(folder: Path | None = None) -> tuple[tuple[str, str, str | None, str], ...]:
    """What sources show beside scores: source, figure, the analysis that makes the like, and why there is none.

    Raises:
        UsageError: A file does not follow the schema.
    """
    return tuple(
        (source.label, figure, *((None, made.why) if isinstance(made, Why) else (made, "")))
        for _, source, _ in _files(folder)
        for figure, made in source.figures.items()
    )


def _files(folder: Path | None) -> list[tuple[Path, ReferenceFile, set[str]]]:
    """Each file with what it says, and the tasks that there are beside its folder."""
    folder = folder or package_folder(TASKS_PACKAGE) / FOLDER
    tasks = {path.stem for path in folder.parent.glob("*.yaml")}
    paths = sorted(folder.glob("*.yaml"))
    return [(path, validate(ReferenceFile, read_yaml(path), path.name), tasks) for path in paths]


def references_of(task: str, folder: Path | None = None) -> tuple[Reference, ...]:
    """The references of one task, in the order of `read_references`; none for a task that nobody published on.

    Raises:
        UsageError: As `read_references`.
    """
    return tuple(one for one in read_references(folder) if one.task == task)


def _references(source: ReferenceFile, tasks: set[str], file: str) -> list[Reference]:
    found = []
    for table in source.tables:
        where = f"{table.table} in {file}"
        metrics = [_metric(text, where) for text in table.metrics]
        for results in table.results:
            for name in (results.task, results.runs_on or results.task):
                if name not in tasks:
                    raise UsageError(f"{where}: there is no task {name!r}", nearest(name, tasks))
            for row in results.rows:
                cell, why = _cell(source, results, row.upstream, row.downstream or table.downstream)
                found.append(
                    Reference(
                        task=results.task,
                        upstream=row.upstream,
                        downstream=row.downstream or table.downstream,
                        figures=_figures(row, metrics, table.places, f"{where}, {results.task}, {row.upstream}"),
                        source=source.label,
                        table=table.table,
                        citation=source.citation,
                        url=source.url,
                        differs=" ".join(f"{table.differs} {results.differs}".split()),
                        cell=cell,
                        why=why,
                        recipes=_recipes(source, row.upstream) if cell is not None else (),
                        own_protocol=results.runs_on or "",
                    )
                )
    return found


def _cell(
    source: ReferenceFile, results: PublishedResults, upstream: str, words: str
) -> tuple[tuple[str, str] | None, str]:
    """The system of this benchmark that a row is of, or why there is none."""
    if results.why is not None:
        return None, results.why
    head = source.heads.get(words, Why(why="no head of this benchmark is named for it"))
    if isinstance(head, Why):
        return None, head.why
    whole = source.upstreams.get(upstream)
    named = [whole] if whole is not None else [source.upstreams.get(one, one) for one in upstream.split(" + ")]
    parts = [one.upstream if isinstance(one, OwnModel) else one for one in named if not isinstance(one, Why)]
    if reasons := [one.why for one in named if isinstance(one, Why)]:
        return None, "; ".join(reasons)
    if isinstance(head, OnLayers):
        return ("+".join(f"{part}@{head.layers}" for part in parts), head.head), ""
    return ("+".join(parts), head), ""


def _recipes(source: ReferenceFile, upstream: str) -> tuple[str, ...]:
    """The recipes of the pre-trainings that a row needs."""
    named = [source.upstreams.get(one) for one in (upstream, *upstream.split(" + "))]
    return tuple(dict.fromkeys(one.recipe for one in named if isinstance(one, OwnModel)))


def _metric(text: str, where: str) -> tuple[str, str | None]:
    """Split "ccc arousal" into "ccc" and "arousal"; a percentage is of all classes, so it takes no dimension."""
    name, _, dimension = text.partition(" ")
    if name not in METRICS:
        raise UsageError(f"{where}: unknown metric {name!r}", nearest(name, METRICS))
    if dimension and METRICS[name].statistics.outputs != "dimensions":
        raise UsageError(f"{where}: {name!r} has no dimensions, and {dimension!r} is given", f"write {name}")
    return name, dimension or None


def _figures(row: PublishedRow, metrics: list[tuple[str, str | None]], places: int, where: str) -> tuple[Figure, ...]:
    spreads = [None] * len(row.values) if row.sd is None else row.sd
    for what, given in (("values", row.values), ("standard deviations", spreads)):
        if len(given) != len(metrics):
            raise UsageError(f"{where}: {len(given)} {what} for {len(metrics)} metrics", "one each; null for none")
    figures = []
    for (metric, dimension), value, sd in zip(metrics, row.values, spreads, strict=True):
        if value is None:
            if sd is not None:
                raise UsageError(f"{where}: {metric} has a standard deviation and no value", "give the value too")
            continue
        _check_value(metric, value, where)
        if sd is not None and sd < 0:
            raise UsageError(f"{where}: a standard deviation of {sd:g}", "it cannot be negative")
        for number in (value, sd):
            if number is not None and round(number, places) != number:
                raise UsageError(f"{where}: {number!r} has more than {places} decimals", "set places of the table")
        figures.append(Figure(metric, dimension, value, sd, places))
    if not figures:
        raise UsageError(f"{where}: no value", "leave a row out of which the source says nothing")
    return tuple(figures)


def _check_value(metric: str, value: float, where: str) -> None:
    known = METRICS[metric]
    if known.percent and 0 < abs(value) < 1:
        raise UsageError(f"{where}: {metric} {value:g}", f"it is a percentage: {100 * value:g}, if it is a fraction")
    low, high = (0, 100) if known.percent else (0, float("inf")) if metric == "rmse" else (-1, 1)
    if not low <= value <= high:
        raise UsageError(f"{where}: {metric} {value:g}", f"it lies between {low} and {high}")


def _check_figures_differ(references: Iterable[Reference]) -> None:
    seen: set[tuple[str | None, ...]] = set()
    for one in references:
        for figure in one.figures:
            system = (one.source, one.table, one.task, one.upstream, one.downstream, one.differs)
            key = (*system, figure.metric, figure.dimension)
            if key in seen:
                raise UsageError(
                    f"{one.source}, {one.table}: {figure.title} of {one.upstream} on {one.task} is given twice",
                    "say in downstream or differs what the two differ in, or remove one",
                )
            seen.add(key)


def _check_spelling(references: Iterable[Reference]) -> None:
    spellings: dict[str, str] = {}
    for one in references:
        for name in one.upstream.split(" + "):
            first = spellings.setdefault(re.sub(r"[.-]", "", name), name)
            if first != name:
                raise UsageError(f"{one.source}, {one.table}: upstream {name!r}", f"elsewhere it is spelt {first!r}")
