"""`bench compare --baseline`: all systems of a task against one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from benchmark.cli.compare_tables import bound, print_baseline
from benchmark.cli.systems import asked, fitting, named, refuse_superseded, systems_of
from benchmark.cli.terminal import print_json
from benchmark.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmark.records.cells import Cell


def against_baseline(
    baseline: str,
    tasks: Sequence[str] | None,
    metric: str | None,
    margin: float,
    by_task: Mapping[str, Sequence[Cell]],
    superseded: Sequence[Cell],
    *,
    as_json: bool,
) -> None:
    """Print all complete systems of each task against one; controls are corrected for apart.

    Args:
        baseline: UPSTREAM, or UPSTREAM+DOWNSTREAM.
        tasks: Those that are asked for; all that have the baseline where there are none.
        metric: What is compared; the primary one of each task where not given.
        margin: Points below which a difference is called small.
        by_task: What is shown.
        superseded: Cells that are not.
        as_json: Whether JSON is printed.

    Raises:
        UsageError: A task has no records, or none has complete results of the baseline.
    """
    from benchmark.statistics import analyse
    from benchmark.statistics.families import against

    shown = []
    for name in asked(tasks, by_task) if tasks else sorted(by_task):
        complete = [cell for cell in by_task[name] if cell.complete]
        if not tasks and not fitting(baseline, complete):
            continue
        one = named(baseline, complete, superseded)
        analysis = analyse(complete, metric)
        others = [cell for cell in complete if cell is not one]
        pairs = [
            pair
            for kind in (False, True)
            for pair in against([analysis.pairs[cell.name, one.name] for cell in others if cell.control == kind])
        ]
        shown.append((one, analysis, pairs))
    if not shown:
        for cells in by_task.values():
            if not fitting(baseline, cells):
                refuse_superseded(fitting(baseline, superseded), cells)
        raise UsageError(f"no task has complete results of {baseline!r}", systems_of(by_task))
    if as_json:
        print_json(
            {
                "baseline": [
                    {**asdict(pair), "significant": pair.significant, "at_most": pair.at_most()}
                    for _, _, pairs in shown
                    for pair in pairs
                ]
            }
        )
        return
    for one, analysis, pairs in shown:
        print_baseline(one, analysis, pairs, bound(margin, analysis.metric))
