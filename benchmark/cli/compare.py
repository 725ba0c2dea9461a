"""`bench compare`: everything that the records say of two systems, without audio, torch or corpus."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.compare_baseline import against_baseline
from benchmark.cli.compare_tables import bound, print_pairs
from benchmark.cli.folders import read_records, record_folders
from benchmark.cli.options import Json, Published, RecordedTasks, Results, examples
from benchmark.cli.systems import asked, fitting, named, refuse_superseded, systems_of
from benchmark.cli.terminal import print_json
from benchmark.errors import BenchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmark.metrics import Metric
    from benchmark.records.cells import Cell
    from benchmark.statistics import Comparison
    from benchmark.statistics.mcnemar import McNemar
    from benchmark.statistics.power import Power
    from benchmark.statistics.replicability import Pooled, Replicability

COMPARE_EPILOG = examples(
    "bench compare logmel mfcc --task demo",
    "bench compare egemaps+svm mfcc+superb --published",
    "bench compare whisper-tiny+superb egemaps+superb --published --json",
    "bench compare --baseline egemaps+svm --task urdu --published",
    "bench compare --protocols --task urdu-random --task urdu --published",
)
MARGIN = 5.0


@dataclass(frozen=True)
class OnTask:
    """Two systems on one task.

    Attributes:
        comparison: Of the first with the second.
        metric: What is compared.
        cells: The two.
        scores: Of both, the mean over seeds.
        intervals: Of both; None for a single speaker.
        power: How often true differences of a few sizes would be found, corrected as the comparison is.
        collapsed: Of both, the seeds that learnt next to nothing.
        margin: Below it a difference is called small, in the unit of the metric; None for an error.
        mcnemar: Where predictions are at hand.
    """

    comparison: Comparison
    metric: Metric
    cells: tuple[Cell, Cell]
    scores: tuple[float, float]
    intervals: tuple[tuple[float, float] | None, tuple[float, float] | None]
    power: tuple[Power, ...]
    collapsed: tuple[tuple[int, ...], tuple[int, ...]]
    margin: float | None
    mcnemar: McNemar | None

    @property
    def counts(self) -> bool:
        """Whether the task says something of people whom the systems have not heard."""
        task = self.cells[0].task
        return task.speaker_independent and task.bridge is None and not task.corpus.synthetic


@dataclass(frozen=True)
class Together:
    """What the tasks that count say of two systems together.

    Attributes:
        counts: On how many corpora the first, and the second, is better.
        pooled: The mean difference over corpora, of each metric of at least two tasks.
        wilcoxon_p: Of the signed-rank test over corpora; None where they are fewer than five.
        corpora: How many there are.
    """

    counts: tuple[Replicability, ...]
    pooled: tuple[Pooled, ...]
    wilcoxon_p: float | None
    corpora: int


def compare(
    a: Annotated[str | None, typer.Argument(help="UPSTREAM, or UPSTREAM+DOWNSTREAM.")] = None,
    b: Annotated[str | None, typer.Argument(help="The system to compare it with.")] = None,
    task: RecordedTasks = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="The task's primary one where not given. Of probabilities ece, brier and nll; after the temperature "
            "nll_after and so on.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="NAME", help="In place of A and B: all systems against this one."),
    ] = None,
    protocols: Annotated[
        bool, typer.Option("--protocols", help="In place of B: A, or all systems, under the first and second --task.")
    ] = False,
    margin: Annotated[
        float, typer.Option("--margin", min=0.0, help="Points below which a difference is called small.")
    ] = MARGIN,
    as_json: Json = False,
    results: Results = None,
    published: Published = False,
) -> None:
    """Test whether A is better than B. For new speakers and seeds, and corrected for all pairs of a table."""
    from benchmark.io.settings import load_settings
    from benchmark.records.grouping import group

    _check_what(a, b, baseline, (task or ()) if protocols else None)
    folders = record_folders([results] if results else None, published)
    sources = read_records(folders, task or ())
    if published:
        sources = sources.beside_published(every=False)
    grouping = group(*sources.records, published=sources.records[-1] if published else ())
    by_task: dict[str, list[Cell]] = {}
    for cell in grouping.cells:
        by_task.setdefault(cell.task.name, []).append(cell)
    if metric is not None:
        metric, by_task = cells_of_metric(metric, by_task)
    if protocols:
        from benchmark.cli.compare_protocols import compare_under

        first, second = (by_task[name] for name in asked(task or (), by_task))
        compare_under(a, first, second, metric, grouping.superseded, as_json=as_json)
    elif baseline is not None:
        against_baseline(baseline, task, metric, margin, by_task, grouping.superseded, as_json=as_json)
    elif a is not None and b is not None:
        root = results or load_settings().results
        found = [
            _on_task(first, second, by_task[name], metric, margin, root)
            for name, first, second in _pairs(a, b, task, by_task, grouping.superseded)
        ]
        told = _together([one.comparison for one in found if one.counts])
        if as_json:
            print_json(_as_json(found, told))
        else:
            print_pairs(found, told)
    sources.fail_if_doubtful()


def _check_what(a: str | None, b: str | None, baseline: str | None, tasks: Sequence[str] | None) -> None:
    """Refuse what is no comparison; `tasks` are those of two protocols, where these are compared."""
    if tasks is not None:
        if len(set(tasks)) != 2 or baseline is not None or b is not None:
            raise UsageError("two protocols are compared", "bench compare [A] --protocols --task FIRST --task SECOND")
    elif (baseline is None) == (a is None or b is None):
        raise UsageError("two systems are compared, or all with one", "bench compare A B, or --baseline NAME")


def cells_of_metric(metric: str, by_task: Mapping[str, list[Cell]]) -> tuple[str, dict[str, list[Cell]]]:
    """A metric and the cells that it is computed from: of probabilities those that have sums of them.

    Raises:
        UsageError: The metric is unknown.
        BenchError: It is of probabilities, and no row has sums of them.
    """
    from benchmark.metrics import find
    from benchmark.records.parts import AFTER, MEASURES, of_probabilities

    name = metric.removesuffix(AFTER)
    if name not in MEASURES:
        return find(metric).name, dict(by_task)
    found: dict[str, list[Cell]] = {}
    for task, cells in by_task.items():
        of_classes = [cell for cell in cells if cell.complete and cell.task.kind == "classification"]
        parts = [of_probabilities(cell, after=metric != name) for cell in of_classes]
        if any(part is not None for part in parts):
            found[task] = [part for part in parts if part is not None]
    if not found:
        raise BenchError(
            f"no row has what {metric} is computed from", "heads such as svm give no probabilities; older records none"
        )
    return name, found


def _on_task(a: Cell, b: Cell, cells: Sequence[Cell], metric: str | None, margin: float, root: Path) -> OnTask:
    from benchmark.statistics import analyse, cell_interval, cell_scores
    from benchmark.statistics.mcnemar import mcnemar
    from benchmark.statistics.power import outlook
    from benchmark.statistics.scores import suited
    from benchmark.statistics.seeds import collapsed_seeds

    found = suited(a.task, metric or a.task.metrics[0])
    name = found.name
    scores = (cell_scores(a, name).mean, cell_scores(b, name).mean)  # an incomplete cell is refused here
    if a is b:
        raise UsageError(f"{a.name} would be compared with itself on {a.task.name}", "name two systems")
    analysis = analyse(cells, name)
    comparison = analysis.pairs[a.name, b.name]
    ends = [(one.low, one.high) if one else None for one in (cell_interval(a, name), cell_interval(b, name))]
    is_of_decisions = found.kind != "calibration"
    return OnTask(
        comparison=comparison,
        metric=found,
        cells=(a, b),
        scores=scores,
        intervals=(ends[0], ends[1]),
        power=outlook([comparison], analysis.differences([a.name, b.name])),
        collapsed=(collapsed_seeds(a, name), collapsed_seeds(b, name)) if is_of_decisions else ((), ()),
        margin=bound(margin, found),
        mcnemar=mcnemar(a, b, root) if is_of_decisions else None,
    )


def _together(counted: Sequence[Comparison]) -> Together:
    """What the tasks that count say together: those with unseen speakers who are people."""
    import numpy as np

    from benchmark.statistics.replicability import blocks_of, pooled, replicability, together
    from benchmark.statistics.tasks import MIN_CORPORA, wilcoxon

    if not counted:
        return Together((), (), None, 0)
    counts = together([replicability(counted), replicability([one.mirrored() for one in counted])])
    blocks = blocks_of(counted)
    enough = len(blocks) >= MIN_CORPORA
    p = wilcoxon(np.array([block.gain for block in blocks])) if enough else None
    return Together(counts, pooled(counted), p, len(blocks))


def _as_json(found: Sequence[OnTask], told: Together) -> dict[str, Any]:
    return {
        "tasks": [
            {
                **asdict(one.comparison),
                "significant": one.comparison.significant,
                "at_most": one.comparison.at_most(),
                "power": [asdict(power) for power in one.power],
                "score_a": one.scores[0],
                "interval_a": one.intervals[0],
                "score_b": one.scores[1],
                "interval_b": one.intervals[1],
                "collapsed_seeds": one.collapsed,
                "synthetic": one.cells[0].task.corpus.synthetic,
                "speaker_independent": one.cells[0].task.speaker_independent,
                "mcnemar": asdict(one.mcnemar) if one.mcnemar else None,
            }
            for one in found
        ],
        "replicability": [asdict(one) for one in told.counts],
        "pooled": [asdict(one) for one in told.pooled],
        "wilcoxon_p": told.wilcoxon_p,
    }


def _pairs(
    a: str,
    b: str,
    tasks: Sequence[str] | None,
    by_task: Mapping[str, Sequence[Cell]],
    superseded: Sequence[Cell],
) -> list[tuple[str, Cell, Cell]]:
    """The two cells on each task that is asked for, or on each that both have."""

    def pair(name: str, cells: Sequence[Cell]) -> tuple[str, Cell, Cell]:
        return name, named(a, cells, superseded), named(b, cells, superseded)

    if tasks:
        return [pair(name, by_task[name]) for name in asked(tasks, by_task)]
    complete = {name: [cell for cell in cells if cell.complete] for name, cells in sorted(by_task.items())}
    common = [pair(name, cells) for name, cells in complete.items() if fitting(a, cells) and fitting(b, cells)]
    if not common:
        for cells in by_task.values():
            for one in (a, b):
                if not fitting(one, cells):
                    refuse_superseded(fitting(one, superseded), cells)
        raise UsageError(f"no task has complete results of both {a!r} and {b!r}", systems_of(by_task))
    return common
