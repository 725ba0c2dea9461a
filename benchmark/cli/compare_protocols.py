"""`bench compare --protocols`: the same systems under two protocols, such as random splits and held-out speakers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmark.cli.compare_tables import numbers
from benchmark.cli.systems import fitting, named, refuse_superseded
from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import UsageError
from benchmark.text import clean, count, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark.metrics import Metric
    from benchmark.records.cells import Cell
    from benchmark.statistics import Comparison


@dataclass(frozen=True)
class UnderBoth:
    """A system under two protocols.

    Attributes:
        comparison: Of the first protocol with the second, corrected for all systems that both have.
        scores: Under both, the mean over seeds.
        control: Whether it is a control, which is corrected for with controls alone.
    """

    comparison: Comparison
    scores: tuple[float, float]
    control: bool


def under_both(first: Sequence[Cell], second: Sequence[Cell], metric: str | None) -> tuple[Metric, list[UnderBoth]]:
    """Every system that has complete rows under two protocols, by what the first adds.

    Args:
        first: The cells of one task.
        second: Those of another one on the same recordings.
        metric: What is compared; the first one's primary one where not given.

    Raises:
        BenchError: As `benchmark.statistics.compare_protocols`.
    """
    from benchmark.statistics import cell_scores, compare_protocols
    from benchmark.statistics.families import PROTOCOLS, against
    from benchmark.statistics.scores import suited

    found = suited(first[0].task, metric or first[0].task.metrics[0])
    others = {(cell.upstream.sha256, cell.downstream.sha256): cell for cell in second if cell.complete}
    both = [(cell, others.get((cell.upstream.sha256, cell.downstream.sha256))) for cell in first if cell.complete]
    told = []
    for control in (False, True):
        pairs = [(a, b) for a, b in both if b is not None and a.control == control]
        compared = against([compare_protocols(a, b, found.name) for a, b in pairs], PROTOCOLS)
        for (a, b), pair in zip(pairs, compared, strict=True):
            scores = (cell_scores(a, found.name).mean, cell_scores(b, found.name).mean)
            told.append(UnderBoth(pair, scores, control))
    return found, sorted(told, key=lambda one: (one.control, -one.comparison.delta, one.comparison.task))


def compare_under(
    system: str | None,
    first: Sequence[Cell],
    second: Sequence[Cell],
    metric: str | None,
    superseded: Sequence[Cell],
    *,
    as_json: bool,
) -> None:
    """Print what the first protocol adds to one system, or to all that both have.

    Args:
        system: UPSTREAM, or UPSTREAM+DOWNSTREAM; None for all.
        first: As `under_both`, like the next two.
        second: Those of another task.
        metric: What is compared.
        superseded: Cells that are not shown, of any task.
        as_json: Whether JSON is printed.

    Raises:
        UsageError: No system has complete rows under both; or the one that is named has none.
    """
    found, told = under_both(first, second, metric)
    tasks = [clean(cells[0].task.name) for cells in (first, second)]
    if not told:
        raise UsageError(f"no system has complete results of both {tasks[0]} and {tasks[1]}", "bench run makes them")
    shown = told
    if system is not None:
        name = named(system, [cell for cell in first if cell.complete], superseded).name
        shown = [one for one in told if one.comparison.task == name]
        if not shown:
            refuse_superseded(fitting(name, superseded), second)
            raise UsageError(f"{name} has no complete results of {tasks[1]}", "bench run makes them")
    if as_json:
        print_json({"protocols": tasks, "systems": [{**asdict(one.comparison), "scores": one.scores} for one in shown]})
        return
    columns = ["system", *tasks, "difference", "95 % interval", "p", "corrected", "verdict"]
    rows = [_row(one, found) for one in shown]
    print_table(f"{found.title} under {tasks[0]} and {tasks[1]}", columns, rows, right=columns[1:-1], keys=columns[:1])
    pair = shown[0].comparison
    for line in (
        f"the same {pair.clusters_text} and utterances are tested under both; interval and p are for new ones, of one "
        "system alone",
        f"corrected: by Holm for the {count(pair.pairs, 'system')} that have rows under both",
    ):
        stdout().print(line, markup=False, style="dim")


def _row(one: UnderBoth, metric: Metric) -> list[str]:
    pair, percent = one.comparison, metric.percent
    verdict = "cannot be told apart"
    if pair.p is None:
        verdict = "no test"
    elif pair.significant:
        verdict = f"{clean(pair.a if pair.delta > 0 else pair.b)} is higher"
    name = f"{clean(pair.task)} (control)" if one.control else clean(pair.task)
    scores = (measured(score, percent) for score in one.scores)
    return [name, *scores, *numbers(pair, percent), verdict]
