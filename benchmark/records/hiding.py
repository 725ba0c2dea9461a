"""Names of speakers for publication: digests that only who holds the corpus can tell, alike for every system of a task.

The salt is made of what the scanner read, so it is the same for everybody who holds the corpus and unknown to everybody
else; it is in local records only. This is a pseudonym and no more: who holds the corpus can undo it, and what a
protocol tells of its folds is public.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from benchmark.errors import BenchError
from benchmark.io.keyed_names import keyed_digest, pseudonym
from benchmark.records import ClustersPart, Record, StepPart


def salted(record: Record, salt: str | None = None, *, folds: bool | None = None) -> Record:
    """A record without a name of a speaker and without the salt.

    Where the folds are named after speakers, so are fold, command and id: these are replaced as well.

    Args:
        record: A local one; one that is salted already is given back as it is.
        salt: Where it has none of its own.
        folds: Whether its folds are named after the clusters, where it does not know.

    Raises:
        BenchError: There is no salt.
    """
    clusters = record.clusters
    if clusters.salted:
        return record
    salt = clusters.salt or salt
    if salt is None:
        raise BenchError(
            f"record {record.id!r} ({record.task.name}, fold {record.fold!r}) does not say how to hide its speakers: "
            "it is of an older version",
            "bench run --rerun all makes it again",
        )
    key, by_folds = salt, clusters.folds if folds is None else folds

    def hidden(name: str) -> str:
        return pseudonym(key, name)

    def renamed(by_speaker: Mapping[str, Any]) -> dict[str, Any]:
        return dict(sorted((hidden(name), values) for name, values in by_speaker.items()))

    changes: dict[str, Any] = {
        "clusters": ClustersPart(
            unit=clusters.unit,
            salt=None,
            salted=True,
            folds=by_folds,
            gender=dict(sorted((hidden(name), gender) for name, gender in clusters.gender.items())),
        ),
        "by_speaker": renamed(record.by_speaker),
    }
    if record.calibration is not None:
        before, after = record.calibration.before, record.calibration.after
        hides = {"before": renamed(before), "after": None if after is None else renamed(after)}
        changes["calibration"] = record.calibration.model_copy(update=hides)
    if record.weights is not None:
        steps = [_hidden_step(one, record, hidden if by_folds else None) for one in record.weights.steps]
        changes["weights"] = record.weights.model_copy(update={"steps": steps})
    if by_folds:
        # Sorted, since the order of the names would tell them.
        task = record.task.model_copy(update={"folds": sorted(map(hidden, record.task.folds))})
        provenance = record.provenance.model_copy(update={"command": _without_fold(record.provenance.command)})
        more = {"task": task, "fold": hidden(record.fold), "id": keyed_digest(key, record.id)[: len(record.id)]}
        changes = {**changes, **more, "provenance": provenance}
    return record.model_copy(update=changes)


def _hidden_step(step: StepPart, record: Record, hidden: Callable[[str], str] | None) -> StepPart:
    """A step without the name of a speaker: that of a fold of another task may be one."""
    if step.task != record.task.name:
        return step.model_copy(update={"fold": None, "unit": None})
    return (
        step
        if hidden is None or step.fold is None
        else step.model_copy(update={"fold": hidden(step.fold), "unit": None})
    )


def _without_fold(command: str) -> str:
    """A command without `--fold NAME`."""
    words = shlex.split(command)
    if "--fold" not in words:
        return command
    position = words.index("--fold")
    return shlex.join(words[:position] + words[position + 2 :])
