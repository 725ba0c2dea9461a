"""Which heads suit a task: asked before any work, and answered with the names of those that do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmark.base import Upstream
from benchmark.base.combined import Fusion
from benchmark.base.declared import HeadFacts
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.protocol.task import Task
from benchmark.records.cells import MIN_SEEDS
from benchmark.registry.registry import Registry
from benchmark.text import count, some


def check_head(task: Task, name: str, registry: Registry) -> None:
    """Refuse a head that cannot work on a task, or would be fitted on its test set.

    Args:
        task: The protocol.
        name: The head, as it was asked for.
        registry: Where it and all others are looked up.

    Raises:
        UsageError: It does not suit, and the hint names those that do; or it is the task's own and has seeds, of which
            the task gives too few.
        BenchError: It is unknown, or cannot be made.
    """
    facts = registry.head_facts(name)
    if name == task.downstream and facts.stochastic and len(task.seeds) < MIN_SEEDS:
        raise UsageError(
            f"the task {task.name!r} has {count(len(task.seeds), 'seed')}, and its downstream {name!r} depends on them",
            f"give at least {MIN_SEEDS}: how much new seeds would change cannot be told from fewer",
        )
    reason = misfit(task, facts)
    if reason is not None:
        suitable = ", ".join(heads_for(task, registry))
        raise UsageError(
            f"the downstream {name!r} {reason}",
            f"these suit it: {suitable}" if suitable else "none that is here suits it",
        )


def check_upstream(upstream: Upstream, name: str, registry: Registry) -> None:
    """Refuse an upstream that a head cannot read.

    Args:
        upstream: It.
        name: The head, as it was asked for.
        registry: Where the head is looked up.

    Raises:
        UsageError: The head tells the two upstreams of A+NAME apart, and this is none; it names layers of other
            networks; or it trains the upstream, and this cannot be trained.
    """
    facts = registry.head_facts(name)
    if facts.needs == "waveform" and not upstream.trains:
        raise UsageError(
            f"the downstream {name!r} trains the upstream, and {upstream.name!r} cannot be trained",
            "single upstreams of transformers can, of which all layers are read: hf: and the checkpoints of it",
        )
    beside = facts.upstream_beside
    joined = [component.name for component in upstream.components] if isinstance(upstream, Fusion) else [upstream.name]
    if beside is not None and (len(joined) != 2 or joined[1] != beside):
        raise UsageError(
            f"the downstream {name!r} reads two joined upstreams, the second {beside}, unlike {upstream.name!r}",
            f"join them: --upstream {joined[0]}+{beside}",
        )
    if facts.networks and not any(word in upstream.name for word in facts.networks):
        raise UsageError(
            f"the downstream {name!r} names layers of {' and '.join(facts.networks)}, unlike {upstream.name!r}",
            "lam-auto chooses layers of any network by itself",
        )


def check_phones(names: Iterable[str], folder: Path | None, registry: Registry) -> None:
    """Refuse heads that read phones where no alignments are given, and alignments that nothing reads.

    Args:
        names: The heads, as they were asked for.
        folder: Of the alignments; None where none is given.
        registry: Where the heads are looked up.

    Raises:
        UsageError: None of the heads reads phones.
        MissingError: One does, and there is no folder.
    """
    heads = list(names)
    reading = [name for name in heads if registry.head_facts(name).phones]
    if folder is not None and not reading:
        raise UsageError(
            f"--phones, and {some([repr(name) for name in heads], 3)} reads no phones",
            "leave it out; bench list downstreams says which heads read them",
        )
    if reading and folder is None:
        raise MissingError(
            f"the downstream {reading[0]!r} reads phone alignments of source and target, and none are given",
            "--phones FOLDER with ID.TextGrid for each utterance, as the Montreal Forced Aligner writes them, or *.ctm",
        )


def heads_for(task: Task, registry: Registry) -> Iterator[str]:
    """The names of all heads that suit a task; those that cannot be made are passed over."""
    for entry in registry.downstreams():
        try:
            facts = registry.head_facts(entry.name, changed=False)
        except BenchError:
            continue
        if misfit(task, facts) is None:
            yield entry.name


def misfit(task: Task, head: HeadFacts) -> str | None:
    """Why a head does not suit a task, as the end of a sentence that begins with the head; None where it does."""
    if head.sequences != (task.context is not None):
        takes = "sequences of utterances" if head.sequences else "one utterance at a time"
        return f"takes {takes}, unlike the task {task.name!r}"
    if task.kind not in head.kinds:
        return f"is for {' and '.join(head.kinds)}, and the task {task.name!r} is {task.kind}"
    if head.adapts and task.target is None:
        return f"adapts to a target corpus, and the task {task.name!r} has none"
    if not (task.dev.takes_some or task.dev.is_inner) and head.uses_dev == "select":
        return f"selects on dev, and the task {task.name!r} has none"
    if task.dev.is_test and head.uses_dev == "fit":
        return f"is fitted on dev, which is the test set in the task {task.name!r}"
    return None
