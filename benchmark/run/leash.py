"""Whom weights have heard: a trained upstream is never tested on a speaker or a recording of its training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmark.protocol.dataset import Dataset
from benchmark.run.unit import Material
from benchmark.text import count, some

Speaker = tuple[str, str]  # corpus, or the folder of one without a name of its own; and who


@dataclass(frozen=True)
class Exposure:
    """Speakers, and recordings by the digests of their samples."""

    speakers: frozenset[Speaker] = frozenset()
    recordings: frozenset[str] = frozenset()

    def __or__(self, other: Exposure) -> Exposure:
        """What either heard."""
        return Exposure(self.speakers | other.speakers, self.recordings | other.recordings)

    def __and__(self, other: Exposure) -> Exposure:
        """What both heard."""
        return Exposure(self.speakers & other.speakers, self.recordings & other.recordings)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.speakers or self.recordings)

    @property
    def words(self) -> str:
        """How many, and some of the speakers."""
        names = sorted(name for _, name in self.speakers)
        parts = [f"{count(len(names), 'speaker')} ({some(names, 3)})"] if names else []
        return " and ".join([*parts, *([count(len(self.recordings), "recording")] if self.recordings else [])])


def in_training(material: Material, fold_name: str) -> Exposure:
    """All that training on a fold hears: what it is fitted on, what selects, and unlabelled utterances of a target."""
    fold = next(fold for fold in material.dataset.folds if fold.name == fold_name)
    return _heard(material, [*fold.train, *fold.dev, *fold.adapt])


def in_test(material: Material, fold_name: str) -> Exposure:
    """All that the test of a fold hears."""
    return _heard(material, next(fold for fold in material.dataset.folds if fold.name == fold_name).test)


def _heard(material: Material, ids: Iterable[str]) -> Exposure:
    dataset = material.dataset
    every = [name for i in ids for name in (i, *(one for turn in dataset.context.get(i, ()) for one in turn))]
    speakers = frozenset(_speaker(dataset, name) for name in every if dataset.by_id[name].speaker is not None)
    return Exposure(speakers, frozenset(material.heard[name].sha256 for name in every if name in material.heard))


def _speaker(dataset: Dataset, name: str) -> Speaker:
    """Who, of which corpus: names of speakers are those of their corpus."""
    utterance = dataset.by_id[name]
    speaker = str(utterance.speaker)
    if len(dataset.corpora) > 1:
        corpus, _, speaker = speaker.partition(":")
    else:
        corpus = dataset.corpora[0].name
    # The one scanner of many corpora knows them by their folders.
    return (str(dataset.root_of(utterance).resolve()) if corpus == "csv" else corpus), speaker
