"""`bench publish`: complete cells as files that may be shared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.folders import OWN_RESULTS, open_records
from benchmark.cli.options import OnlyDownstreams, OnlyUpstreams, RecordedTask, Results, examples
from benchmark.cli.systems import of_names, refuse_superseded
from benchmark.cli.terminal import stdout
from benchmark.errors import BenchError, UsageError
from benchmark.text import clean

if TYPE_CHECKING:
    from benchmark.records import TaskPart

PUBLISH_EPILOG = examples("bench publish --task demo", "bench publish --task demo --upstream logmel --out published")
SHOWN = "bench leaderboard shows what there is"


def publish(
    task: RecordedTask,
    upstream: OnlyUpstreams = None,
    downstream: OnlyDownstreams = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of published results.")] = OWN_RESULTS,
    results: Results = None,
) -> None:
    """Pack the records of complete cells to be committed. One file each; names of speakers are replaced by digests."""
    from benchmark.io.settings import load_settings
    from benchmark.records.grouping import group
    from benchmark.submissions.publishing import publish as publish_cell

    grouping = group(open_records(results or load_settings().results).of_task(task))
    cells = of_names(grouping.cells, upstream, downstream)
    absent = sorted(set(upstream or ()) - {cell.upstream.name for cell in grouping.cells})
    headless = sorted(set(downstream or ()) - {cell.downstream.name for cell in grouping.cells})
    if absent or headless or not cells:
        meant = of_names(grouping.superseded, absent or upstream, headless or downstream)
        refuse_superseded(meant, grouping.cells)
    for what, unknown in (("upstream", absent), ("downstream", headless)):
        if unknown:
            raise UsageError(f"there are no records of the task {task!r} with the {what} {unknown[0]!r}", SHOWN)
    if not cells:
        raise UsageError(f"there are no such records of the task {task!r}", SHOWN)
    incomplete = [f"{cell.name} ({len(cell.completed)}/{len(cell.units)} units)" for cell in cells if not cell.complete]
    told = clean(f"incomplete on {task}: {', '.join(incomplete)}")
    if len(incomplete) == len(cells):
        raise BenchError(told, "bench run completes them")
    paths = [publish_cell(cell, out) for cell in cells if cell.complete]  # all, before anything is told of them
    for path in paths:
        stdout().print(f"written: {path}", markup=False, soft_wrap=True)
    if refusal := _refusal(cells[0].task):
        sys.stderr.write(f"note: {clean(refusal)}\n")
    if incomplete:
        sys.stderr.write(f"not published, {told} (bench run completes them)\n")


def _refusal(task: TaskPart) -> str | None:
    """Why `bench submit` would refuse every result of a task, and what it is good for; None where it would not."""
    from benchmark.registry import known

    use = "bench submit refuses these files, and bench leaderboard --results shows them"
    if task.name not in known.tasks().names():
        return f"the task {task.name!r} is not registered: {use}; its YAML in tasks/ would register it"
    if known.tasks().read(task.name).sha256 != task.sha256:
        return f"these are of another version of the task {task.name!r} than is registered: {use}"
    return None
