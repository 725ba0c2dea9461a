"""Checking results that somebody submits: records only, no corpus, no torch, in bounded time and memory.

A submission is data from anybody. Its scores are never believed: they are computed again from its statistics, which
must agree with the counts, the protocol and what the published systems of the task were tested on.

What no check can see, as it has neither audio nor a corpus: whether the decisions that were counted were ever made.
Counts that are made up consistently pass, and so do a better score, seeds that are copies of the best one (noted, not
refused: a head may be that stable), digests and versions of what was never run. Where a task has no published result,
its first file says what was tested on which speakers, and all later ones are compared with it. Only running it again
tells, which every file names the command for; so a result is trusted as far as who submits it, and a first result of a
task, or one that replaces another, is worth a second run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import combinations, islice
from pathlib import Path

from benchmark.errors import BenchError
from benchmark.io.bounded_json import read_bounded
from benchmark.protocol.task import Task
from benchmark.records import Record, check_seals, parse_records, verify
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.registry import known
from benchmark.submissions.expectations import unexpected
from benchmark.submissions.likeness import are_alike, decisions_apart
from benchmark.submissions.plausibility import check_texts, implausible, notes, other_commands
from benchmark.submissions.published import Published
from benchmark.submissions.publishing import in_order, published_path, shared

MAX_UNITS = 20_000  # folds times seeds of one cell
MAX_REASONS = 20  # listed; more of them help nobody
RESULTS = "results"  # the folder of published results, in the folder LEADERBOARD
LEADERBOARD = "leaderboard"


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one file.

    Attributes:
        path: As it was given.
        reasons: Why it is refused; empty where it is accepted.
        notes: What a reader may want to look at.
        task: Name of the task; None where the file could not be read.
        system: Upstream and downstream.
        metric: The task's primary metric.
        score: Its mean over seeds, computed again; None where the file is refused.
        sd: Its standard deviation over seeds; None for one seed.
        speakers: Number of speakers, or of groups of utterances.
        units: Number of folds and seeds.
        compared: Number of published systems that were tested on the same utterances.
        found: Whether there is such a file at all.
    """

    path: str
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    task: str | None = None
    system: str | None = None
    metric: str | None = None
    score: float | None = None
    sd: float | None = None
    speakers: int | None = None
    units: int | None = None
    compared: int = 0
    found: bool = True

    @property
    def accepted(self) -> bool:
        """Whether it can be merged."""
        return not self.reasons


@dataclass
class Checker:
    """Checks files against the registered tasks and the published results.

    Attributes:
        against: Folder of published results; None to compare with none.
        now: Of which time nothing may be in the future.
    """

    against: Path | None = None
    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    def __post_init__(self) -> None:
        """Read nothing yet."""
        self._published = Published(self.against)

    def check(self, path: Path) -> Verdict:
        """Check one file; whatever is in it, there is a verdict."""
        try:
            records = read_submission(path)
        except BenchError as error:
            return Verdict(str(path), (str(error),), found=path.is_file())
        first = records[0]
        system, task = f"{first.upstream.name} + {first.downstream.name}", first.task.name
        try:
            cell, remarks, compared = self._cell(path, records)
        except _RefusedError as error:
            return Verdict(str(path), error.reasons, (), task, system)
        from benchmark.statistics import cell_scores

        metric = cell.task.metrics[0]
        scores = cell_scores(cell, metric)
        return Verdict(
            path=str(path),
            notes=tuple(remarks),
            task=task,
            system=system,
            metric=metric,
            score=scores.mean,
            sd=scores.sd,
            speakers=len(cell.speakers),
            units=len(cell.units),
            compared=compared,
        )

    def _cell(self, path: Path, records: Sequence[Record]) -> tuple[Cell, list[str], int]:
        """The complete cell of a submission, and what else is to be said; each step trusts those before it."""
        _refuse(_misplaced(path, records[0], self.against))
        task = known.tasks().read(records[0].task.name)
        _refuse(_not_one_cell(records))
        _refuse(_statements(records, self.now))
        _refuse(_incomplete(task, records))
        _refuse(unexpected(task, records))
        _refuse(_telling(records))
        _refuse(other_commands(records))
        try:
            grouping = group(records)
            published, compared = self._published.remarks(path, records)
            remarks = [*_equal_seeds(records), *published]
        except BenchError as error:
            raise _RefusedError([str(error)]) from None
        (cell,) = grouping.cells
        return cell, [*notes(records[0]), *remarks], compared


def read_submission(path: Path) -> list[Record]:
    """Read the records of a submitted file; each of them is verified.

    Raises:
        BenchError: It is a link, too large, no JSON, does not follow the schema, holds texts that no record has, or a
            record contradicts itself.
    """
    absolute = path.absolute()
    if any(one.is_symlink() for one in (absolute, absolute.parent, absolute.parent.parent)):
        raise BenchError("it is a link, or lies in a folder that is one", "give the file itself")
    content = read_bounded(path)
    if isinstance(content, dict) and isinstance(content.get("units"), list) and len(content["units"]) > MAX_UNITS:
        raise BenchError(f"it has {len(content['units'])} units", f"at most {MAX_UNITS}")
    check_texts(content)
    if not isinstance(content, dict) or content.keys() != {"common", "units"}:
        raise BenchError("it is no published cell: an object of common and units", "bench publish writes one")
    records = parse_records(content)
    verify(*records)
    check_seals(content)
    return records


class _RefusedError(BenchError):
    """A submission that is refused, with every reason."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


def _refuse(reasons: Iterable[str]) -> None:
    # The same is often wrong in every unit.
    listed = tuple(islice(dict.fromkeys(islice(reasons, 100 * MAX_REASONS)), MAX_REASONS))
    if listed:
        raise _RefusedError(listed)


def _equal_seeds(records: Sequence[Record]) -> Iterator[str]:
    """Note that a head that draws at random did the same with two seeds, or nearly the same."""
    if not records[0].downstream.stochastic:
        return
    by_seed: dict[int, dict[str, Record]] = {}
    for one in records:
        by_seed.setdefault(one.seed, {})[one.fold] = one
    paired = {
        (a, b): [(by_seed[a][fold], by_seed[b][fold]) for fold in by_seed[a]]
        for a, b in combinations(sorted(by_seed), 2)
    }
    if not paired:
        return
    if all(one.by_speaker == other.by_speaker for pairs in paired.values() for one, other in pairs):
        yield "all seeds have the same decisions, though the head is said to depend on the seed"
        return
    for (a, b), pairs in paired.items():
        if are_alike(pairs):
            apart, of = decisions_apart(pairs)
            yield (
                f"seeds {a} and {b} have the same decisions but {apart:.0f} of {of:.0f}, though the head is said to "
                "depend on the seed"
            )


def _telling(records: Sequence[Record]) -> Iterator[str]:
    """What `bench publish` would not have told."""
    ordered = in_order(records)
    if records[0].clusters.folds and records[0].task.folds != sorted(records[0].task.folds):
        yield "task.folds are not sorted, so their order would tell the order of the speakers"
    for one, published in zip(ordered, shared(ordered), strict=True):
        if one.clusters.gender != published.clusters.gender:
            yield "a gender that it gives is that of one person: bench publish leaves all of them out"
        elif one != published:
            yield "its units differ in what would tell the order of the speakers: bench publish makes it alike"


def _misplaced(path: Path, record: Record, against: Path | None) -> Iterator[str]:
    """A task that is not known, or a file that does not lie where its names say."""
    if record.task.name not in known.tasks().names():
        yield f"the task {record.task.name!r:.80} is not registered: bench list tasks shows those that are"
        return
    wanted = published_path(Path(), record.task.name, record.upstream.name, record.downstream.name)
    absolute = path.absolute()
    if Path(absolute.parent.name, path.name) != wanted:
        yield f"it is the result of {wanted.as_posix()!r:.300}, and must lie there"
        return
    root = absolute.parent.parent.resolve()
    own = None if against is None else against.resolve()
    inside = own in root.parents or any((one.name, one.parent.name) == (RESULTS, LEADERBOARD) for one in root.parents)
    if inside or (root != own and root.name != RESULTS):
        yield f"it lies in the folder {root.name!r:.80}: results are in leaderboard/results, or in what --against names"


def _not_one_cell(records: Sequence[Record]) -> Iterator[str]:
    """Units that differ in what the units of one cell share."""
    first = records[0]
    for record in records:
        head = record.downstream.model_copy(update={"parameters": first.downstream.parameters})
        for what, one, other in (
            ("task", record.task, first.task),
            ("upstream", record.upstream, first.upstream),
            ("downstream", head, first.downstream),
            ("protocol", record.protocol, first.protocol),
            ("primary", record.primary, first.primary),
            ("unit of clusters", record.clusters.unit, first.clusters.unit),
            ("names of folds", record.clusters.folds, first.clusters.folds),
        ):
            if one != other:
                yield f"its units differ in {what} (fold {record.fold!r:.80}, seed {record.seed})"
    genders: dict[str, str] = {}
    for record in records:
        for name, gender in record.clusters.gender.items():
            if genders.setdefault(name, gender) != gender:
                yield f"the speaker {name!r} has two genders"


def _statements(records: Sequence[Record], now: datetime) -> Iterator[str]:
    for record in records:
        yield from implausible(record, now)


def _incomplete(task: Task, records: Sequence[Record]) -> Iterator[str]:
    """Folds and seeds that are missing, there twice, or not of the task."""
    seeds = task.seeds if records[0].downstream.stochastic else task.seeds[:1]
    folds = records[0].task.folds
    if len(set(folds)) < len(folds) or not folds:
        yield "task.folds names a fold twice, or none"
        return
    found = Counter((record.fold, record.seed) for record in records)
    wanted = {(fold, seed) for fold in folds for seed in seeds}
    for (fold, seed), number in found.items():
        if (fold, seed) not in wanted:
            yield f"fold {fold!r:.80}, seed {seed} is not of the task {task.name!r}"
        elif number > 1:
            yield f"fold {fold!r:.80}, seed {seed} is there {number} times"
    missing = sorted(wanted - found.keys())
    if missing:
        fold, seed = missing[0]
        yield f"{len(missing)} of {len(wanted)} units are missing, such as fold {fold!r:.80}, seed {seed}"
