"""What the first layer of a head makes of utterances, after a training that is the same for every upstream."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.analyses.stored import stored_features
from benchmark.errors import UsageError
from benchmark.progress import Progress
from benchmark.run.fitting import examples_of, fit_head, unlabelled
from benchmark.run.suiting import check_head, check_upstream
from benchmark.run.worker import Worker
from benchmark.types import Fold


def first_layer(
    worker: Worker, task: str, upstream: str, head: str, fold: Fold, seed: int, progress: Progress
) -> NDArray[np.float64]:
    """Fit a head on a fold, as a run does, and ask its first linear layer about the fold's test set.

    Ma et al., "emotion2vec: Self-supervised pre-training for speech emotion representation" (2024), figures 3 and 4,
    show it "after an identical training phase for different SSL models". The paper does not say of which utterances;
    here they are those that the head was neither fitted nor selected on.

    Args:
        worker: Finds all of it.
        task: A name or a file.
        upstream: A name.
        head: A recipe.
        fold: Of the task.
        seed: Of the head.
        progress: Told what is done.

    Returns:
        (n, E) of the n utterances of `fold.test`: the mean over frames, before any activation.

    Raises:
        MissingError: Utterances have no stored features; the message has the command that makes them.
        UsageError: The head does not suit the task or the upstream, trains the upstream, or needs more than features.
        BenchError: It cannot be fitted, or has no first linear layer.
    """
    from benchmark.threads import threads

    model = worker.upstream(upstream)
    check_upstream(model, head, worker.registry)
    material = worker.material(task, progress)
    check_head(material.dataset.task, head, worker.registry)
    made = worker.registry.downstream(head)
    if made.needs == "waveform" or made.teacher is not None or made.phones:
        raise UsageError(f"the downstream {head!r} needs more than stored features", "choose another, such as linear")
    encoded = stored_features(worker, task, upstream, made.needs, head, progress)
    with progress.stage(f"fit {head} on {upstream}", 1) as advance, threads(1):
        fit_head(made, material.dataset, encoded, fold, seed)
        advance(1)
        test = examples_of(material.dataset, encoded, fold.test, made.needs)
        return np.asarray(made.first_layer(unlabelled(test)), dtype=np.float64)
