"""Fitted heads on recordings of one's own: heard, encoded and pooled as a run does it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Downstream, Upstream
from benchmark.data.listening import Heard, hear
from benchmark.data.video import is_video
from benchmark.errors import BenchError, EncodingError, MissingError, UsageError
from benchmark.features.store import Encoded
from benchmark.features.views import open_view
from benchmark.io.files import files_below
from benchmark.io.settings import Settings
from benchmark.lazy import LazySequence
from benchmark.progress import Progress, Unheard
from benchmark.protocol.dataset import Dataset
from benchmark.protocol.task import Task
from benchmark.run.asking import scores_of
from benchmark.run.fitted import KeptUnit, Shelf
from benchmark.text import clean, count, some
from benchmark.threads import threads
from benchmark.types import UNKNOWN_SPEAKER, Examples, Utterance

TOLERANCE = 1e-4  # of the sum of probabilities
NAMED = 3  # files that a message names
OWN = "own recordings"  # what progress calls them, in place of a task


@dataclass(frozen=True)
class Predictions:
    """What heads say of files.

    Attributes:
        files: Those that could be used, in order.
        values: (n, K) of classes, or (n, k) of dimensions: the mean over the heads.
        are_probabilities: Whether values of classes are; else they are scores, of which the largest decides.
        odd: What is wrong with the others, by file.
    """

    files: tuple[str, ...]
    values: NDArray[np.float64]
    are_probabilities: bool
    odd: Mapping[str, str]


def recordings(paths: Sequence[Path]) -> tuple[list[Path], list[Path], dict[Path, str]]:
    """Files, and those in folders.

    Returns:
        What is heard; what lies in folders and is no sound by its name; and the paths that give nothing to hear, with
        the reason of each.

    Raises:
        UsageError: There is nothing to hear at all: the message says why of each path.
    """
    import soundfile

    sounds = {f".{ending.casefold()}" for ending in soundfile.available_formats()}
    found, others, empty = list[Path](), list[Path](), dict[Path, str]()
    for path in paths:
        try:
            inside = list(files_below(path)) if path.is_dir() else [path] if path.exists() else None
        except OSError as error:
            empty[path] = f"it cannot be read: {error.strerror or error}"
            continue
        if inside is None:
            empty[path] = "there is no such file or folder"
            continue
        heard = [one for one in inside if not path.is_dir() or one.suffix.casefold() in sounds or is_video(one.name)]
        known = set(heard)
        silent = [one for one in inside if one not in known]
        if not heard:
            empty[path] = f"there is nothing to hear in it{f': {no_sound(silent)}' if silent else ''}"
        found += heard
        others += silent if heard else []
    if not found:
        told = [f"{path}: {reason}" for path, reason in empty.items()]
        raise UsageError(some(told, NAMED), "give files or folders of recordings")
    return list(dict.fromkeys(found)), list(dict.fromkeys(others)), empty


def no_sound(files: Sequence[Path]) -> str:
    """Which files of folders are no sound by their names, in words."""
    are = "is" if len(files) == 1 else "are"
    return f"{count(len(files), 'file')} {are} no sound by the name ({some([path.name for path in files], NAMED)})"


def predict(
    shelf: Shelf, units: Sequence[KeptUnit], files: Sequence[Path], settings: Settings, device: str, progress: Progress
) -> Predictions:
    """Let every head score every file, and take the mean.

    Args:
        shelf: Has the heads.
        units: Which.
        files: Recordings.
        settings: Where the cache is.
        device: Where to compute.
        progress: Told what is done, and what is wrong with files.

    Raises:
        UsageError: The head takes what single files do not have.
        BenchError: No file can be used, or a head cannot be had.
    """
    facts = units[0].record.downstream
    _refuse(shelf, facts.transductive)
    dataset, heard, odd = _heard(shelf, files, settings, progress)
    every, probable = list[dict[str, NDArray[np.float64]]](), True
    upstream: Upstream | None = None
    encoded: Encoded | None = None
    with progress.stage(f"predict with {count(len(units), 'head')}", len(units)) as advance, threads(1):
        for unit in units:
            has_own = unit.record.weights is not None
            if upstream is None or encoded is None or has_own:
                upstream = shelf.upstream(unit)
                upstream.device = device
                head = shelf.head(unit, upstream, device)
                encoded, dataset, failed = _encoded(settings, upstream, head, dataset, heard, progress)
                odd |= failed
            else:
                head = shelf.head(unit, upstream, device)
            examples = _examples(dataset, encoded, head, shelf.task)
            scores = scores_of(head, examples)
            shares = probabilities(scores) if shelf.task.kind == "classification" else None
            probable = probable and shares is not None
            every.append(dict(zip(examples.ids, scores if shares is None else shares, strict=True)))
            advance(1)
    kept = tuple(name for name in map(str, files) if all(name in one for one in every))
    found = np.array([[one[name] for name in kept] for one in every])
    return Predictions(kept, found.mean(axis=0), probable, odd)


def probabilities(scores: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Scores (n, K) as probabilities, where they are those, or their logarithms; else None."""
    for shares in (scores, np.exp(scores)):
        if (shares >= 0).all() and np.allclose(shares.sum(axis=1), 1, atol=TOLERANCE):
            return shares
    return None


def _refuse(shelf: Shelf, transductive: bool) -> None:
    if shelf.task.context is not None:
        raise UsageError(f"{shelf.task.name!r} is of dialogues", "bench predict takes recordings one by one")
    if transductive:
        raise UsageError(
            f"{shelf.head_name!r} uses statistics of all that a speaker says",
            "bench predict does not know who speaks: use a head that is not transductive",
        )


def _heard(
    shelf: Shelf, files: Sequence[Path], settings: Settings, progress: Progress
) -> tuple[Dataset, Mapping[str, Heard], dict[str, str]]:
    places = [path.absolute() for path in files]
    root = Path(os.path.commonpath([path.parent for path in places]))
    utterances = tuple(
        Utterance(str(path), place.relative_to(root).as_posix()) for path, place in zip(files, places, strict=True)
    )
    with progress.stage("listen", len(files)) as advance:
        heard, odd = hear(root, utterances, shelf.task.audio.max_duration, settings, advance)
    where = {one.id: one.file for one in utterances}
    odd = {name: reason.removeprefix(f"{where[name]}: ") for name, reason in odd.items()}
    shortest = shelf.row.min_duration
    for name, one in heard.items():
        if one.duration < shortest:
            odd[name] = f"{one.duration:.3f} s is too short for {shelf.row.name} ({shortest:.3f} s)"
    _tell(odd, progress)
    return _dataset(shelf.task, root, [one for one in utterances if one.id not in odd]), heard, odd


def _tell(odd: Mapping[str, str], progress: Progress) -> None:
    """Name files that cannot be used, before anything that follows from that."""
    for name, reason in odd.items():
        progress.problem(clean(f"{name}: {reason}"))


def _dataset(task: Task, root: Path, utterances: Sequence[Utterance]) -> Dataset:
    if not utterances:
        raise BenchError("none of the files can be used", "each is named above")
    return Dataset(
        task=task.model_copy(update={"name": OWN}),
        corpora=(),
        roots=(root,),
        utterances=tuple(utterances),
        context_only=(),
        listed=tuple(utterances),
        left_out={},
        labels={},
        auxiliary={},
        context={},
        folds=(),
    )


def _encoded(
    settings: Settings,
    upstream: Upstream,
    head: Downstream,
    dataset: Dataset,
    heard: Mapping[str, Heard],
    progress: Progress,
) -> tuple[Encoded, Dataset, dict[str, str]]:
    """Features; where the upstream fails on a file, those of the others, and which one it was."""
    view = open_view(settings.cache, upstream, head.needs)
    try:
        return view.load(dataset, heard, progress), dataset, {}
    except MissingError:
        raise
    except EncodingError:
        root, failed = dataset.roots[0], dict[str, str]()
        for utterance in dataset.utterances:
            try:
                view.load(_dataset(dataset.task, root, [utterance]), heard, Unheard())
            except EncodingError as error:
                failed[utterance.id] = error.message
        _tell(failed, progress)
        rest = _dataset(dataset.task, root, [one for one in dataset.utterances if one.id not in failed])
        return view.load(rest, heard, progress), rest, failed


def _examples(dataset: Dataset, encoded: Encoded, head: Downstream, task: Task) -> Examples:
    names = tuple(utterance.id for utterance in dataset.utterances)
    x = LazySequence(encoded.features, names)
    return Examples(
        ids=names,
        x=np.stack(list(x)) if head.needs in ("mean", "statistics") else x,
        y=None,
        speakers=(UNKNOWN_SPEAKER,) * len(names),
        outputs=task.outputs,
        kind=task.kind,
        metric=task.primary,
        parts=encoded.parts,
        upstream=encoded.upstream,
    )
