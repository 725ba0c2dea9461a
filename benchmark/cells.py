"""Cells of the leaderboard: the records of one (task, upstream, downstream), over folds and seeds.

A cell is known by three digests and shown under three names. Its units must all be there before it has a score.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.facts import known_trained_on
from benchmark.files import digest
from benchmark.records import DownstreamPart, Protocol, Record, TaskPart, UpstreamPart, metrics_of, statistics_of
from benchmark.records.salting import salted
from benchmark.records.upgrades import UNKNOWN_SPEAKER

Unit = tuple[str, int]
Track = Literal["fixed", "open head", "fine-tuned"]
# The default head of every task but one when records did not yet name it.
FORMER_DEFAULT = "superb"
LARGEST_STATISTICS = 250_000_000  # values: 2 GB
TRUTH_OF_MOMENTS = (0, 1, 3)  # n, sum t and sum t*t: what moments know of the truth


@dataclass(frozen=True, eq=False)
class Cell:
    """One (task, upstream, downstream).

    Attributes:
        task: The protocol, as its first completed unit has it (its first failed one where none is completed).
        upstream: The representation, likewise.
        downstream: The head, likewise.
        records: What there is of the cell's units, by (fold, seed); no other units.
    """

    task: TaskPart
    upstream: UpstreamPart
    downstream: DownstreamPart
    records: Mapping[Unit, Record]

    @property
    def name(self) -> str:
        """The system, as it is shown."""
        return f"{self.upstream.name} + {self.downstream.name}"

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that the cell needs: those of the task, or only the first where the head ignores it."""
        return tuple(self.task.seeds if self.downstream.stochastic else self.task.seeds[:1])

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Every (fold, seed) that the cell needs, folds first."""
        return tuple((fold, seed) for fold in self.task.folds for seed in self.seeds)

    @cached_property
    def completed(self) -> tuple[Unit, ...]:
        """The units that are completed."""
        return tuple(unit for unit in self.units if self._status(unit) == "completed")

    @cached_property
    def failed(self) -> tuple[Unit, ...]:
        """The units that failed; their records hold the reason."""
        return tuple(unit for unit in self.units if self._status(unit) == "failed")

    @cached_property
    def missing(self) -> tuple[Unit, ...]:
        """The units that no record is there for."""
        return tuple(unit for unit in self.units if unit not in self.records)

    @property
    def complete(self) -> bool:
        """Whether every fold and seed is completed: only then is there a score."""
        return 0 < len(self.units) == len(self.completed)

    @property
    def complete_folds(self) -> int:
        """The number of folds of which every seed is completed."""
        done = Counter(fold for fold, _ in self.completed)
        return sum(done[fold] == len(self.seeds) for fold in self.task.folds)

    @property
    def sha256(self) -> str:
        """The digest of what the cell is: protocol, recordings, folds, upstream and downstream."""
        return digest([*_protocol(self.task), self.upstream.sha256, self.downstream.sha256])

    @property
    def created(self) -> str:
        """When its latest unit was made, as text; ISO 8601 in UTC sorts as time does."""
        return max(record.provenance.created for record in self.records.values())

    @property
    def contaminated(self) -> tuple[str, ...]:
        """Corpora of the task that the weights of the upstream were trained on, as a record or the registry knows.

        What weights were trained on is no part of what they are: records of one identity may know more than others,
        and a record that was submitted is not believed where it says less than is known of an upstream of its name.
        """
        trained_on = {name for record in self.records.values() for name in record.upstream.trained_on}
        trained_on |= known_trained_on(self.upstream.name)
        return tuple(name for name in self.task.corpus.names if name in trained_on)

    @property
    def track(self) -> Track:
        """In which race it runs.

        "fine-tuned": the head reads the waveform, so that the upstream learns too. "fixed": the task's default head.
        "open head": any other. Where an older record does not name the default head, it was `superb`.
        """
        if self.downstream.needs == "waveform":
            return "fine-tuned"
        default = FORMER_DEFAULT if self.task.downstream is None else self.task.downstream
        return "fixed" if self.downstream.name == default else "open head"

    @property
    def ranked_apart(self) -> tuple[str, ...]:
        """Why it is not ranked among the others, as the flags call it; empty where it is."""
        reasons = {
            "speaker-dependent": not self.task.speaker_independent,
            "contaminated": bool(self.contaminated),
        }
        return tuple(reason for reason, holds in reasons.items() if holds)

    @property
    def unit(self) -> Literal["speaker", "utterance"]:
        """What its clusters are: speakers, or groups of utterances of a corpus that knows no speaker."""
        return next(iter(self.records.values())).clusters.unit

    @property
    def gender(self) -> Mapping[str, str]:
        """The gender of those of `speakers` of whom the corpus knows it."""
        return {name: gender for record in self.records.values() for name, gender in record.clusters.gender.items()}

    def flags(self) -> list[str]:
        """What a reader must know to judge the score, in a fixed order and few words."""
        codes = {record.provenance.code_sha256 for record in self.records.values()}
        flags = {
            "speaker-dependent": not self.task.speaker_independent,
            "dev = test": self.task.dev == "test",
            "transductive": self.downstream.transductive,
            "contaminated": bool(self.contaminated),
            "no speakers": self.unit == "utterance",
            "mixed code": len(codes) > 1,
            "synthetic": self.task.corpus.synthetic,
        }
        return [flag for flag, holds in flags.items() if holds]

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """Every test speaker, or other cluster, of the completed units, sorted."""
        return tuple(sorted({speaker for unit in self.completed for speaker in self.records[unit].by_speaker}))

    @property
    def n_speakers(self) -> int:
        """The number of known test speakers: "unknown" is none, nor is a group of utterances."""
        return len(set(self.speakers) - {UNKNOWN_SPEAKER}) if self.unit == "speaker" else 0

    def statistics(self) -> NDArray[np.float64]:
        """The sufficient statistics of every seed, fold and speaker; zeros where a fold does not test a speaker.

        Returns:
            (seeds, folds, speakers, K, K) confusion counts or (seeds, folds, speakers, k, 6) moments.

        Raises:
            BenchError: The cell is incomplete, or larger than any honest one.
        """
        return self._statistics

    @cached_property
    def _statistics(self) -> NDArray[np.float64]:
        """Kept, for much is computed from it, and read-only."""
        if not self.complete:
            done = f"{len(self.completed)} of {len(self.units)} units"
            raise BenchError(f"{self.name} on {self.task.name} is incomplete: {done}", "run it again to complete it")
        outputs = len(self.task.outputs)
        shape = (outputs, outputs if self.task.kind == "classification" else 6)
        size = len(self.units) * len(self.speakers) * math.prod(shape)
        if size > LARGEST_STATISTICS:
            raise BenchError(f"{self.name} on {self.task.name} has statistics of {size} values", "is it one cell?")
        array = np.zeros((len(self.seeds), len(self.task.folds), len(self.speakers), *shape))
        column = {speaker: index for index, speaker in enumerate(self.speakers)}
        for i, fold in enumerate(self.task.folds):
            for j, seed in enumerate(self.seeds):
                record = self.records[fold, seed]
                array[j, i, [column[speaker] for speaker in record.by_speaker]] = statistics_of(record)
        array.flags.writeable = False
        return array

    def _status(self, unit: Unit) -> str | None:
        record = self.records.get(unit)
        return None if record is None else record.status


@dataclass(frozen=True)
class Grouping:
    """Records as cells, with what is not among them.

    Attributes:
        cells: At most one for three names, all of one protocol for a task name; sorted by names.
        superseded: Older cells of the same names, and cells of an older protocol or of other recordings; sorted.
        modified: By task name, the number of records of a modified protocol.
        partial: By task name, the number of records of a part of the corpus.
        outside: By task name, the number of records of a fold or a seed that the cell does not need.
    """

    cells: tuple[Cell, ...]
    superseded: tuple[Cell, ...]
    modified: Mapping[str, int]
    partial: Mapping[str, int]
    outside: Mapping[str, int]


def group(*sources: Iterable[Record], protocol: Protocol = "official") -> Grouping:
    """Group records into cells.

    Where several identities go by the same names, because the code, the weights or the protocol changed, the newest
    is a cell and the others are superseded: they are never averaged. The newest protocol of a task is chosen first,
    so that all the cells of a task can be compared.

    Speakers have the names of published records in all cells, wherever what hides them is known: local records and
    published ones of a task match, and give the same leaderboard.

    Args:
        sources: Records, for example of the local store and then the published ones. Of a unit that is in several
            sources the first source's record counts.
        protocol: Which records make cells; those of another protocol are counted.

    Raises:
        BenchError: A source has two different records of one unit; a record's metrics or statistics do not suit its
            task; two records of one protocol and fold were not tested on the same utterances; or there are records
            with hidden and with open names of one protocol, and none says how to hide them.
    """
    sources = _hidden(sources, protocol)
    units: dict[tuple[str, ...], dict[Unit, Record]] = {}
    others: dict[str, Counter[str]] = {name: Counter() for name in get_args(Protocol)}
    for source in sources:
        seen: dict[tuple[object, ...], Record] = {}
        for record in source:
            if record.protocol != protocol:
                others[record.protocol][record.task.name] += 1
                continue
            metrics_of(record)
            key, unit = _identity(record), (record.fold, record.seed)
            if seen.setdefault((key, unit), record) != record:
                raise BenchError(
                    f"two different records of one unit: {seen[key, unit].id!r} and {record.id!r} "
                    f"({record.task.name}, fold {record.fold!r}, seed {record.seed})",
                    "remove one of them",
                )
            units.setdefault(key, {}).setdefault(unit, record)

    outside: Counter[str] = Counter()
    cells = []
    for records in units.values():
        cell = _cell(records)
        outside[cell.task.name] += len(records) - len(cell.records)
        if cell.records:
            cells.append(cell)
    check_truth(cell.records[unit] for cell in cells for unit in cell.completed)
    shown, superseded = _newest(cells)
    return Grouping(
        cells=shown,
        superseded=superseded,
        modified=dict(sorted(others["modified"].items())),
        partial=dict(sorted(others["partial"].items())),
        outside=dict(sorted((+outside).items())),
    )


def find_cell(
    records: Iterable[Record],
    *,
    task: TaskPart,
    upstream: tuple[str, str],
    downstream: tuple[str, str],
    protocol: Protocol = "official",
) -> Cell | None:
    """The cell of exactly one identity, also where `group` shows a newer one of the same names.

    Args:
        records: Among others those of the cell.
        task: Its protocol, recordings and folds.
        upstream: Name and digest of its upstream.
        downstream: Name and digest of its downstream.
        protocol: Of which kind its records are.

    Returns:
        The cell, complete or not; None where none of its units has a record.

    Raises:
        BenchError: As `group`, of the cell's own records only.
    """
    wanted = (*_protocol(task), upstream[0], downstream[0], upstream[1], downstream[1])
    cells = group((record for record in records if _identity(record) == wanted), protocol=protocol).cells
    return cells[0] if cells else None


def truth_of(statistics: NDArray[np.float64], task: TaskPart) -> NDArray[np.float64]:
    """What statistics know of the truth: (..., K) utterances of each class, or (..., k, 3) n, sum t and sum t*t."""
    if task.kind == "classification":
        return np.asarray(statistics.sum(axis=-1))
    return statistics[..., TRUTH_OF_MOMENTS]


def same_protocol(a: TaskPart, b: TaskPart) -> bool:
    """Whether two scores can be compared: the same protocol, recordings and folds."""
    return _protocol(a) == _protocol(b)


def _hidden(sources: Iterable[Iterable[Record]], protocol: Protocol) -> tuple[Iterable[Record], ...]:
    """The records with hidden names, wherever a record of the same protocol has the salt.

    The salt is made of the recordings and the protocol, so that of one record suits all.
    """
    everything = [list(source) for source in sources]
    official = [record for source in everything for record in source if record.protocol == protocol]
    salts = {_protocol(one.task): one.clusters for one in official if one.clusters.salt is not None}
    hidden = {_protocol(one.task): one for one in official if one.clusters.salted}

    def named_alike(record: Record) -> Record:
        key = _protocol(record.task)
        if record.clusters.salted or record.protocol != protocol or (key not in salts and key not in hidden):
            return record
        if key in salts:
            return salted(record, salts[key].salt, folds=salts[key].folds)
        raise BenchError(
            f"record {record.id!r} ({record.task.name}) has the open names of its speakers, those of record "
            f"{hidden[key].id!r} are hidden, and nothing says how: they cannot be compared",
            "it is of an older version: bench run --rerun all makes it again; or leave one of the two folders out",
        )

    return tuple([named_alike(record) for record in source] for source in everything)


def _protocol(task: TaskPart) -> tuple[str, ...]:
    return (task.name, task.sha256, task.corpus.index_sha256, task.corpus.audio_sha256, task.folds_sha256)


def _identity(record: Record) -> tuple[str, ...]:
    names = (record.upstream.name, record.downstream.name)
    return (*_protocol(record.task), *names, record.upstream.sha256, record.downstream.sha256)


def _cell(records: dict[Unit, Record]) -> Cell:
    """Make a cell of the records of one identity, without those of units that it does not need."""
    units = sorted(records, key=lambda unit: (records[unit].status != "completed", unit))
    speaks = records[units[0]]
    cell = Cell(speaks.task, speaks.upstream, speaks.downstream, records)
    needed = set(cell.units)
    return Cell(cell.task, cell.upstream, cell.downstream, {unit: records[unit] for unit in units if unit in needed})


def _newest(cells: list[Cell]) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    by_age = sorted(cells, key=lambda cell: (cell.created, cell.sha256), reverse=True)
    protocols: dict[str, tuple[str, ...]] = {}
    shown: dict[tuple[str, str, str], Cell] = {}
    superseded = []
    for cell in by_age:
        protocol = protocols.setdefault(cell.task.name, _protocol(cell.task))
        names = (cell.task.name, cell.upstream.name, cell.downstream.name)
        if protocol == _protocol(cell.task) and names not in shown:
            shown[names] = cell
        else:
            superseded.append(cell)
    superseded.sort(key=lambda cell: (cell.task.name, cell.name, cell.created, cell.sha256))
    return tuple(shown[names] for names in sorted(shown)), tuple(superseded)


def check_truth(records: Iterable[Record]) -> None:
    """Refuse completed records of one protocol and fold that differ in what they tested, speaker by speaker.

    Raises:
        BenchError: Two of them differ; the message names both, and the speaker.
    """
    first: dict[tuple[str, ...], tuple[Record, NDArray[np.float64]]] = {}
    for record in records:
        truth = truth_of(statistics_of(record), record.task)
        other, expected = first.setdefault((*_protocol(record.task), record.fold), (record, truth))
        if list(record.by_speaker) == list(other.by_speaker) and np.array_equal(truth, expected):
            continue  # the quick way, which nearly all records go
        speaker = _differing(
            dict(zip(record.by_speaker, truth, strict=True)), dict(zip(other.by_speaker, expected, strict=True))
        )
        if speaker is not None:
            named = " and ".join(
                f"record {one.id!r} ({one.upstream.name} + {one.downstream.name}, seed {one.seed})"
                for one in (other, record)
            )
            raise BenchError(
                f"{named} were not tested on the same utterances of {record.task.name}, fold {record.fold!r}: "
                f"they differ in speaker {speaker!r}",
                "one of them is wrong: remove it, or both, and run again",
            )


def _differing(a: Mapping[str, NDArray[np.float64]], b: Mapping[str, NDArray[np.float64]]) -> str | None:
    """A speaker whose truth differs; sums of values may differ by rounding."""
    for speaker in sorted(a.keys() | b.keys()):
        one, other = a.get(speaker), b.get(speaker)
        if one is None or other is None or one.shape != other.shape:
            return speaker
        if not np.allclose(one, other, rtol=1e-9, atol=1e-9):
            return speaker
    return None
