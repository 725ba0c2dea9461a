"""Features that a run has left, for analyses that encode nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MissingError
from benchmark.features.views import open_view, total_encodings
from benchmark.progress import Progress
from benchmark.run.worker import Worker
from benchmark.types import Needs

# What means can be taken of: statistics are means, and then deviations. The store averages frames that it holds.
HOLDING_MEANS: tuple[Needs, ...] = ("mean", "statistics")


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
