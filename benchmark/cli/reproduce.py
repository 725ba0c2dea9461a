"""`bench reproduce`: the tables of papers beside what was run here, and their claims tested."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.folders import read_records, record_folders
from benchmark.cli.options import Data, Json, Phones, Plugin, Published, Results, Weights, examples, load
from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import UsageError
from benchmark.text import clean, count, decimal, nearest, p_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark.cli.folders import ReadFolders
    from benchmark.io.settings import Settings
    from benchmark.registry.registry import Registry
    from benchmark.reproduction import Line, Tested
    from benchmark.run.plan import Request

REPRODUCE_EPILOG = examples(
    "bench reproduce",
    'bench reproduce pepino-2021 "Table 1"',
    'bench reproduce emobox-2024 "Table 4" --published --markdown',
)


def reproduce(
    paper: Annotated[
        str | None, typer.Argument(metavar="[PAPER]", help="Such as pepino-2021; all listed if not given.")
    ] = None,
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help='Such as "Table 1"; all of it if not given.')
    ] = None,
    run: Annotated[bool, typer.Option("--run", help="Run what is missing and can run here.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what --run would do: hours, disk, and what they rest on.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX, with the rules of booktabs.")] = False,
    as_json: Json = False,
    phones: Phones = None,
    results: Results = None,
    published: Published = False,
    plugin: Plugin = None,
    data: Data = None,
    weights: Weights = None,
) -> None:
    """Papers' tables beside what was run here, and claims tested. Of each figure: published, ours, difference."""
    from benchmark.protocol.references import read_claims, read_references
    from benchmark.records.grouping import group
    from benchmark.reproduction import lines_of, tested

    if csv + markdown + latex + as_json > 1 or run + dry_run > 1:
        raise UsageError(
            "these options exclude each other", "one of --json, --csv, --markdown, --latex; --run or --dry-run"
        )
    if dry_run and (csv or markdown or latex):
        raise UsageError("--dry-run prints a plan, and no table of results", "leave --csv, --markdown and --latex out")
    registry, settings = load(plugin, data, weights, results)
    references = _chosen(list(read_references()), paper, table)
    sources = {one.source for one in references}
    said = [one for one in read_claims() if one.source in sources] if table is None else []
    tasks = {one.runs_on for one in references} | {one.task for one in said}
    heads = [entry.name for entry in registry.downstreams()]

    def measured() -> tuple[list[Line], list[Tested], ReadFolders]:
        # Before the first run there is none; one that was named is there, or it is a slip.
        folders = [one for one in record_folders([settings.results], published) if results or one.is_dir()]
        found = read_records(folders, tasks, or_all=False)
        cells = group(*found.records).cells
        return lines_of(references, cells, heads), [tested(one, cells) for one in said], found

    lines, claims, found = measured()
    failed = False
    if run or dry_run:
        from benchmark.cli.reproduce_run import do, foresee

        requests = _requests(lines, registry, settings, phones)
        _say_what_cannot(lines, registry, settings)
        if dry_run:
            foresee(requests, registry, settings, as_json=as_json)
            found.fail_if_doubtful()
            return
        failed = do(requests, registry, settings)
        lines, claims, found = measured()
    if as_json:
        print_json(_plain(lines, claims, registry, settings))
    elif csv or markdown or latex:
        from benchmark.reproduction import writing

        write = writing.comma_separated if csv else writing.markdown if markdown else writing.latex
        sys.stdout.write(write(lines))
    elif paper is None:
        _print_list(lines, claims, registry, settings)
    else:
        _print_tables(lines, claims)
    found.fail_if_doubtful()
    if failed:
        raise typer.Exit(1)


def _chosen(references: list[Any], paper: str | None, table: str | None) -> list[Any]:
    """The rows that are asked for.

    Raises:
        UsageError: There is no such source, or it has no such table.
    """
    from benchmark.reproduction import name_of

    if paper is None:
        return references
    names = {name_of(one.source) for one in references}
    if paper not in names:
        raise UsageError(f"there is no paper {paper!r}", nearest(paper, names))
    found = [one for one in references if name_of(one.source) == paper]
    tables = {one.table for one in found}
    if table is None:
        return found
    fitting = [one for one in found if one.table.lower() == table.lower()]
    if not fitting:
        raise UsageError(f"{paper} has no table {table!r}", nearest(table, tables))
    return fitting


def _say_what_cannot(lines: Sequence[Line], registry: Registry, settings: Settings) -> None:
    """Say, on stderr, which rows are not run though they have a cell, and why."""
    left = [line for line in lines if line.state in ("incomplete", "not run")]
    lacking = [line for line in left if not _is_here(line, registry, settings)]
    if lacking:
        tasks = ", ".join(dict.fromkeys(line.reference.runs_on for line in lacking))
        sys.stderr.write(f"note: {count(len(lacking), 'row')} cannot be run, as data are not here: {tasks} (--data)\n")
    if not left:
        sys.stderr.write("note: there is no row left that could be run\n")


def _is_here(line: Line, registry: Registry, settings: Settings) -> bool:
    """Whether a row's cell can be run here, as far as that is known before: its head and its corpora are."""
    from benchmark.cli.list import where

    if line.state not in ("incomplete", "not run"):
        return False
    task = registry.task(line.reference.runs_on)
    return all(not where(corpus, settings, task.name).startswith("no") for corpus in registry.corpora_of(task))


def _requests(lines: Sequence[Line], registry: Registry, settings: Settings, phones: Path | None) -> list[Request]:
    """What is missing and can run here, cell by cell."""
    from benchmark.run.plan import Request

    wanted = {
        (line.reference.runs_on, *line.reference.cell): None
        for line in lines
        if line.reference.cell is not None and _is_here(line, registry, settings)
    }
    return [
        Request([upstream], [task], [head], phones=phones if registry.head_facts(head).phones else None)
        for task, upstream, head in wanted
    ]


def _plain(lines: Sequence[Line], claims: Sequence[Tested], registry: Registry, settings: Settings) -> dict[str, Any]:
    return {
        "summary": [
            dict(zip(("paper", "table", "rows", "with_cell", "runnable", "done"), row, strict=True))
            for row in _summary(lines, registry, settings)
        ],
        "rows": [
            {
                **asdict(line),
                "values": [{**asdict(one), "difference": one.difference, "inside": one.inside} for one in line.values],
            }
            for line in lines
        ],
        "claims": [
            {
                **asdict(one.claim),
                "verdict": one.verdict,
                "missing": one.missing,
                "pairs": [asdict(pair) for pair in one.pairs],
            }
            for one in claims
        ],
    }


def _summary(lines: Sequence[Line], registry: Registry, settings: Settings) -> list[list[Any]]:
    """Paper, table, rows, rows with a cell, those that can be run here, those that are done."""
    from benchmark.reproduction import name_of
    from benchmark.reproduction.tables import counted

    tables: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        tables.setdefault((name_of(line.reference.source), line.reference.table), []).append(line)
    rows: list[list[Any]] = []
    for (paper, table), each in tables.items():
        cells = len(each) - counted(each, "no cell")
        here = sum(_is_here(line, registry, settings) for line in each)
        rows.append([paper, table, len(each), cells, here, counted(each, "done")])
    return rows


def _print_list(lines: Sequence[Line], claims: Sequence[Tested], registry: Registry, settings: Settings) -> None:
    columns = ["paper", "table", "rows", "with a cell", "can run here", "done"]
    print_table("", columns, _summary(lines, registry, settings), right=columns[2:])
    verdicts = [one.verdict for one in claims]
    from benchmark.protocol.references import read_figures
    from benchmark.reproduction import name_of

    sources = {line.reference.source for line in lines}
    shown = [
        [name_of(source), figure, why or f"bench analyse {analysis}"]
        for source, figure, analysis, why in read_figures()
        if source in sources
    ]
    print_table("", ["paper", "figure", "made here by"], shown)
    told = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    stdout().print(f"{count(len(claims), 'claim')}: {told}", markup=False, style="dim")


def _print_tables(lines: Sequence[Line], claims: Sequence[Tested]) -> None:
    from benchmark.reproduction.writing import COLUMNS, differences, rows_of, tables_of

    for (source, table), each in tables_of(lines).items():
        print_table(f"{source}, {table}", list(COLUMNS), rows_of(each), right=COLUMNS[4:8])
        for differs in differences(each):
            stdout().print(f"differs, {differs}", markup=False, style="dim")
    for one in claims:
        stdout().print(f"claim: {one.claim.claim} ({one.claim.task}): {one.verdict}", markup=False)
        for pair in one.pairs:
            p = "no test" if pair.p_adjusted is None else p_text(pair.p_adjusted)
            behind = f"{pair.clusters_text}, seeds {pair.seeds[0]} and {pair.seeds[1]}"
            told = f"  {clean(pair.a)} less {clean(pair.b)}: {decimal(pair.delta, 4)}, {p}, {behind}"
            stdout().print(told, markup=False, style="dim")
        if one.missing:
            stdout().print(f"  not run: {', '.join(one.missing)}", markup=False, style="dim")
