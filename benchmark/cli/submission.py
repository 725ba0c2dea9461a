"""`bench publish` and `bench submit`: results that travel, from records alone, without audio, torch or corpus."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.folders import open_records
from benchmark.cli.options import Json, Results, examples
from benchmark.cli.terminal import print_json, stdout
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.text import clean

if TYPE_CHECKING:
    from benchmark.submissions.check import Verdict

PUBLISH_EPILOG = examples("bench publish --task demo", "bench publish --task demo --upstream logmel --out published")
SUBMIT_EPILOG = examples(
    "bench submit leaderboard/results/demo/logmel--superb.json",
    "bench submit --check leaderboard/results/demo/logmel--superb.json --json",
)
PUBLISHED = Path("leaderboard/results")
SHOWN = "bench leaderboard shows what there is"


def publish(
    task: Annotated[str, typer.Option("--task", "-t", help="Task.")],
    upstream: Annotated[list[str] | None, typer.Option("--upstream", "-u", help="Only these.")] = None,
    downstream: Annotated[list[str] | None, typer.Option("--downstream", "-d", help="Only these.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of published results.")] = PUBLISHED,
    results: Results = None,
) -> None:
    """Pack the records of complete cells, one file each, to be committed; names of speakers are replaced by digests."""
    from benchmark.grouping import group
    from benchmark.settings import load_settings
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
    for cell in cells:
        if cell.complete:
            path = publish_cell(cell, out)
            stdout().print(f"written: {path}", markup=False, soft_wrap=True)
    if incomplete:
        sys.stderr.write(f"not published, {told} (bench run completes them)\n")


def submit(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files that bench publish wrote.")],
    check: Annotated[bool, typer.Option("--check", help="Only check, as continuous integration does.")] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="DIR",
            help=f"Published results that must have been tested alike; {PUBLISHED} where there is one.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check published files as a pull request is checked, and say how to open one; nothing is sent anywhere."""
    from benchmark.submissions.check import Checker

    if against is not None and not against.is_dir():
        raise MissingError(f"there is no folder {against} to compare with", "give that of published results")
    if against is None and PUBLISHED.is_dir():
        against = PUBLISHED
    checker = Checker(against)
    verdicts = [checker.check(path) for path in files]
    if as_json:
        print_json([{**asdict(verdict), "accepted": verdict.accepted} for verdict in verdicts])
    else:
        for verdict in verdicts:
            for line in _lines(verdict):
                stdout().print(line, markup=False, soft_wrap=True)
    refused = [verdict for verdict in verdicts if not verdict.accepted]
    if refused:
        raise BenchError(f"{len(refused)} of {len(verdicts)} files are refused", "the reasons are above")
    if not check and not as_json:
        for line in (
            "",
            "To submit, open a pull request that adds these files to leaderboard/results of the serbench repository:",
            "  git switch --create my-results",
            f"  git add {' '.join(str(path) for path in files)}",
            "  git commit --message 'Results of ...' && git push",
            "Continuous integration checks them again and makes the leaderboard from them.",
        ):
            stdout().print(line, markup=False, soft_wrap=True)


def _lines(verdict: Verdict) -> list[str]:
    """What is printed of a file: one line where it is accepted, else one for each reason; then the notes."""
    from benchmark.metrics import find
    from benchmark.text import clean, count, with_spread

    notes = [f"  note: {clean(note)}" for note in verdict.notes]
    path = clean(verdict.path)
    if verdict.reasons or verdict.metric is None or verdict.score is None:
        return [f"refused: {path}", *(f"  {clean(reason)}" for reason in verdict.reasons)]
    metric = find(verdict.metric)
    score = f"{metric.title} {with_spread(verdict.score, verdict.sd, metric.percent)}"
    size = f"{count(verdict.units or 0, 'unit')}, {count(verdict.speakers or 0, 'cluster')}"
    return [f"ok: {path}: {clean(verdict.system or '')} on {clean(verdict.task or '')}: {score} ({size})", *notes]
