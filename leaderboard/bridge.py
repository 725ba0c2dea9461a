"""What other benchmarks would report of the same systems, beside the corpus's own task.

A task that is a bridge runs another benchmark's protocol as it is there. Its rows are ranked nowhere. Here each stands
beside the same upstream on the corpus's own task, and beside the same upstream and head there, in the same metric: the
difference of the second pair is the protocol's alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmark.metrics import METRICS, Metric
from benchmark.protocol.fold_schemes import RandomKFold
from benchmark.records import Record, TaskPart
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.registry.known import known_task
from benchmark.statistics import Interval, all_intervals, all_scores
from benchmark.text import NONE, clean, count, interval, measured
from leaderboard.tables import Table

# Random splits of papers are tasks of their own, marked as speaker-dependent: whose they are.
RANDOM, PAPERS = "-random", "papers"
# Heads that stand for them here: the board's own, support vectors, and emotion2vec's.
OF_PAPERS = ("superb", "svm", "linear")


@dataclass(frozen=True)
class Reported:
    """A score as a benchmark reports it.

    Attributes:
        metric: Name of the metric.
        score: Mean over seeds.
        interval: For new speakers and seeds; None for a single speaker, and where speakers of test are in train.
    """

    metric: str
    score: float
    interval: Interval | None


@dataclass(frozen=True)
class Bridge:
    """A row of another benchmark's protocol.

    Attributes:
        corpus: The corpus's own task.
        upstream: Name of the representation.
        whose: The benchmark; "papers" for random splits, as papers report them.
        downstream: Name of the head.
        gives_away: What the protocol does that the corpus's own task does not, in words.
        theirs: What it reports, by the first metric of the protocol.
        own: The same upstream and head on the corpus's own task, by the same metric; None where that was not run.
        ranked: The same upstream on the corpus's own task with the head of that, by its own metric; None likewise.
    """

    corpus: str
    upstream: str
    whose: str
    downstream: str
    gives_away: tuple[str, ...]
    theirs: Reported
    own: Reported | None
    ranked: Reported | None

    @property
    def difference(self) -> float | None:
        """What the protocol alone adds: theirs less that of the same system on the corpus's own task."""
        return None if self.own is None else self.theirs.score - self.own.score


def bridges(*sources: Iterable[Record]) -> list[Bridge]:
    """The rows of other benchmarks' protocols, by corpus, upstream and protocol.

    Args:
        sources: Records; of a unit that several sources have, the first one's counts.

    Raises:
        BenchError: Records contradict each other or their task.
    """
    cells = [cell for cell in group(*sources).cells if cell.complete]
    known = {(cell.task.name, cell.upstream.name, cell.downstream.name): cell for cell in cells}
    tasks = {cell.task.name: cell.task for cell in cells}
    found = []
    for cell in cells:
        corpus, whose = _of(cell.task)
        is_shown = whose != PAPERS or (corpus in tasks and cell.downstream.name in OF_PAPERS)
        if whose is not None and is_shown and not cell.control:
            found.append(_bridge(cell, corpus, whose, known, tasks.get(corpus)))
    return sorted(found, key=lambda one: (one.corpus, one.upstream, one.whose == PAPERS, one.whose, one.downstream))


def overview(found: Sequence[Bridge]) -> Table:
    """One row for each corpus and upstream: what its own task ranks by, and what every protocol reports."""
    columns = list(
        dict.fromkeys(
            (one.whose, one.downstream, one.theirs.metric)
            for one in sorted(found, key=lambda one: (one.whose == PAPERS, one.whose, one.downstream))
        )
    )
    rows: dict[tuple[str, str], dict[tuple[str, str, str], Bridge]] = {}
    for one in found:
        rows.setdefault((one.corpus, one.upstream), {})[one.whose, one.downstream, one.theirs.metric] = one
    header = ["corpus", "upstream", "its own task"]
    header += [f"{clean(whose)}, {clean(head)}: {METRICS[metric].title}" for whose, head, metric in columns]
    lines = []
    for (corpus, upstream), by in rows.items():
        ranked = next((one.ranked for one in by.values() if one.ranked is not None), None)
        texts = (_score(by[key].theirs) if key in by else NONE for key in columns)
        lines.append((clean(corpus), clean(upstream), _with_interval(ranked), *texts))
    return Table(tuple(header), tuple(lines), (False, False, *(True for _ in header[2:])))


def differences(found: Sequence[Bridge]) -> Table:
    """One row for each protocol, corpus, upstream and head: what the protocol alone does to the score."""
    header = ("corpus", "upstream", "protocol", "head", "what it gives away", "theirs", "own task", "difference")
    lines = []
    for one in found:
        metric = METRICS[one.theirs.metric]
        lines.append(
            (
                clean(one.corpus),
                clean(one.upstream),
                clean(one.whose),
                clean(one.downstream),
                "; ".join(one.gives_away) or NONE,
                f"{metric.title} {_score(one.theirs)}",
                _with_interval(one.own),
                NONE if one.difference is None else _signed(one.difference, metric),
            )
        )
    return Table(header, tuple(lines), (False, False, False, False, False, True, True, True))


def _of(task: TaskPart) -> tuple[str, str | None]:
    """The corpus's own task, by the name of one that is a bridge; and whose protocol it is, if anybody's."""
    own, _, _ = task.name.rpartition("-")
    if task.bridge is not None:
        return own, task.bridge
    return own, PAPERS if task.name.endswith(RANDOM) and not task.speaker_independent else None


def _bridge(
    cell: Cell, corpus: str, whose: str, known: Mapping[tuple[str, str, str], Cell], task: TaskPart | None
) -> Bridge:
    metric = cell.task.metrics[0]
    own = known.get((corpus, cell.upstream.name, cell.downstream.name))
    head = "" if task is None or task.downstream is None else task.downstream
    ranked = known.get((corpus, cell.upstream.name, head))
    return Bridge(
        corpus=corpus,
        upstream=cell.upstream.name,
        whose=whose,
        downstream=cell.downstream.name,
        gives_away=_gives_away(cell),
        theirs=_reported(cell, metric),
        own=None if own is None or metric not in own.task.metrics else _reported(own, metric),
        ranked=None if ranked is None else _reported(ranked, ranked.task.metrics[0]),
    )


def _gives_away(cell: Cell) -> tuple[str, ...]:
    """What a protocol does that an honest one does not, of what records and this package's protocols tell."""
    told, task = [], known_task(cell.task.name)
    if not cell.task.speaker_independent:
        told.append("speakers of test are in train")
    if cell.task.dev_is_test:
        selects = any(record.selection is not None and record.selection.on for record in cell.records.values())
        told.append("the test fold selects the head" if selects else "the test fold is dev, which selects nothing here")
    elif task is not None and task.dev.scheme == "random" and getattr(task.dev, "group", None) is None:
        told.append("dev has speakers of train")
    if task is not None and isinstance(task.folds, RandomKFold) and task.folds.shots is not None:
        told.append(f"{count(task.folds.shots, 'utterance')} of each class to fit on")
    return tuple(told)


def _reported(cell: Cell, metric: str) -> Reported:
    score = all_scores(cell, [metric])[metric].mean
    ends = all_intervals(cell, [metric])[metric] if cell.task.speaker_independent else None
    return Reported(metric, score, ends)


def _score(one: Reported) -> str:
    return measured(one.score, METRICS[one.metric].percent)


def _with_interval(one: Reported | None) -> str:
    if one is None:
        return NONE
    metric = METRICS[one.metric]
    text = f"{metric.title} {_score(one)}"
    ends = one.interval
    return text if ends is None else f"{text} {interval(ends.low, ends.high, metric.percent)}"


def _signed(value: float, metric: Metric) -> str:
    text = measured(value, metric.percent)
    return text if text.startswith("-") else f"+{text}"
