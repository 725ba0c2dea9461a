"""Teachers: the cell of another upstream and head on the same task, fold and seed, from which a head learns."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.base import Downstream
from benchmark.errors import BenchError
from benchmark.features.store import Encoded
from benchmark.io.files import write_atomically
from benchmark.progress import Progress
from benchmark.protocol.dataset import Dataset
from benchmark.run.asking import scores_of
from benchmark.run.fitting import examples_of
from benchmark.run.unit import PlannedUnit
from benchmark.types import Taught

if TYPE_CHECKING:
    from benchmark.run.worker import Worker

FOLDER = "lessons"  # in the cache


def lesson(worker: Worker, unit: PlannedUnit, device: str, progress: Progress) -> Taught:
    """What the teacher of a unit says of its train set: kept from another time, or by training the teacher now.

    Args:
        worker: Has read the task of the unit.
        unit: Of a head that has a teacher.
        device: Where to compute.
        progress: Told what is encoded.

    Raises:
        BenchError: The head has no teacher, or the teacher fails.
    """
    names = worker.teacher_of(unit.names)
    if names is None:
        raise BenchError(f"the head {unit.names.downstream!r} has no teacher")
    with worker.lock:
        key = worker.trainer.parts(names).unit_id(unit.fold, unit.seed)
        encoded = worker.trainer.encode(names, device, progress, unit.fold, unit.seed)
    path = worker.settings.cache / FOLDER / f"{key}.safetensors"
    known = read_lesson(path)
    if known is None:
        head = functools.partial(worker.trainer.registry.downstream, names.downstream, device)
        known = teach(worker.material(names.task, progress).dataset, encoded, head, unit.fold, unit.seed)
        write_lesson(path, known)
    return known


def teach(dataset: Dataset, encoded: Encoded, make_head: Callable[[], Downstream], fold_name: str, seed: int) -> Taught:
    """Fit a teacher on train, let it select on dev, and ask it about train.

    Args:
        dataset: Utterances and folds.
        encoded: Features of the teacher's upstream.
        make_head: Builds the teacher.
        fold_name: Which fold.
        seed: Of the teacher.

    Raises:
        BenchError: The teacher fails, or has no embeddings.
    """
    try:
        fold, head = next(fold for fold in dataset.folds if fold.name == fold_name), make_head()
        train, dev = (examples_of(dataset, encoded, ids, head.needs) for ids in (fold.train, fold.dev))
        head.fit(train, dev, seed=seed)
        embeddings = np.asarray(head.embeddings(train), dtype=np.float32)
        return Taught(embeddings, scores_of(head, train))
    except Exception as error:  # a head is other people's code: whatever it raises is a failed unit
        reason = error.message if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        raise BenchError(f"the teacher failed: {reason}") from error


def read_lesson(path: Path) -> Taught | None:
    """What a teacher said, None where it was not asked yet, or where the file is no longer what was written."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = load_file(path)
        return Taught(found["embeddings"], found["values"])
    except (OSError, SafetensorError, KeyError):
        return None


def write_lesson(path: Path, taught: Taught) -> None:
    """Keep what a teacher said of train, for heads that learn from it later."""
    from safetensors.numpy import save

    write_atomically(path, save({"embeddings": taught.embeddings, "values": taught.values}))
