"""`bench submit`: published results are checked, from records alone, without audio, torch or corpus."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.folders import OWN_RESULTS
from benchmark.cli.options import Json, examples
from benchmark.cli.terminal import print_json, stdout
from benchmark.errors import BenchError, MissingError
from benchmark.text import clean

if TYPE_CHECKING:
    from benchmark.submissions.check import Verdict

SUBMIT_EPILOG = examples(
    "bench submit leaderboard/results/demo/logmel--superb.json",
    "bench submit --check leaderboard/results/demo/logmel--superb.json --json",
)


def submit(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files that bench publish wrote.")],
    check: Annotated[bool, typer.Option("--check", help="Only check, as continuous integration does.")] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="DIR",
            help=f"Published results that must have been tested alike; {OWN_RESULTS} where there is one.",
        ),
    ] = None,
    need_published: Annotated[
        bool,
        typer.Option("--need-published", help="Exit with 1 where a file could be compared with no published result."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check published files as a pull request is checked. It says how to open one; nothing is sent anywhere."""
    from benchmark.submissions.check import Checker

    if against is not None and not against.is_dir():
        raise MissingError(f"there is no folder {against} to compare with", "give that of published results")
    if against is None and OWN_RESULTS.is_dir():
        against = OWN_RESULTS
    checker = Checker(against)
    verdicts = [checker.check(path) for path in files]
    if as_json:
        print_json([{**asdict(verdict), "accepted": verdict.accepted} for verdict in verdicts])
    else:
        for verdict in verdicts:
            for line in _lines(verdict):
                stdout().print(line, markup=False, soft_wrap=True)
    if missing := [verdict for verdict in verdicts if not verdict.found]:
        raise MissingError(f"{len(missing)} of {len(verdicts)} are no files", f"such as {clean(missing[0].path)}")
    refused = [verdict for verdict in verdicts if not verdict.accepted]
    if refused:
        raise BenchError(f"{len(refused)} of {len(verdicts)} files are refused", "the reasons are above")
    alone = [verdict for verdict in verdicts if not verdict.compared]
    if need_published and alone:
        raise BenchError(
            f"{len(alone)} of {len(verdicts)} files could be compared with no published result",
            "--against DIR names where those are; a first result of a task has none",
        )
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
    from benchmark.text import count, with_spread

    notes = [f"  note: {clean(note)}" for note in verdict.notes]
    path = clean(verdict.path)
    if verdict.reasons or verdict.metric is None or verdict.score is None:
        return [f"refused: {path}", *(f"  {clean(reason)}" for reason in verdict.reasons)]
    metric = find(verdict.metric)
    score = f"{metric.title} {with_spread(verdict.score, verdict.sd, metric.percent)}"
    size = f"{count(verdict.units or 0, 'unit')}, {count(verdict.speakers or 0, 'cluster')}"
    return [f"ok: {path}: {clean(verdict.system or '')} on {clean(verdict.task or '')}: {score} ({size})", *notes]
