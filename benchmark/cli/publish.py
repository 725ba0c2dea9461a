"""`bench publish`: complete cells as files that may be shared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.folders import OWN_RESULTS, open_records
from benchmark.cli.options import OnlyDownstreams, OnlyUpstreams, Results, Task, examples
from benchmark.cli.terminal import stdout
from benchmark.errors import BenchError, UsageError
from benchmark.text import clean

PUBLISH_EPILOG = examples("bench publish --task demo", "bench publish --task demo --upstream logmel --out published")
SHOWN = "bench leaderboard shows what there is"


def publish(
    task: Task,
    upstream: OnlyUpstreams = None,
    downstream: OnlyDownstreams = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of published results.")] = OWN_RESULTS,
    results: Results = None,
) -> None:
    """Pack the records of complete cells to be committed. One file each; names of speakers are replaced by digests."""
    from benchmark.io.settings import load_settings
    from benchmark.records.grouping import group
    from benchmark.submissions.publishing import publish as publish_cell

    cells = group(open_records(results or load_settings().results).of_task(task)).cells
    for what, wanted, there in (
        ("upstream", upstream, {cell.upstream.name for cell in cells}),
        ("downstream", downstream, {cell.downstream.name for cell in cells}),
    ):
        if unknown := sorted(set(wanted or ()) - there):
            raise UsageError(f"there are no records of the task {task!r} with the {what} {unknown[0]!r}", SHOWN)
    cells = tuple(
        cell
        for cell in cells
        if cell.upstream.name in (upstream or [cell.upstream.name])
        and cell.downstream.name in (downstream or [cell.downstream.name])
    )
    if not cells:
        raise UsageError(f"there are no such records of the task {task!r}", SHOWN)
    incomplete = [f"{cell.name} ({len(cell.completed)}/{len(cell.units)} units)" for cell in cells if not cell.complete]
    told = clean(f"incomplete on {task}: {', '.join(incomplete)}")
    if len(incomplete) == len(cells):
        raise BenchError(told, "bench run completes them")
    paths = [publish_cell(cell, out) for cell in cells if cell.complete]  # all, before anything is told of them
    for path in paths:
        stdout().print(f"written: {path}", markup=False, soft_wrap=True)
    if incomplete:
        sys.stderr.write(f"not published, {told} (bench run completes them)\n")
