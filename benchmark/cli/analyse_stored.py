"""What commands of `bench analyse` ask of a task: its parts, what is stored of its utterances, and their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.options import load
from benchmark.cli.terminal import TerminalProgress
from benchmark.errors import UsageError
from benchmark.text import nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmark.protocol.dataset import Dataset
    from benchmark.run.worker import Worker
    from benchmark.types import Fold, Utterance

Upstream = Annotated[str, typer.Argument(help="UPSTREAM; layers are chosen as in NAME@3.")]
FoldName = Annotated[str | None, typer.Option("--fold", help="Whose train is looked at; the first where not given.")]
EMOTION = "emotion"


def worker_of(
    tasks: Sequence[str], plugin: list[str] | None, data: list[str] | None, weights: list[str] | None
) -> Worker:
    """Who finds tasks, upstreams and what is stored.

    Raises:
        UsageError: Something that an option places is not known.
    """
    from benchmark.run.unit import Setup
    from benchmark.run.worker import Worker

    registry, settings = load(plugin, data, weights, tasks=tasks)
    return Worker(Setup(settings, tuple(registry.plugins)), registry)


def embeddings_of(
    worker: Worker, task: str, upstreams: Sequence[str]
) -> tuple[list[NDArray[np.float64]], tuple[str, ...]]:
    """The mean of the last layer of each of the task's examples: (n, D) for each upstream, and the n ids."""
    import numpy as np

    from benchmark.analyses.stored import stored_means

    progress = TerminalProgress()
    found = [stored_means(worker, task, name, progress) for name in upstreams]
    ids = tuple(utterance.id for utterance in worker.material(task, progress).dataset.utterances)
    return [np.stack([means[i][-1] for i in ids]).astype(np.float64) for means in found], ids


def fold_of(dataset: Dataset, name: str | None) -> Fold:
    """A fold by its name; the first where none is given.

    Raises:
        UsageError: The task has no such fold.
    """
    folds = {fold.name: fold for fold in dataset.folds}
    if name is not None and name not in folds:
        raise UsageError(f"the task {dataset.task.name!r} has no fold {name!r}", nearest(name, folds))
    return dataset.folds[0] if name is None else folds[name]


def heard_of_target(dataset: Dataset, name: str | None) -> tuple[str, ...]:
    """What is heard of the target in a fold: its training utterances, whose classes no head is told.

    Raises:
        UsageError: The task is of one corpus.
    """
    adapt = fold_of(dataset, name).adapt
    if not adapt:
        raise UsageError(
            f"{dataset.task.name} is of one corpus",
            "give a task between two corpora, or a second task: --task A --task B",
        )
    return adapt


def speaker_of(worker: Worker, task: str, name: str) -> str:
    """The speaker of an utterance of a task."""
    dataset = worker.material(task, TerminalProgress()).dataset
    return dataset.speaker(dataset.by_id[name])


def label_of(dataset: Dataset, name: str, what: str) -> str:
    """What an utterance is coloured by.

    Raises:
        UsageError: The corpus does not say it of all utterances.
    """
    utterance: Utterance = dataset.by_id[name]
    corpora = [corpus.name for corpus in dataset.corpora]
    known: Mapping[str, Any] = {
        EMOTION: dataset.labels.get(name, utterance.labels.get(EMOTION)),
        "speaker": dataset.speaker(utterance),
        "gender": utterance.gender,
        "session": utterance.session,
        "corpus": corpora[0] if len(corpora) == 1 else name.partition(":")[0],
        **{dimension: utterance.labels.get(dimension) for dimension in dataset.task.dimensions},
    }
    if what not in known:
        raise UsageError(f"utterances cannot be coloured by {what!r}", nearest(what, known))
    if known[what] is None:
        raise UsageError(f"{name!r} has no {what}", "choose another --colour")
    return str(known[what])


def thirds(values: Sequence[float]) -> list[str]:
    """Values as the lowest, the middle and the highest third."""
    import numpy as np

    low, high = np.quantile(values, [1 / 3, 2 / 3])
    names = (f"up to {low:.2f}", f"{low:.2f} to {high:.2f}", f"from {high:.2f}")
    return [names[int(value > low) + int(value > high)] for value in values]
