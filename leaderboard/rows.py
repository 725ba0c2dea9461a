"""The cells of the leaderboard with their scores, ranked, and as values for CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.cells import Cell
from benchmark.metrics import Metric, find
from benchmark.statistics import Interval, Scores, all_intervals, all_scores


@dataclass(frozen=True, eq=False)
class Row:
    """A cell with its scores, which only a complete cell has."""

    cell: Cell
    scores: Mapping[str, Scores]
    intervals: Mapping[str, Interval | None]


@dataclass(frozen=True)
class Value:
    """One row of the CSV: a cell and a metric, or only counts where the cell is incomplete.

    Attributes:
        task: Name of the task.
        task_sha256: Digest of its protocol.
        corpus: Name of the corpus.
        upstream: Name of the upstream.
        upstream_sha256: Digest of its identity.
        downstream: Name of the downstream.
        downstream_sha256: Digest of its identity.
        metric: Name of the metric.
        primary: Whether the task ranks by it.
        mean: Mean over seeds, as a fraction (not times 100); empty for an incomplete cell, like the four next.
        sd: Standard deviation over seeds; empty for one seed.
        low: Lower end of the 95 % interval over speakers and seeds; empty for one speaker.
        high: Its upper end.
        n_speakers: Number of test speakers.
        seeds: Number of seeds the cell needs.
        folds: Number of folds the cell needs.
        units_completed: Completed (fold, seed) units.
        units_failed: Failed ones.
        units_expected: Those it needs.
        complete: Whether all are completed.
        flags: Joined by "; ".
        layers: Layers of the upstream.
        dim: Dimension of the upstream.
        parameters: Weights of the upstream.
    """

    task: str
    task_sha256: str
    corpus: str
    upstream: str
    upstream_sha256: str
    downstream: str
    downstream_sha256: str
    metric: str
    primary: bool
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    n_speakers: int | None
    seeds: int
    folds: int
    units_completed: int
    units_failed: int
    units_expected: int
    complete: bool
    flags: str
    layers: int | None
    dim: int | None
    parameters: int | None


def scored(cell: Cell) -> Row:
    """A cell with every metric of its task, where it is complete."""
    if not cell.complete:
        return Row(cell, {}, {})
    metrics = cell.task.metrics
    return Row(cell, all_scores(cell, metrics), all_intervals(cell, metrics))


def rank(rows: list[Row]) -> list[tuple[Row, int | None]]:
    """The rows of a task with their ranks: equal scores share one, incomplete cells have none and come last."""
    primary = primary_metric(rows[0].cell)
    sign = -1 if primary.higher_is_better else 1

    def points(row: Row) -> float:
        return round(sign * row.scores[primary.name].mean, 9)  # no rank is decided by rounding noise

    complete = sorted((row for row in rows if row.scores), key=lambda row: (points(row), row.cell.name))
    ranks: list[tuple[Row, int | None]] = []
    for position, row in enumerate(complete, start=1):
        tied = position > 1 and points(row) == points(complete[position - 2])
        ranks.append((row, ranks[-1][1] if tied else position))
    return ranks + [(row, None) for row in rows if not row.scores]


def primary_metric(cell: Cell) -> Metric:
    """The metric by which its task ranks."""
    return find(cell.task.metrics[0])


def csv_values(row: Row) -> list[Value]:
    """What the CSV says of a cell: one row for each metric of its task."""
    cell = row.cell
    values = []
    for name in cell.task.metrics:
        scores, found = row.scores.get(name), row.intervals.get(name)
        values.append(
            Value(
                task=cell.task.name,
                task_sha256=cell.task.sha256,
                corpus=cell.task.corpus.name,
                upstream=cell.upstream.name,
                upstream_sha256=cell.upstream.sha256,
                downstream=cell.downstream.name,
                downstream_sha256=cell.downstream.sha256,
                metric=name,
                primary=name == cell.task.metrics[0],
                mean=None if scores is None else scores.mean,
                sd=None if scores is None else scores.sd,
                low=None if found is None else found.low,
                high=None if found is None else found.high,
                n_speakers=len(cell.speakers) if cell.complete else None,
                seeds=len(cell.seeds),
                folds=len(cell.task.folds),
                units_completed=len(cell.completed),
                units_failed=len(cell.failed),
                units_expected=len(cell.units),
                complete=cell.complete,
                flags="; ".join(cell.flags()),
                layers=cell.upstream.layers,
                dim=cell.upstream.dim,
                parameters=cell.upstream.parameters,
            )
        )
    return values
