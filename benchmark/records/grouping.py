"""From records to cells: by identity, the newest of each name, all of a task tested on the same utterances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.io.files import digest
from benchmark.records import CodePart, Protocol, Record, TaskPart, metrics_of, statistics_of
from benchmark.records.cells import Cell, Unit, protocol_of
from benchmark.records.hiding import salted


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


def group(*stores: Iterable[Record], protocol: Protocol = "official", published: Iterable[Record] = ()) -> Grouping:
    """Group records into cells.

    Where several identities go by the same names, because the code, the weights or the protocol changed, the newest
    that is complete is a cell (the newest, where none is) and the others are superseded: they are never averaged. The
    protocol of a task is chosen first, likewise, so that all the cells of a task can be compared.

    Speakers have the names of published records in all cells, wherever what hides them is known: local records and
    published ones of a task match, and give the same leaderboard.

    Args:
        stores: Records, for example of the local store and then the published ones. Of a unit that is in several
            stores the first store's record counts.
        protocol: Which records make cells; those of another protocol are counted.
        published: Records among them whose protocols are shown before any newer one that is not published.

    Raises:
        BenchError: A store has two different records of one unit; a record's metrics or statistics do not suit its
            task; two records of one protocol and fold were not tested on the same utterances; or there are records
            with hidden and with open names of one protocol, and none says how to hide them.
    """
    anchors = frozenset(protocol_of(record.task) for record in published)
    stores = _hidden(stores, protocol)
    units: dict[tuple[str, ...], dict[Unit, Record]] = {}
    numbers: dict[tuple[str, ...], int] = {}
    suited = set[tuple[str, ...]]()  # kinds with metrics that are for them
    others: dict[str, Counter[str]] = {name: Counter() for name in get_args(Protocol)}
    for store in stores:
        seen: dict[tuple[object, ...], Record] = {}
        for record in store:
            if record.protocol != protocol:
                others[record.protocol][record.task.name] += 1
                continue
            if (metrics := (record.task.kind, *record.task.metrics)) not in suited:
                metrics_of(record)
                suited.add(metrics)
            key, unit = _identity(record), (record.fold, record.seed)
            number = numbers.setdefault(key, len(numbers))
            if seen.setdefault((number, unit), record) != record:
                raise BenchError(
                    f"two different records of one unit: {seen[number, unit].id!r} and {record.id!r} "
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
    _check_cells(cells)
    shown, superseded = _newest(cells, anchors)
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
    code: tuple[CodePart | None, CodePart | None],
    protocol: Protocol = "official",
) -> Cell | None:
    """The cell of exactly one identity, also where `group` shows a newer one of the same names.

    Args:
        records: Among others those of the cell.
        task: Its protocol, recordings and folds.
        upstream: Name and digest of its upstream.
        downstream: Name and digest of its downstream.
        code: What computed its features, and what fitted its heads.
        protocol: Of which kind its records are.

    Returns:
        The cell, complete or not; None where none of its units has a record.

    Raises:
        BenchError: As `group`, of the cell's own records only.
    """
    wanted = (*protocol_of(task), upstream[0], downstream[0], upstream[1], downstream[1], _code(*code))
    cells = group((record for record in records if _identity(record) == wanted), protocol=protocol).cells
    return cells[0] if cells else None


def _hidden(stores: Iterable[Iterable[Record]], protocol: Protocol) -> tuple[Iterable[Record], ...]:
    """The records with hidden names, wherever a record of the same protocol has the salt.

    The salt is made of the recordings and the protocol, so that of one record suits all.
    """
    everything = [list(store) for store in stores]
    official = [record for store in everything for record in store if record.protocol == protocol]
    salts = {protocol_of(one.task): one.clusters for one in official if one.clusters.salt is not None}
    hidden = {protocol_of(one.task): one for one in official if one.clusters.salted}

    def named_alike(record: Record) -> Record:
        key = protocol_of(record.task)
        if record.clusters.salted or record.protocol != protocol or (key not in salts and key not in hidden):
            return record
        if key in salts:
            return salted(record, salts[key].salt, folds=salts[key].folds)
        raise BenchError(
            f"record {record.id!r} ({record.task.name}) has the open names of its speakers, those of record "
            f"{hidden[key].id!r} are hidden, and nothing says how: they cannot be compared",
            "it is of an older version: bench run --rerun all makes it again; or leave one of the two folders out",
        )

    return tuple([named_alike(record) for record in store] for store in everything)


def _identity(record: Record) -> tuple[str, ...]:
    """What the units of one cell share: protocol, system, and the code and libraries that computed them.

    Units of other code are other numbers and never averaged with these, though the published row is the same.
    """
    names = (record.upstream.name, record.downstream.name)
    code = record.provenance.computed_by
    return (*protocol_of(record.task), *names, record.upstream.sha256, record.downstream.sha256, code)


def same_identity(a: Cell, b: Cell) -> bool:
    """Whether two cells, with open names of speakers or hidden ones, are one: protocol, system, code and libraries."""
    first, second = (_identity(next(iter(cell.records.values()))) for cell in (a, b))
    return first == second


def _code(*parts: CodePart | None) -> str:
    return digest([None if part is None else part.plain for part in parts])


def _cell(records: dict[Unit, Record]) -> Cell:
    """Make a cell of the records of one identity, without those of units that it does not need."""
    units = sorted(records, key=lambda unit: (records[unit].status != "completed", unit))
    speaks = records[units[0]]
    cell = Cell(speaks.task, speaks.upstream, speaks.downstream, records)
    needed = set(cell.units)
    return Cell(cell.task, cell.upstream, cell.downstream, {unit: records[unit] for unit in units if unit in needed})


def _newest(cells: list[Cell], anchors: frozenset[tuple[str, ...]]) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    def place(cell: Cell) -> tuple[bool, bool, str, str]:
        return protocol_of(cell.task) in anchors, cell.complete, cell.created, cell.sha256

    by_age = sorted(cells, key=place, reverse=True)
    protocols: dict[str, tuple[str, ...]] = {}
    shown: dict[tuple[str, str, str], Cell] = {}
    superseded = []
    for cell in by_age:
        protocol = protocols.setdefault(cell.task.name, protocol_of(cell.task))
        names = (cell.task.name, cell.upstream.name, cell.downstream.name)
        if protocol == protocol_of(cell.task) and names not in shown:
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
    _check_truth(((record, statistics_of(record)) for record in records), {})


def _check_cells(cells: Iterable[Cell]) -> None:
    """`check_truth` of their completed units; those of a cell at once, where another that was looked at is the same."""
    first: dict[tuple[str, ...], tuple[Record, NDArray[np.float64]]] = {}
    alike: dict[tuple[tuple[str, ...], tuple[Unit, ...]], tuple[list[list[str]], NDArray[np.float64]]] = {}
    for cell in cells:
        if not cell.completed:
            continue
        records = [cell.records[unit] for unit in cell.completed]
        if len({(record.task.kind, len(record.task.outputs)) for record in records}) > 1:
            _check_truth(zip(records, cell.of_units, strict=True), first)
            continue
        names = [list(record.by_speaker) for record in records]
        truth = cell.task.statistics.truth(np.concatenate(cell.of_units))
        known = alike.setdefault((protocol_of(cell.task), cell.completed), (names, truth))
        if known[1] is truth or known[0] != names or not np.array_equal(known[1], truth):
            _check_truth(zip(records, cell.of_units, strict=True), first)


def _check_truth(
    records: Iterable[tuple[Record, NDArray[np.float64]]],
    first: dict[tuple[str, ...], tuple[Record, NDArray[np.float64]]],
) -> None:
    """`check_truth` of records with their statistics, against the first of each protocol and fold, which are added."""
    for record, statistics in records:
        truth = record.task.statistics.truth(statistics)
        other, expected = first.setdefault((*protocol_of(record.task), record.fold), (record, truth))
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
