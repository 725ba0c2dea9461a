"""The id of a unit: the digest of everything that decides its number, made from what its record says."""

from __future__ import annotations

from benchmark.io.files import digest
from benchmark.records.schema import CodePart, DownstreamPart, Record, TaskPart, UpstreamPart

DIGITS = 32


def unit_id(
    task: TaskPart,
    upstream: UpstreamPart,
    downstream: DownstreamPart,
    code: tuple[CodePart | None, CodePart | None],
    fold: str,
    seed: int,
) -> str:
    """The id of a unit.

    Args:
        task: Its protocol, with the digests of recordings and folds.
        upstream: Its representation.
        downstream: Its head.
        code: What computed the features, and what fitted the head; None in records of older versions.
        fold: Name of its fold.
        seed: Of its head.
    """
    data = [task.sha256, task.corpus.index_sha256, task.corpus.audio_sha256, task.folds_sha256]
    names = [upstream.name, upstream.sha256, downstream.name, downstream.sha256]
    computed = [part.model_dump() for part in code if part is not None]
    return digest([*data, *names, *computed, fold, seed])[:DIGITS]


def id_of(record: Record) -> str:
    """The id that a record must have, where its fold is named openly."""
    made = record.provenance
    return unit_id(
        record.task, record.upstream, record.downstream, (made.upstream, made.downstream), record.fold, record.seed
    )
