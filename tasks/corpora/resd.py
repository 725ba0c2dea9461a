"""RESD (Aniemore 2022): Russian dialogues in which each of two actors plays one emotion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.errors import BenchError, MissingError
from benchmark.types import CorpusCounts, Utterance
from tasks.corpora.tables import read_rows

SPLITS = ("train", "test")
EMOTIONS = ("anger", "disgust", "enthusiasm", "fear", "happiness", "neutral", "sadness")
# Dialogue and its two emotions, first letter of the emotion spoken, number: 27_neutral_fear_n_100, and in the first
# dialogues with a space, 08_sadness_anger a_010.
PATTERN = re.compile(r"(?P<dialogue>\d+)_[a-z]+_[a-z]+[_ ][a-z]_\d+")


class Resd(Corpus):
    """RESD: 1396 utterances of acted Russian dialogues, 7 emotions, official split."""

    name: ClassVar[str] = "resd"
    language: ClassVar[str] = "ru"
    licence: ClassVar[str] = "MIT"
    citation: ClassVar[str] = (
        "A. Amentes, I. Lubenets, N. Davidchuk: Russian Emotional Speech Dialogs (RESD). Aniemore, 2022. "
        "DOI 10.57967/hf/1273"
    )
    homepage: ClassVar[str] = "https://huggingface.co/datasets/Aniemore/resd"
    how_to_get: ClassVar[str] = (
        "download https://huggingface.co/datasets/Aniemore/resd, which is served as Parquet (name, path, emotion, "
        "speech): write each speech to SPLIT/PATH, and name, path and emotion to SPLIT.csv; the folder then holds "
        "train.csv, test.csv and the recordings below train and test, for example "
        "test/neutral_fear_27/27_neutral_fear_n_100.wav"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            1396,
            None,
            {
                "anger": 219,
                "disgust": 185,
                "enthusiasm": 198,
                "fear": 223,
                "happiness": 218,
                "neutral": 191,
                "sadness": 162,
            },
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every recording; ids are the official file names, for example `27_neutral_fear_n_100`.

        The split is the folder that a recording is in, the emotion that of the list of this split. Who speaks is not
        told; the session is the dialogue, most of which are in train and test.

        Raises:
            MissingError: A list is not there.
            BenchError: A recording is not in it, or the list gives an emotion that RESD does not have.
        """
        lists = {split: self._emotions(root, split) for split in SPLITS}
        utterances = []
        for split, emotions in lists.items():
            for file, match in matched_files(
                self.name, root / split, PATTERN, f"{split}/neutral_fear_27/27_neutral_fear_n_100.wav"
            ):
                if match[0] not in emotions:
                    raise BenchError(f"corpus resd: {split}.csv does not list {split}/{file}")
                utterances.append(
                    Utterance(
                        id=match[0],
                        file=f"{split}/{file}",
                        session=str(int(match["dialogue"])),
                        language="ru",
                        labels={"emotion": emotions[match[0]]},
                        split=split,
                        extra={"dialogue": str(int(match["dialogue"]))},
                    )
                )
        return listed_once(self.name, utterances, root)

    def _emotions(self, root: Path, split: str) -> dict[str, str]:
        """The emotion of each recording that a list names by its path."""
        places = [root / f"{split}.csv", root / split / f"{split}.csv"]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise MissingError(f"there is no {split}.csv in {root}", self.how_to_get)
        emotions = {}
        for row in read_rows(self.name, path, ("path", "emotion")):
            if row["emotion"] not in EMOTIONS:
                raise BenchError(f"{row.where}: the emotion is {row['emotion']!r}", f"one of {', '.join(EMOTIONS)}")
            emotions[PurePosixPath(row["path"].replace("\\", "/")).stem] = row["emotion"]
        return emotions
