"""What a run did for each cell, and what it tells of it while it goes on, wherever the work is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.errors import BenchError
from benchmark.io.files import check_writable
from benchmark.io.leftovers import remove_leftovers
from benchmark.io.settings import Settings
from benchmark.progress import Progress
from benchmark.records import Protocol, Record, RecordStore
from benchmark.records.cells import Cell
from benchmark.records.grouping import Grouping, find_cell, group, same_identity
from benchmark.records.superseding import superseded_by
from benchmark.run.plan import CellPlan
from benchmark.statistics import cell_interval, cell_scores
from benchmark.text import count


@dataclass(frozen=True)
class CellScore:
    """The primary metric of a complete cell.

    Attributes:
        metric: Its name.
        mean: Over seeds.
        sd: Over seeds; None for one seed.
        low: Lower end of the 95 % interval over speakers and seeds; None for one speaker.
        high: Its upper end.
    """

    metric: str
    mean: float
    sd: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CellOutcome:
    """What a run did for one (task, upstream, downstream).

    Attributes:
        task: Name of the task.
        upstream: Name of the upstream.
        downstream: Name of the downstream.
        synthetic: Whether the speech was not spoken by people.
        protocol: "official"; or "modified" or "partial", which no leaderboard shows.
        score: Of all the cell's units, earlier ones too; None until they are complete.
        not_shown: Why no board shows it, where records of the same task keep it from that, and what to do; else None.
        completed: Units done now.
        failed: Reason of each unit that failed now, by fold and seed.
        failed_earlier: Likewise, of those that failed in an earlier run and were not tried again.
        kept: Units that were completed already.
        newly_encoded: Utterances encoded now.
        encode_s: Time once spent on encoding the task's utterances [s]; None where nothing was to do, or it is unknown.
        fit_s: Time spent now on fitting and scoring heads [s]; on several workers that of all together.
    """

    task: str
    upstream: str
    downstream: str
    synthetic: bool
    protocol: Protocol
    score: CellScore | None
    not_shown: str | None
    completed: int
    failed: dict[str, str]
    failed_earlier: dict[str, str]
    kept: int
    newly_encoded: int
    encode_s: float | None
    fit_s: float


class Tally:
    """What becomes of the units of a cell; of many that fail alike the first one tells.

    Args:
        cell: The cell.
        progress: Told what fails, and at once what failed in an earlier run.
    """

    def __init__(self, cell: CellPlan, progress: Progress) -> None:
        self.cell = cell
        self.failed: dict[str, str] = {}
        self.newly_encoded = 0
        self.encode_s: float | None = None
        self.fit_s = 0.0
        self._progress = progress
        parts = cell.parts
        self._title = f"{parts.task.name} / {parts.upstream.name} / {parts.downstream.name}"
        for reason, labels in by_reason(cell.failed).items():
            again = "bench run --rerun failed tries them again"
            earlier = f"{count(len(labels), 'unit')} failed earlier ({labels[0]})"
            progress.problem(f"{self._title}: {earlier}: {reason} ({again})")

    def finished(self, label: str, reason: str | None) -> None:
        """A unit has its record.

        Args:
            label: Its fold and seed.
            reason: Why it failed; None where it is completed.
        """
        if reason is not None:
            if reason not in self.failed.values():
                self._progress.problem(f"{self._title}, {label}: failed: {reason}")
            self.failed[label] = reason

    def outcome(self, records: Sequence[Record], shown: Grouping | str) -> CellOutcome:
        """What became of the cell.

        Args:
            records: All of its task.
            shown: What a board makes of them; or why none can be made.
        """
        cell, whole = self.cell, _cell(self.cell, records)
        return CellOutcome(
            task=cell.parts.task.name,
            upstream=cell.parts.upstream.name,
            downstream=cell.parts.downstream.name,
            synthetic=cell.parts.task.corpus.synthetic,
            protocol=cell.protocol,
            score=None if whole is None else _score(whole),
            not_shown=None if whole is None or cell.protocol != "official" else _not_shown(whole, shown),
            completed=len(cell.todo) - len(self.failed),
            failed=self.failed,
            failed_earlier=dict(cell.failed),
            kept=len(cell.units) - len(cell.todo) - len(cell.failed),
            newly_encoded=self.newly_encoded,
            encode_s=self.encode_s,
            fit_s=self.fit_s,
        )


def outcomes(tallies: Sequence[Tally], settings: Settings) -> list[CellOutcome]:
    """What became of each cell; the records of a task are read once for all its cells."""
    store, of_tasks = RecordStore(settings.results), dict[str, tuple[tuple[Record, ...], Grouping | str]]()
    found = []
    for tally in tallies:
        name = tally.cell.parts.task.name
        if name not in of_tasks:
            records = store.read(name).records
            of_tasks[name] = records, _shown(records)
        found.append(tally.outcome(*of_tasks[name]))
    return found


def make_ready(settings: Settings, progress: Progress) -> None:
    """Before any work: what is to be written can be, and what killed runs left half-written is gone.

    Raises:
        BenchError: The results or the cache cannot be written.
    """
    check_writable(settings.results, "--results DIR, or BENCH_RESULTS, names another folder")
    check_writable(settings.cache, "BENCH_CACHE names another folder")
    if number := remove_leftovers(settings.cache, settings.results):
        progress.note(f"removed what killed runs left half-written: {count(number, 'file')}")


def interrupted(cells: Sequence[CellPlan], records: RecordStore) -> str:
    """What is done when somebody stops a run."""
    if not cells:
        return "interrupted before the first unit; the same command begins again"
    units = [(cell.parts.task.name, unit.id) for cell in cells for unit in cell.units]
    done = sum(records.path(*unit).exists() for unit in units)
    return (
        f"interrupted: {done} of {count(len(units), 'unit')} recorded in {records.root}, and what is encoded is kept; "
        "the same command goes on from here"
    )


def by_reason(failed: Mapping[str, str]) -> dict[str, list[str]]:
    """The units that failed for each reason."""
    found: dict[str, list[str]] = {}
    for label, reason in failed.items():
        found.setdefault(reason, []).append(label)
    return found


def _shown(records: Sequence[Record]) -> Grouping | str:
    try:
        return group(records)
    except BenchError as error:
        return str(error)


def _cell(plan: CellPlan, records: Sequence[Record]) -> Cell | None:
    """Exactly the cell that was run, which may share its names with a newer one."""
    parts = plan.parts
    return find_cell(
        records,
        task=parts.task,
        upstream=(parts.upstream.name, parts.upstream.sha256),
        downstream=(parts.downstream.name, parts.downstream.sha256),
        code=parts.code,
        protocol=plan.protocol,
    )


def _score(cell: Cell) -> CellScore | None:
    if not cell.complete:
        return None
    metric = cell.task.metrics[0]
    scores, interval = cell_scores(cell, metric), cell_interval(cell, metric)
    low, high = (interval.low, interval.high) if interval else (None, None)
    return CellScore(metric, scores.mean, scores.sd, low, high)


def _not_shown(cell: Cell, shown: Grouping | str) -> str | None:
    """Why no board shows a cell of official records, and what to do; None where it does."""
    if isinstance(shown, str):
        return shown
    if not any(same_identity(cell, one) for one in shown.superseded):
        return None
    found = superseded_by(cell, shown.cells)
    return f"{found.reason}; {found.advice('bench run')}"
