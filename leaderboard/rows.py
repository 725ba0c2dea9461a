"""The cells of the leaderboard with their scores, ranked, and as values for CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.records import TaskPart
from benchmark.records.cells import Cell
from benchmark.statistics import Interval, Scores, TaskAnalysis, all_intervals, all_scores, analyse
from benchmark.statistics.fairness import Fairness, fairness
from benchmark.statistics.scores import effective_speakers
from benchmark.statistics.seeds import collapsed_seeds
from leaderboard.calibration import Calibrated, calibrated, named

# In this order; what was trained on the task's recordings is in no other group.
GROUPS = ("fixed", "open head", "fine-tuned", "contaminated")


@dataclass(frozen=True, eq=False)
class Row:
    """A cell with its scores, which only a complete cell has.

    Attributes:
        cell: It.
        scores: By metric; empty for an incomplete cell.
        intervals: By metric; None for a single speaker.
        fairness: By the primary metric; None for an incomplete cell.
        collapsed: The seeds that learnt next to nothing, by the primary metric.
        calibrated: How far probabilities can be believed; None for an incomplete cell, and for dimensions.
    """

    cell: Cell
    scores: Mapping[str, Scores]
    intervals: Mapping[str, Interval | None]
    fairness: Fairness | None = None
    collapsed: tuple[int, ...] = ()
    calibrated: Calibrated | None = None


@dataclass(frozen=True, eq=False)
class Place:
    """Where a cell stands among those it is ranked with.

    Attributes:
        row: The cell with its scores.
        rank: By score; equal scores share one. None for a control, which is no system, and for an incomplete cell.
        letters: Two systems of a group share a letter exactly where they cannot be told apart; empty without a rank.
        best: The best rank that the tests leave possible; None without a rank.
        worst: The worst one.
    """

    row: Row
    rank: int | None
    letters: str
    best: int | None
    worst: int | None


@dataclass(frozen=True, eq=False)
class Group:
    """Cells of a task that are ranked with each other.

    Attributes:
        name: "fixed" (the task's own head and recipe on a frozen upstream), "open head", "fine-tuned", or
            "contaminated" (the weights were trained on recordings of the task).
        places: By rank, then controls, then those that are not complete.
    """

    name: str
    places: tuple[Place, ...]

    @property
    def ranked(self) -> list[str]:
        """The names of the systems that have a rank, the best first."""
        return [place.row.cell.name for place in self.places if place.rank is not None]


@dataclass(frozen=True, eq=False)
class Section:
    """One task: its cells, ranked in groups, and every two of them compared.

    Attributes:
        task: The protocol.
        groups: Those that there are, "fixed" first and "contaminated" last.
        analysis: Every two complete cells compared, of all groups together.
        effective: How many test speakers of equal weight there are; None where no cell is complete.
    """

    task: TaskPart
    groups: tuple[Group, ...]
    analysis: TaskAnalysis
    effective: float | None

    def leaders(self, group: Group) -> frozenset[str]:
        """The first system of a group, and those that cannot be told apart from it."""
        pairs, names = self.analysis.pairs, group.ranked
        return frozenset(name for name in names if name == names[0] or not pairs[names[0], name].significant)


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
        group: Which cells of the task it is ranked with: see `GROUPS`.
        rank: Its rank among them by the primary metric; empty for an incomplete cell and for a control, like the three
            next.
        rank_best: The best rank that the tests leave possible.
        rank_worst: The worst one.
        letters: Cells of a group share a letter exactly where the tests cannot tell them apart.
        metric: Name of the metric: those of the task; and of probabilities `ece`, `brier` and `nll`, the better the
            lower, and the same after a temperature, `ece_after` and so on, where the records have them.
        primary: Whether the task ranks by it.
        mean: Mean over seeds, as a fraction (not times 100); empty for an incomplete cell, like the next ones.
        sd: Standard deviation over seeds; empty for one seed.
        low: Lower end of the 95 % interval over speakers and seeds; empty for one speaker.
        high: Its upper end.
        cluster: What the interval's variance was taken over: "speaker", or "utterance" where the corpus knows none.
        n_clusters: Number of test speakers; of groups of utterances where the corpus knows none.
        effective_clusters: How many of equal weight they are worth.
        gender_gap: Largest difference between genders, by this metric if it is the primary one; empty where the corpus
            does not know them.
        worst_speaker: The lowest score of a speaker, likewise; empty where the corpus does not know speakers.
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
    group: str
    rank: int | None
    rank_best: int | None
    rank_worst: int | None
    letters: str
    metric: str
    primary: bool
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    cluster: str
    n_clusters: int | None
    effective_clusters: float | None
    gender_gap: float | None
    worst_speaker: float | None
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


def section(cells: Sequence[Cell]) -> Section:
    """The cells of a task, ranked in groups.

    Raises:
        BenchError: They were not tested on the same utterances.
    """
    rows: dict[str, list[Row]] = {name: [] for name in GROUPS}
    for cell in cells:
        rows[cell.table].append(scored(cell))
    analysis = analyse(cells)
    complete = next((cell for cell in cells if cell.complete), None)
    effective = None if complete is None else effective_speakers(complete.statistics(), complete.task)
    for cell in cells:
        cell.forget()
    groups = tuple(Group(name, _places(found, analysis)) for name, found in rows.items() if found)
    return Section(cells[0].task, groups, analysis, effective)


def scored(cell: Cell) -> Row:
    """A cell with every metric of its task, where it is complete."""
    if not cell.complete:
        return Row(cell, {}, {})
    metrics = cell.task.metrics
    primary = metrics[0]
    return Row(
        cell,
        all_scores(cell, metrics),
        all_intervals(cell, metrics),
        fairness(cell, primary),
        collapsed_seeds(cell, primary),
        calibrated(cell),
    )


def _places(rows: Sequence[Row], analysis: TaskAnalysis) -> tuple[Place, ...]:
    """The rows of a group with their ranks: equal scores share one; controls and incomplete cells have none."""
    primary = analysis.metric
    sign = -1 if primary.higher_is_better else 1

    def points(row: Row) -> float:
        return round(sign * row.scores[primary.name].mean, 9)  # no rank is decided by rounding noise

    scored_rows = sorted((row for row in rows if row.scores), key=lambda row: (points(row), row.cell.name))
    complete = [row for row in scored_rows if not row.cell.control]
    others = [row for row in scored_rows if row.cell.control] + [row for row in rows if not row.scores]
    names = [row.cell.name for row in complete]
    signs, ranges = analysis.letters(names), analysis.rank_ranges(names)
    places: list[Place] = []
    for position, row in enumerate(complete, start=1):
        tied = position > 1 and points(row) == points(complete[position - 2])
        best, worst = ranges[position - 1]
        places.append(Place(row, places[-1].rank if tied else position, signs[position - 1], best, worst))
    return (*places, *(Place(row, None, "", None, None) for row in others))


def csv_values(group: Group) -> list[Value]:
    """What the CSV says of a group: one row for each cell and metric, of its task and then of probabilities."""
    values = []
    for place in group.places:
        row = place.row
        for metric in row.cell.task.metrics:
            values.append(_value(group.name, place, metric, row.scores.get(metric), row.intervals.get(metric)))
        if row.calibrated is not None:
            values += [_value(group.name, place, *measure) for measure in named(row.calibrated)]
    return values


def _value(group: str, place: Place, metric: str, scores: Scores | None, found: Interval | None) -> Value:
    cell, people = place.row.cell, place.row.fairness
    primary = metric == cell.task.metrics[0]
    return Value(
        task=cell.task.name,
        task_sha256=cell.task.sha256,
        corpus=cell.task.corpus.name,
        upstream=cell.upstream.name,
        upstream_sha256=cell.upstream.sha256,
        downstream=cell.downstream.name,
        downstream_sha256=cell.downstream.sha256,
        group=group,
        rank=place.rank,
        rank_best=place.best,
        rank_worst=place.worst,
        letters=place.letters,
        metric=metric,
        primary=primary,
        mean=None if scores is None else scores.mean,
        sd=None if scores is None else scores.sd,
        low=None if found is None else found.low,
        high=None if found is None else found.high,
        cluster=cell.cluster,
        n_clusters=len(cell.speakers) if cell.complete else None,
        effective_clusters=None if found is None else found.effective_clusters,
        gender_gap=people.gap if people and primary else None,
        worst_speaker=people.worst if people and primary else None,
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


def encode_s_per_hour(cell: Cell) -> float | None:
    """Seconds that encoding an hour of audio took where the cell was run; None where no record knows it.

    A circumstance, which is in no file that is compared byte by byte: only figures show it.
    """
    for record in cell.records.values():
        if record.cost.encode_s and record.cost.audio_s > 0:
            return record.cost.encode_s / record.cost.audio_s * 3600
    return None
