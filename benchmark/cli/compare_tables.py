"""What `bench compare` prints: two systems on several tasks, or all systems of a task against one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.cli.terminal import print_table, stdout
from benchmark.text import clean, count, decimal, interval, join, measured, p_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark.cli.compare import OnTask, Together
    from benchmark.metrics import Metric
    from benchmark.records.cells import Cell
    from benchmark.statistics import Comparison, TaskAnalysis

LEGEND = (
    "p and interval: of this pair alone, and of one test: p is below 0.05 exactly where the interval leaves out 0",
    "corrected: p, corrected for the pairs that are said to be; the verdict is by that, and so is the bound",
    "worth ... of equal weight: as many speakers of equal say would be as informative",
)
FAMILIES = {
    "alone": "",
    "table": " of their table",
    "controls": " with a control",
    "task": " of the task, for the two stand in different tables",
    "baseline": " with the baseline",
    "protocols": " of one system under both",
}
FEW_SEEDS = {
    1: "one seed: nothing is said of new ones, only of this trained model",
    2: "two seeds: how much new ones would change is hardly known",
}


def print_pairs(found: Sequence[OnTask], told: Together) -> None:
    """Two systems on each task, what must be known beside the numbers, and what the tasks say together."""
    first = found[0].comparison
    columns = ["task", "metric", "A", "B", "A - B", "95 % interval", "p", "corrected", "verdict"]
    rows = []
    for one in found:
        pair, percent = one.comparison, one.metric.percent
        rows.append(
            [
                f"{clean(pair.task)} (synthetic)" if one.cells[0].task.corpus.synthetic else clean(pair.task),
                one.metric.title,
                *(_with_interval(*of_one, percent) for of_one in zip(one.scores, one.intervals, strict=True)),
                *numbers(pair, percent),
                _verdict(pair, one.metric, one.margin, ("A", "B")),
            ]
        )
    print_table(f"A: {clean(first.a)}\nB: {clean(first.b)}", columns, rows, right=columns[2:-1], keys=columns[:1])
    lines = [f"{clean(one.comparison.task)}: {line}" for one in found for line in _remarks(one)]
    _dim([*lines, *LEGEND, *_over_tasks(told)])


def print_baseline(baseline: Cell, analysis: TaskAnalysis, pairs: Sequence[Comparison], margin: float | None) -> None:
    """All systems of a task against one, the best first and controls last."""
    from benchmark.statistics import cell_scores

    metric = analysis.metric
    controls = {cell.name for cell in analysis.cells if cell.control}
    scores = {cell.name: cell_scores(cell, metric.name).mean for cell in analysis.cells}
    columns = ["system", metric.title, "difference", "95 % interval", "p", "corrected", "verdict"]
    rows = []
    for pair in sorted(pairs, key=lambda one: (one.a in controls, -one.gain, one.a)):
        verdict = _verdict(pair, metric, margin, ("better", "worse"))
        name = f"{clean(pair.a)} (control)" if pair.a in controls else clean(pair.a)
        rows.append([name, measured(scores[pair.a], metric.percent), *numbers(pair, metric.percent), verdict])
    at = measured(scores[baseline.name], metric.percent)
    title = f"{clean(baseline.task.name)}: against {clean(baseline.name)}, {metric.title} {at}"
    print_table(title, columns, rows, right=columns[1:-1], keys=columns[:1])
    systems = count(sum(pair.a not in controls for pair in pairs), "pair")
    _dim([f"corrected by Holm for the {systems} with the baseline alone: it must be named before the scores are seen"])


def bound(margin: float, metric: Metric) -> float | None:
    """A margin in points as the metric has it; an error has no points."""
    return margin / 100 if metric.higher_is_better else None


def numbers(pair: Comparison, percent: bool) -> tuple[str, str, str, str]:
    """The difference, its interval, p, and corrected p; empty where there is none."""
    ends = "" if pair.low is None or pair.high is None else interval(pair.low, pair.high, percent)
    return measured(pair.delta, percent), ends, _p(pair.p), _p(pair.p_adjusted)


def _with_interval(score: float, ends: tuple[float, float] | None, percent: bool) -> str:
    return measured(score, percent) + (f" {interval(*ends, percent)}" if ends else "")


def _verdict(pair: Comparison, metric: Metric, margin: float | None, words: tuple[str, str]) -> str:
    at_most = pair.at_most()
    if at_most is None:
        return f"{pair.clusters_text}: no test"
    small = margin is not None and at_most < margin
    if pair.significant:
        verdict = words[pair.gain < 0] if words[0] == "better" else f"{words[pair.gain < 0]} is better"
        return f"{verdict}, by less than {measured(margin, metric.percent)}" if small and margin else verdict
    if small and margin is not None:
        return f"differ by less than {measured(margin, metric.percent)}"
    return "cannot be told apart"


def _remarks(one: OnTask) -> list[str]:
    pair, percent, title = one.comparison, one.metric.percent, one.metric.title
    clusters = pair.clusters_text + ("" if pair.cluster == "speaker" else " of utterances, no speakers")
    worth = decimal(pair.effective_clusters, 1)
    lines = [f"{clusters}, worth {worth} of equal weight; seeds {pair.seeds[0]} and {pair.seeds[1]}"]
    at_most = pair.at_most()
    if at_most is None:
        lines.append("no test: so few speakers may agree by chance, and say nothing of others, whatever the seeds say")
    else:
        lines.append(
            f"corrected for {count(pair.pairs, 'pair')}{FAMILIES[pair.family]}; the true difference is at most "
            f"{measured(at_most, percent)}"
        )
        sizes = join([measured(power.difference, percent) for power in one.power])
        shares = join([f"{100 * p.share:.0f} ({100 * p.low:.0f} to {100 * p.high:.0f})" for p in one.power])
        lines.append(f"true differences of {sizes} {title} would be found in about {shares} % of such corpora")
    for cell, collapsed in zip(one.cells, one.collapsed, strict=True):
        if cell.downstream.stochastic and len(cell.seeds) in FEW_SEEDS:
            lines.append(f"{clean(cell.name)} has {FEW_SEEDS[len(cell.seeds)]}")
        if collapsed:
            seeds = join([str(seed) for seed in collapsed])
            lines.append(f"{clean(cell.name)}, seed {seeds}: learnt nothing; the interval is too sure")
    if not one.cells[0].task.speaker_independent:
        lines.append("test speakers are also in train, so this says nothing about unseen speakers")
    if one.mcnemar:
        test = one.mcnemar
        lines.append(
            f"McNemar, first seed, utterances taken for independent, which they are not: only A right "
            f"{test.a_only}, only B right {test.b_only} of {test.utterances}, {p_text(test.p)}"
        )
    return lines


def _over_tasks(told: Together) -> list[str]:
    """What several tasks say together; nothing of a single one, which has said it."""
    from benchmark.metrics import find
    from benchmark.statistics.tasks import MIN_CORPORA

    lines = []
    for one in told.pooled:
        metric = find(one.metric)
        ends = interval(one.low, one.high, metric.percent)
        lines.append(
            f"Over {count(one.tasks, 'task')} of {_corpora(len(one.corpora))}, each corpus one number: A is better by "
            f"{measured(one.gain, metric.percent)} {metric.title} {ends}, {p_text(one.p)}, for new speakers of these"
        )
    for each in (one for one in told.counts if len(one.corpora) > 1):
        named = f": {', '.join(map(clean, each.holm))}" if each.holm else ""
        lines.append(
            f"{clean(each.a)} is better than {clean(each.b)} on at least {each.count} of "
            f"{_corpora(len(each.corpora))} with unseen speakers, with 95 % confidence{named}"
        )
    if told.wilcoxon_p is not None:
        smallest = f"smallest possible {decimal(2.0 ** (1 - told.corpora), 4)}"
        lines.append(
            f"Wilcoxon's signed-rank test over {_corpora(told.corpora)}: {p_text(told.wilcoxon_p)} ({smallest})"
        )
    elif told.corpora > 1:
        lines.append(f"No test over corpora: it needs {MIN_CORPORA}, and here are {told.corpora}")
    return lines


def _corpora(number: int) -> str:
    return f"{number} {'corpus' if number == 1 else 'corpora'}"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "< 0.0001" if value < 0.0001 else decimal(value, 4)


def _dim(lines: Sequence[str]) -> None:
    for line in lines:
        stdout().print(line, markup=False, style="dim")
