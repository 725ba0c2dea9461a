"""Features that a run has left, for analyses that encode nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError, MissingError
from benchmark.features.store import Encoded
from benchmark.features.views import open_view, total_encodings
from benchmark.progress import Progress
from benchmark.run.worker import Worker
from benchmark.types import Needs

# What means can be taken of: statistics are means, and then deviations. The store averages frames that it holds.
HOLDING_MEANS: tuple[Needs, ...] = ("mean", "statistics")


def stored_frames(
    worker: Worker, task: str, upstream: str, progress: Progress
) -> tuple[Mapping[str, NDArray[np.float32]], float]:
    """The frames of every layer, (L, T, D), of each utterance of a task, as the store holds them, read when asked for.

    Args:
        worker: Finds task, upstream and store.
        task: A name or a file.
        upstream: A name; layers are selected as in NAME@3.
        progress: Told what is listened to.

    Returns:
        The frames by utterance id, and how many there are a second [Hz].

    Raises:
        MissingError: Utterances have no stored frames; the message has the command that makes them.
        BenchError: The corpus is not as expected, or the upstream gives one vector an utterance.
    """
    found = stored_features(worker, task, upstream, "frames", "linear", progress)
    if found.frame_rate is None:
        raise BenchError(f"the upstream {upstream!r} gives one vector an utterance", "choose one that gives frames")
    return found.features, found.frame_rate


def stored_features(worker: Worker, task: str, upstream: str, needs: Needs, head: str, progress: Progress) -> Encoded:
    """What heads read of the utterances of a task, as the store holds it.

    Args:
        worker: Finds task, upstream and store.
        task: A name or a file.
        upstream: A name; layers are selected as in NAME@3.
        needs: What is read.
        head: One that reads it, for the command of the error.
        progress: Told what is listened to.

    Raises:
        MissingError: Utterances have no stored features; the message has the command that makes them.
        BenchError: The corpus is not as expected.
    """
    material, model = worker.material(task, progress), worker.upstream(upstream)
    view = open_view(worker.settings.cache, model, needs)
    lacking = total_encodings(view.demands(material.dataset, material.heard))
    if lacking:
        raise MissingError(
            f"{lacking} of {len(material.heard)} utterances of {task} have no stored {needs.partition('-')[0]} of "
            f"{upstream!r}",
            f"bench run --upstream {upstream} --downstream {head} --task {task}",
        )
    return replace(view.load(material.dataset, material.heard, progress), upstream=model.name)


def stored_means(worker: Worker, task: str, upstream: str, progress: Progress) -> Mapping[str, NDArray[np.float32]]:
    """The mean over time of every layer, (L, D), of each utterance of a task, as the store holds it.

    Args:
        worker: Finds task, upstream and store.
        task: A name or a file.
        upstream: A name; layers are selected as in NAME@3.
        progress: Told what is listened to.

    Raises:
        MissingError: Utterances have no stored features; the message has the command that makes them.
        BenchError: The corpus is not as expected.
    """
    material, model = worker.material(task, progress), worker.upstream(upstream)
    lacking = []
    for needs in HOLDING_MEANS:
        view = open_view(worker.settings.cache, model, needs)
        lacking.append(total_encodings(view.demands(material.dataset, material.heard)))
        if not lacking[-1]:
            found = view.load(material.dataset, material.heard, progress).features
            halves = 2 if needs == "statistics" else 1
            return {name: values[..., : values.shape[-1] // halves] for name, values in found.items()}
    raise MissingError(
        f"{min(lacking)} of {len(material.heard)} utterances of {task} have no stored features of {upstream!r}",
        f"bench run --upstream {upstream} --task {task}",
    )
