"""Local records beside published ones: rows of their own, marked, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.records.schema import Record

LOCAL = " (local)"


def marked_local(records: Iterable[Record], published: Sequence[Record], *, every: bool) -> list[Record]:
    """Local records whose upstream is named as a local one, so that they replace no published row.

    Args:
        records: Local ones.
        published: Those that they stand beside.
        every: Mark all; else only those of a task and a system that is published too.
    """
    there = {_row(one) for one in published}
    return [_marked(one) if every or _row(one) in there else one for one in records]


def _row(record: Record) -> tuple[str, str, str]:
    return record.task.name, record.upstream.name, record.downstream.name


def _marked(record: Record) -> Record:
    upstream = record.upstream.model_copy(update={"name": record.upstream.name + LOCAL})
    return record.model_copy(update={"upstream": upstream})
