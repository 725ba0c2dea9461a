"""`bench compare`: everything that the records say of two systems, without audio, torch or corpus."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.folders import read_records, record_folders
from benchmark.cli.options import Json, Published, Results, examples
from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import UsageError
from benchmark.text import clean, interval, measured, p_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmark.records.cells import Cell
    from benchmark.statistics import Comparison
    from benchmark.statistics.mcnemar import McNemar
    from benchmark.statistics.tasks import Replicability

COMPARE_EPILOG = examples(
    "bench compare logmel mfcc --task demo",
    "bench compare egemaps+svm mfcc+superb --published",
    "bench compare whisper-tiny+superb egemaps+superb --published --json",
)


LEGEND = (
    "p and interval: of this pair alone; corrected: for all pairs with records on the task; the verdict is by that",
    "detectable: the true difference that 8 in 10 such corpora would show, for a pair alone",
    "worth ... of equal weight: as many speakers of equal say would be as informative",
)


@dataclass(frozen=True)
class _OnTask:
    """Two systems on one task."""

    comparison: Comparison
    scores: tuple[float, float]
    intervals: tuple[tuple[float, float] | None, ...]
    mcnemar: McNemar | None
    synthetic: bool
    speaker_independent: bool
    higher_is_better: bool
    percent: bool


def compare(
    a: Annotated[str, typer.Argument(help="UPSTREAM, or UPSTREAM+DOWNSTREAM.")],
    b: Annotated[str, typer.Argument(help="The system to compare it with.")],
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", help="Task; may be repeated. All that both have if not given.")
    ] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="The task's primary one where not given.")] = None,
    as_json: Json = False,
    results: Results = None,
    published: Published = False,
) -> None:
    """Is A better than B, and how sure are we? Whole speakers are swapped; corrected for all pairs of a task."""
    import numpy as np

    from benchmark.io.settings import load_settings
    from benchmark.records.grouping import group
    from benchmark.statistics.tasks import replicability, wilcoxon

    folders = record_folders([results] if results else None, published)
    sources = read_records(folders)
    if published:
        sources = sources.beside_published(every=False)
    cells = group(*sources.records, published=sources.records[-1] if published else ()).cells
    by_task: dict[str, list[Cell]] = {}
    for cell in cells:
        by_task.setdefault(cell.task.name, []).append(cell)
    root = results or load_settings().results
    found = [
        _on_task(first, second, by_task[name], metric, root) for name, first, second in _pairs(a, b, task, by_task)
    ]
    better = {one.comparison.metric: one.higher_is_better for one in found}
    # tasks of synthetic speech, or with test speakers in train, say nothing of people the systems have not heard
    counted = [one.comparison for one in found if one.speaker_independent and not one.synthetic]
    told: list[Replicability] = []
    over_tasks = None
    if counted:
        told = [replicability(counted, better), replicability([one.mirrored() for one in counted], better)]
    if len({one.metric for one in counted}) == 1 < len(counted):
        over_tasks = wilcoxon(np.array([one.delta for one in counted]))
    if as_json:
        print_json(
            {
                "tasks": [
                    {
                        **asdict(one.comparison),
                        "significant": one.comparison.significant,
                        "detectable": one.comparison.detectable,
                        "score_a": one.scores[0],
                        "interval_a": one.intervals[0],
                        "score_b": one.scores[1],
                        "interval_b": one.intervals[1],
                        "synthetic": one.synthetic,
                        "speaker_independent": one.speaker_independent,
                        "mcnemar": asdict(one.mcnemar) if one.mcnemar else None,
                    }
                    for one in found
                ],
                "replicability": [asdict(one) for one in told],
                "wilcoxon_p": over_tasks,
            }
        )
        sources.fail_if_doubtful()
        return
    _print(found, told)
    if over_tasks is not None:
        stdout().print(f"Wilcoxon's signed-rank test over {len(counted)} tasks: {p_text(over_tasks)}", style="dim")
    sources.fail_if_doubtful()


def _pairs(
    a: str, b: str, tasks: Sequence[str] | None, by_task: Mapping[str, Sequence[Cell]]
) -> list[tuple[str, Cell, Cell]]:
    """The two cells on each task that is asked for, or on each that both have."""
    if tasks:
        for name in tasks:
            if name not in by_task:
                hint = f"there are some of {', '.join(sorted(by_task))}; --published adds those published with serbench"
                raise UsageError(f"there are no records of the task {name!r}", hint)
        return [(name, _named(a, by_task[name]), _named(b, by_task[name])) for name in dict.fromkeys(tasks)]
    common = []
    for name, cells in sorted(by_task.items()):
        complete = [cell for cell in cells if cell.complete]
        if _fitting(a, complete) and _fitting(b, complete):
            common.append((name, _named(a, complete), _named(b, complete)))
    if not common:
        systems = sorted({clean(cell.name).replace(" ", "") for cells in by_task.values() for cell in cells})
        raise UsageError(f"no task has complete results of both {a!r} and {b!r}", f"there are {', '.join(systems)}")
    return common


def _on_task(a: Cell, b: Cell, cells: Sequence[Cell], metric: str | None, root: Path) -> _OnTask:
    from itertools import combinations

    from benchmark.statistics import cell_interval, cell_scores
    from benchmark.statistics.mcnemar import mcnemar
    from benchmark.statistics.pairs import compare_all
    from benchmark.statistics.scores import suited

    name = metric or a.task.metrics[0]
    found = suited(a.task, name)
    scores = (cell_scores(a, name).mean, cell_scores(b, name).mean)  # an incomplete cell is refused here
    complete = [cell for cell in cells if cell.complete]
    if a is b:
        raise UsageError(f"{a.name} would be compared with itself on {a.task.name}", "name two systems")
    pairs = dict(zip(combinations(complete, 2), compare_all(complete, name), strict=True))
    comparison = pairs[a, b] if (a, b) in pairs else pairs[b, a].mirrored()
    return _OnTask(
        comparison,
        scores,
        tuple((one.low, one.high) if one else None for one in (cell_interval(a, name), cell_interval(b, name))),
        mcnemar(a, b, root),
        a.task.corpus.synthetic,
        a.task.speaker_independent,
        found.higher_is_better,
        found.percent,
    )


def _print(found: Sequence[_OnTask], told: Sequence[Replicability]) -> None:
    from benchmark.metrics import find

    first = found[0].comparison
    columns = ["task", "metric", "A", "B", "A - B", "95 % interval", "p", "corrected", "pairs", "detectable", "verdict"]
    rows = []
    for one in found:
        pair, percent = one.comparison, one.percent
        ends = "" if pair.low is None or pair.high is None else interval(pair.low, pair.high, percent)
        rows.append(
            [
                f"{pair.task} (synthetic)" if one.synthetic else pair.task,
                find(pair.metric).title,
                *(_with_interval(*pair_of, percent) for pair_of in zip(one.scores, one.intervals, strict=True)),
                measured(pair.delta, percent),
                ends,
                _p(pair.p),
                _p(pair.p_adjusted),
                pair.pairs,
                "" if pair.detectable is None else measured(pair.detectable, percent),
                _verdict(one),
            ]
        )
    print_table(f"A: {clean(first.a)}\nB: {clean(first.b)}", columns, rows, right=columns[2:-1])
    console = stdout()
    for one in found:
        for line in _remarks(one):
            console.print(f"{one.comparison.task}: {line}", markup=False, style="dim")
    for line in LEGEND:
        console.print(line, markup=False, style="dim")
    for count in (one for one in told if len(one.tasks) > 1):
        tasks = f"{len(count.tasks)} task{'s' if len(count.tasks) != 1 else ''} with unseen speakers"
        named = f": {', '.join(count.holm)}" if count.holm else ""
        names = f"{clean(count.a)} is better than {clean(count.b)}"
        line = f"{names} on at least {count.count} of {tasks}, with 95 % confidence{named}"
        console.print(line, markup=False, style="dim")


def _with_interval(score: float, ends: tuple[float, float] | None, percent: bool) -> str:
    return measured(score, percent) + (f" {interval(*ends, percent)}" if ends else "")


def _verdict(one: _OnTask) -> str:
    pair = one.comparison
    if pair.p is None:
        return "one speaker: no test"
    if not pair.significant:
        return "cannot be told apart"
    return "A is better" if (pair.delta > 0) == one.higher_is_better else "B is better"


def _remarks(one: _OnTask) -> list[str]:
    pair = one.comparison
    unit = f"{pair.n_units} speakers" if pair.unit == "speaker" else f"{pair.n_units} groups of utterances, no speakers"
    lines = [f"{unit}, worth {pair.effective_units:.1f} of equal weight; seeds {pair.seeds[0]} and {pair.seeds[1]}"]
    if pair.p_swap is not None and pair.p_student is not None:
        drawn = "all swaps gone through" if pair.exact else f"Monte Carlo error {pair.p_error or 0:.4f}"
        student = f"of Student's t {_p(pair.p_student)}; METHODS.md says which counts"
        lines.append(f"p of the swap test {_p(pair.p_swap)} ({drawn}), {student}")
    if not one.speaker_independent:
        lines.append("test speakers are also in train, so this says nothing about unseen speakers")
    if one.mcnemar:
        test = one.mcnemar
        lines.append(
            f"McNemar, first seed, utterances taken for independent, which they are not: only A right "
            f"{test.a_only}, only B right {test.b_only} of {test.utterances}, {p_text(test.p)}"
        )
    return lines


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def _fitting(name: str, cells: Sequence[Cell]) -> list[Cell]:
    def plain(text: str) -> str:
        return text.replace(" ", "")

    exact = [cell for cell in cells if plain(cell.name) == plain(name)]
    return exact or [cell for cell in cells if cell.upstream.name == name]


def _named(name: str, cells: Sequence[Cell]) -> Cell:
    fitting = _fitting(name, cells)
    known = ", ".join(sorted(clean(cell.name).replace(" ", "") for cell in (fitting or cells)))
    if len(fitting) > 1:
        raise UsageError(f"{name!r} is {len(fitting)} systems on {cells[0].task.name}", f"say which: {known}")
    if not fitting:
        raise UsageError(
            f"there is no system {name!r} on {cells[0].task.name}", f"there are {known}; --published adds others"
        )
    return fitting[0]
