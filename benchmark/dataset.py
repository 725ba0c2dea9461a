"""A task met with its data: the utterances it uses, their classes and their folds, all checked."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Corpus
from benchmark.errors import BenchError, MissingError
from benchmark.files import digest
from benchmark.folds import folds_digest, make_folds
from benchmark.protocol import Task
from benchmark.settings import Settings
from benchmark.types import Fold, Utterance

LISTED_PROBLEMS = 20
UNKNOWN_SPEAKER = "unknown"


@dataclass(frozen=True)
class Dataset:
    """The utterances of a task on this machine.

    Attributes:
        task: The protocol.
        corpus: The scanner.
        root: Folder of the corpus.
        utterances: Those the task uses, sorted by id.
        left_out: How many utterances of the corpus the filter and the label map leave out, by reason.
        labels: Class of each utterance id; empty for regression.
        folds: The division.
    """

    task: Task
    corpus: Corpus
    root: Path
    utterances: tuple[Utterance, ...]
    left_out: Mapping[str, int]
    labels: Mapping[str, str]
    folds: tuple[Fold, ...]

    @functools.cached_property
    def by_id(self) -> Mapping[str, Utterance]:
        """The utterances by their id."""
        return {utterance.id: utterance for utterance in self.utterances}

    @property
    def index_sha256(self) -> str:
        """Digest of what the scanner read: ids, files, times, speakers and labels; not of the audio."""
        return index_digest(self.utterances)

    @property
    def folds_sha256(self) -> str:
        """Digest of the division."""
        return folds_digest(self.folds)

    def speaker(self, utterance: Utterance) -> str:
        """The speaker; "unknown" for all utterances without one, which so count as one speaker's.

        Not their ids: speakers are the clusters of records that may be published, and an utterance that is a cluster of
        its own would publish its own label.
        """
        return utterance.speaker if utterance.speaker is not None else UNKNOWN_SPEAKER

    def targets(self, utterances: Sequence[Utterance]) -> NDArray[np.int64] | NDArray[np.float32]:
        """Class indices (n,) int64, or values (n, k) float32 of the task's k dimensions."""
        if self.task.kind == "classification":
            position = {label: i for i, label in enumerate(self.task.labels)}
            return np.array([position[self.labels[u.id]] for u in utterances], dtype=np.int64)
        values = [[u.labels[name] for name in self.task.dimensions] for u in utterances]
        return np.array(values, dtype=np.float32)


def index_digest(utterances: Sequence[Utterance]) -> str:
    """Digest of a scanned corpus."""
    return digest([asdict(utterance) for utterance in utterances])


def open_corpus(corpus: Corpus, settings: Settings, *names: str) -> Path:
    """The folder of a corpus on this machine; a corpus that needs no download is made.

    Raises:
        MissingError: It is not here; the message says how to get it and how to say where it is.
        BenchError: A folder on the way cannot be read or written.
    """
    try:
        root = settings.find_data(*names, corpus.name) or corpus.prepare(settings.cache / "corpora")
    except OSError as error:
        raise _unreadable(corpus, error) from error
    if root is None:
        raise MissingError(
            f"the corpus {corpus.name!r} is not here",
            f"{corpus.how_to_get}; then --data {(*names, corpus.name)[0]}=PATH, "
            f"or BENCH_DATA=FOLDER with {corpus.name}/ in it",
        )
    return root


def scan_corpus(corpus: Corpus, root: Path) -> list[Utterance]:
    """Scan a corpus.

    Raises:
        BenchError: Its folder or a file of it cannot be read, or the scanner refuses it.
    """
    try:
        return list(corpus.scan(root))
    except OSError as error:
        raise _unreadable(corpus, error) from error


def _unreadable(corpus: Corpus, error: OSError) -> BenchError:
    where = f": {error.filename}" if error.filename else ""
    return BenchError(
        f"cannot read the corpus {corpus.name!r}: {error.strerror or error}{where}", "who may read this folder?"
    )


def load_dataset(task: Task, corpus: Corpus, settings: Settings) -> Dataset:
    """Scan the corpus of a task, apply filter and label map, check what is expected, and make the folds.

    Raises:
        MissingError: The corpus is not here.
        BenchError: It cannot be read, or is not what the task expects; the message gives every difference.
    """
    root = open_corpus(corpus, settings, task.name)
    scanned = scan_corpus(corpus, root)
    utterances, left_out = _filtered(task, scanned)
    labels: dict[str, str] = {}
    if task.kind == "classification":
        utterances, labels, unmapped = _labelled(task, utterances)
        left_out += unmapped
    else:
        _check_dimensions(task, utterances)
    _check_expected(task, corpus, scanned, utterances, labels)
    folds = make_folds(task, utterances, labels)
    return Dataset(task, corpus, root, tuple(utterances), dict(left_out), labels, tuple(folds))


def _filtered(task: Task, utterances: Sequence[Utterance]) -> tuple[list[Utterance], Counter[str]]:
    kept, left_out = list(utterances), Counter[str]()
    for name, accepted in task.filter.items():

        def value(utterance: Utterance, name: str = name) -> object:
            if hasattr(utterance, name) and name not in ("labels", "extra"):
                return getattr(utterance, name)
            if name not in utterance.extra:
                raise BenchError(
                    f"task {task.name} filters by {name!r}, which utterance {utterance.id!r} does not have"
                )
            return utterance.extra[name]

        before = len(kept)
        kept = [utterance for utterance in kept if str(value(utterance)) in accepted]
        left_out[f"{name} is not {' or '.join(accepted)}"] += before - len(kept)
    return kept, left_out


def _labelled(task: Task, utterances: list[Utterance]) -> tuple[list[Utterance], dict[str, str], Counter[str]]:
    kept: list[Utterance] = []
    labels: dict[str, str] = {}
    left_out = Counter[str]()
    for utterance in utterances:
        label = utterance.labels.get("emotion")
        if not isinstance(label, str) or label not in task.label_map:
            raise BenchError(
                f"utterance {utterance.id!r} has the label {label!r}, which is not in the label_map of {task.name}",
                "map it to a class, or to null to leave it out",
            )
        target = task.label_map[label]
        if target is None:
            left_out[f"label {label}"] += 1
        else:
            kept.append(utterance)
            labels[utterance.id] = target
    return kept, labels, left_out


def _check_dimensions(task: Task, utterances: Sequence[Utterance]) -> None:
    for name in task.dimensions:
        lacking = [utterance for utterance in utterances if not _is_value(utterance.labels.get(name))]
        if lacking:
            # A scanner may take a column that holds one word for words throughout: name the utterance with the word.
            worst = next((one for one in lacking if not _is_number(one.extra.get(name))), lacking[0])
            found = worst.labels.get(name, worst.extra.get(name))
            raise BenchError(
                f"utterance {worst.id!r} has no number for {name!r}, a dimension of {task.name} (it has {found!r})"
            )


def _is_value(label: str | float | None) -> bool:
    return isinstance(label, float | int) and math.isfinite(label)


def _is_number(value: str | float | None) -> bool:
    try:
        return value is not None and math.isfinite(float(value))
    except ValueError:
        return False


def _check_expected(
    task: Task, corpus: Corpus, scanned: list[Utterance], used: list[Utterance], labels: Mapping[str, str]
) -> None:
    expect = task.expect
    speakers = {utterance.speaker for utterance in used if utterance.speaker is not None}
    counts = Counter(labels.values())
    differences = []
    if len(used) != expect.utterances:
        differences.append(f"{len(used)} utterances instead of {expect.utterances}")
    if len(speakers) != expect.speakers:
        differences.append(f"{len(speakers)} speakers instead of {expect.speakers}")
    for label, number in expect.per_class.items():
        if counts[label] != number:
            differences.append(f"{counts[label]} {label} instead of {number}")
    found = index_digest(used)
    if not differences and expect.index_sha256 not in (None, found):
        differences.append(f"the same counts but another index ({found[:12]} instead of {expect.index_sha256:.12})")
    if differences:
        gaps = corpus.gaps(scanned)
        named = f": {'; '.join(gaps[:LISTED_PROBLEMS])}" if gaps else ""
        raise BenchError(
            f"the corpus {corpus.name!r} is not what the task {task.name!r} expects: {', '.join(differences)}{named}",
            corpus.how_to_get,
        )
