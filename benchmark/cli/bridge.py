"""`bench bridge`: what other benchmarks would report of the same systems, beside the corpus's own task."""

from __future__ import annotations

import importlib
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from benchmark.cli.folders import read_records, record_folders
from benchmark.cli.options import Json, Published, ResultFolders, examples
from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import UsageError

BRIDGE_EPILOG = examples(
    "bench bridge --published",
    "bench bridge --published --markdown",
    "bench run --upstream egemaps --task urdu-emobox --downstream emobox",
)

# The spoke that makes the tables, named only as strings.
BRIDGE, RENDERER = "leaderboard.bridge", "leaderboard.render"


def bridge(
    results: ResultFolders = None,
    published: Published = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    as_json: Json = False,
) -> None:
    """Other benchmarks' rows beside the corpus's own task. Protocols such as `urdu-emobox` are ranked nowhere."""
    if markdown and as_json:
        raise UsageError("--markdown and --json exclude each other", "one of them")
    sources = read_records(record_folders(results, published))
    made = importlib.import_module(BRIDGE)
    found = made.bridges(*sources.records)
    if as_json:
        print_json([{**asdict(one), "difference": one.difference} for one in found])
    elif not found:
        stdout().print("there is no row of another benchmark's protocol; bench list tasks has NAME-maeb and others")
    elif markdown:
        sys.stdout.write(importlib.import_module(RENDERER).bridge_tables(found))
    else:
        for title, table in (("what they report", made.overview(found)), ("row by row", made.differences(found))):
            right = [name for name, numeric in zip(table.header, table.numeric, strict=True) if numeric]
            rows = [list(row) for row in table.rows]
            print_table(title, list(table.header), rows, right=right, keys=table.header[:2])
            stdout().print()
    sources.fail_if_doubtful()
