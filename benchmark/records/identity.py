"""The id of a unit: the digest of everything that decides its number, made from what its record says."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import chain

from benchmark.errors import BenchError
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
    computed = [part.plain for part in code if part is not None]
    return digest([*data, *names, *computed, fold, seed])[:DIGITS]


def id_of(record: Record) -> str:
    """The id that a record must have, where its fold is named openly."""
    made = record.provenance
    return unit_id(
        record.task, record.upstream, record.downstream, (made.upstream, made.downstream), record.fold, record.seed
    )


def command_of(
    upstream: str, downstream: str, task: str, fold: str | None, seed: int, changes: Sequence[str] = ()
) -> str:
    """The command that makes a unit again, without paths (so without --plugin, and a task by its name).

    Args:
        upstream: Its name.
        downstream: Its name.
        task: Its name.
        fold: Its name; None where it is that of a hidden speaker, so that the command makes all folds.
        seed: Of the head.
        changes: "downstream.KEY=VALUE": how the head differs from its recipe.
    """
    options = {"--upstream": upstream, "--downstream": downstream, "--task": task, "--fold": fold, "--seed": str(seed)}
    given = ((option, value) for option, value in options.items() if value is not None)
    return shlex.join(
        ["bench", "run", *chain.from_iterable(given), *(word for change in changes for word in ("--set", change))]
    )


def check_id(record: Record) -> None:
    """Refuse a record whose id is not that of what it says, as far as that can be told.

    Where folds are named after hidden speakers the id is hidden with them; older records do not say by what code they
    were computed, and a record of schema 1 or 2 may be of any age.

    Raises:
        BenchError: It is another one.
    """
    is_hidden = record.clusters.salted and record.clusters.folds
    if record.provenance.upstream is not None and not is_hidden and record.id != id_of(record):
        raise BenchError(
            f"record {record.id!r:.80} ({record.task.name}, fold {record.fold!r}, seed {record.seed}) has another id "
            f"than what it says gives, {id_of(record)}",
            "remove it and run again",
        )
