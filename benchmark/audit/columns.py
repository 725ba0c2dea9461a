"""The utterances of a dataset as columns of numbers, so that large corpora are audited in seconds."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.data.listening import Heard
from benchmark.protocol.dataset import Dataset
from benchmark.types import Utterance

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """A column of names as numbers.

    Attributes:
        codes: (n,) int64 positions in `names`; -1 for none.
        names: The different names.
    """

    codes: NDArray[np.int64]
    names: tuple[str, ...]

    def counts(self, rows: Positions) -> dict[str, int]:
        """How often each name is in some rows; those that are not there too."""
        codes = self.codes[rows]
        numbers = np.bincount(codes[codes >= 0], minlength=len(self.names))
        return {name: int(number) for name, number in zip(self.names, numbers, strict=True)}

    def marks(self, rows: Positions) -> NDArray[np.bool_]:
        """Which names are in some rows: (names,)."""
        present = np.zeros(len(self.names), dtype=np.bool_)
        codes = self.codes[rows]
        present[codes[codes >= 0]] = True
        return present

    def named(self, marks: NDArray[np.bool_]) -> tuple[str, ...]:
        """The names that are marked."""
        return tuple(self.names[i] for i in np.flatnonzero(marks))


@dataclass(frozen=True)
class Columns:
    """What the audit asks of every recording; the examples come first.

    Attributes:
        ids: The n utterance ids.
        rows: Their positions.
        examples: How many of them are examples; the others are context only.
        corpora: Which corpus.
        classes: Class; none for context and in regression. The names are the task's labels, in their order.
        values: (n, k) float64 dimensions; nan for context. k = 0 for classification.
        speakers: Speaker.
        genders: Gender.
        sentences: Sentence: its id, or else its words; all none in a task with context.
        audio: Digest of the samples.
        durations: (n,) [s]; nan where nothing was heard.
    """

    ids: tuple[str, ...]
    rows: Mapping[str, int]
    examples: int
    corpora: Coded
    classes: Coded
    values: NDArray[np.float64]
    speakers: Coded
    genders: Coded
    sentences: Coded
    audio: Coded
    durations: NDArray[np.float64]

    def of(self, ids: Iterable[str]) -> Positions:
        """The rows of some ids."""
        return np.fromiter((self.rows[i] for i in ids), dtype=np.int64)


def coded(values: Sequence[str | None], names: Sequence[str] | None = None) -> Coded:
    """Number the names of a column.

    Args:
        values: One for each row; None for none.
        names: All that there can be, in order; sorted from the values where not given.
    """
    if names is None:
        names = sorted({value for value in values if value is not None})
    position = {name: i for i, name in enumerate(names)}
    codes = np.fromiter((-1 if value is None else position[value] for value in values), dtype=np.int64)
    return Coded(codes, tuple(names))


def columns(dataset: Dataset, heard: Mapping[str, Heard]) -> Columns:
    """Read the columns of a dataset.

    Args:
        dataset: The task with its utterances.
        heard: Digest and duration of those that were listened to.
    """
    task, recordings, count = dataset.task, dataset.recordings, len(dataset.utterances)
    ids = tuple(utterance.id for utterance in recordings)
    corpora = [corpus.name for corpus in dataset.corpora]
    of_corpus = [corpora[0] if len(corpora) == 1 else name.partition(":")[0] for name in ids]
    values = np.full((len(ids), len(task.dimensions)), np.nan)
    if task.dimensions:
        values[:count] = [[float(u.labels[name]) for name in task.dimensions] for u in dataset.utterances]
    # What is predicted from its context is not heard itself: its words tell nothing.
    said = [None if task.context else sentence(u, of) for u, of in zip(recordings, of_corpus, strict=True)]
    return Columns(
        ids=ids,
        rows={name: row for row, name in enumerate(ids)},
        examples=count,
        corpora=coded(of_corpus, corpora),
        classes=coded([dataset.labels.get(name) for name in ids], task.labels),
        values=values,
        speakers=coded([utterance.speaker for utterance in recordings]),
        genders=coded([utterance.gender for utterance in recordings]),
        sentences=coded(said),
        audio=coded([heard[name].sha256 if name in heard else None for name in ids]),
        durations=np.array([heard[name].duration if name in heard else np.nan for name in ids], dtype=np.float64),
    )


class _Spoken(dict[int, int | None]):
    """For `str.translate`: drops punctuation and symbols, keeps every other character."""

    def __missing__(self, character: int) -> int | None:
        is_spoken = unicodedata.category(chr(character))[0] not in "PS"
        self[character] = character if is_spoken else None
        return self[character]


_SPOKEN = _Spoken()


def words(text: str) -> str | None:
    """A transcript without what two may write differently: case, punctuation, symbols, spaces; None for nothing."""
    spoken = unicodedata.normalize("NFC", text).casefold().translate(_SPOKEN)
    return " ".join(spoken.split()) or None


def sentence(utterance: Utterance, corpus: str) -> str | None:
    """The sentence of an utterance: its id in the corpus, or else its words; None where neither is known.

    Ids of two corpora are never the same, words may be.
    """
    number = utterance.extra.get("sentence")
    if number is not None:
        return f"{corpus}: {number}"
    text = utterance.extra.get("text")
    return f"text: {spoken}" if isinstance(text, str) and (spoken := words(text)) is not None else None
