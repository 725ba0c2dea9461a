"""Local records beside published ones: rows of their own, marked, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.errors import BenchError
from benchmark.records.hiding import salted
from benchmark.records.schema import Record

LOCAL = " (local)"
RowKey = tuple[str, str, str]  # task, upstream, downstream


def marked_local(records: Iterable[Record], published: Sequence[Record], *, every: bool) -> list[Record]:
    """Local records whose upstream is named as a local one, so that they replace no published row.

    A row that is the published one itself, its speakers named or not, is left out: no table counts it twice.

    Args:
        records: Local ones.
        published: Those that they stand beside.
        every: Mark all; else only those of a task and a system that is published too.
    """
    there: dict[RowKey, list[Record]] = {}
    for one in published:
        there.setdefault(_row(one), []).append(one)
    own: dict[RowKey, list[Record]] = {}
    for one in records:
        own.setdefault(_row(one), []).append(one)
    return [
        _marked(one) if every or row in there else one
        for row, of_row in own.items()
        if not _are_these(of_row, there.get(row, []))
        for one in of_row
    ]


def _are_these(records: Sequence[Record], published: Sequence[Record]) -> bool:
    """Whether each record is among the published ones, number for number."""
    known = {one.id: one.by_speaker for one in published}
    try:
        return all(known.get(one.id) == one.by_speaker for one in map(salted, records))
    except BenchError:  # it cannot be published
        return False


def _row(record: Record) -> RowKey:
    return record.task.name, record.upstream.name, record.downstream.name


def _marked(record: Record) -> Record:
    upstream = record.upstream.model_copy(update={"name": record.upstream.name + LOCAL})
    return record.model_copy(update={"upstream": upstream})
