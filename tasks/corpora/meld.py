"""MELD (Poria et al. 2019): scenes of the TV series Friends, as clips of one utterance each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import audio_files, listed_once, one_of_each
from benchmark.errors import BenchError, MissingError
from benchmark.io.files import files_below
from benchmark.types import CorpusCounts, Utterance
from tasks.corpora.tables import Row, read_rows

# The folders of the three archives, and what they are called where they were renamed.
FOLDERS = {
    "train_splits": "train",
    "dev_splits_complete": "dev",
    "output_repeated_splits_test": "test",
    "train": "train",
    "dev": "dev",
    "test": "test",
}
OFFICIAL = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}
SUFFIXES = (".mp4", ".wav", ".flac")
CLIP = re.compile(r"dia\d+_utt\d+")
EMOTIONS = ("neutral", "joy", "surprise", "anger", "sadness", "disgust", "fear")
SENTIMENTS = ("negative", "neutral", "positive")
COLUMNS = {
    "Utterance",
    "Speaker",
    "Emotion",
    "Sentiment",
    "Dialogue_ID",
    "Utterance_ID",
    "Season",
    "Episode",
    "StartTime",
    "EndTime",
}


class Meld(Corpus):
    """MELD: 13708 English clips from a TV series, 7 emotions and 3 sentiments, official split."""

    name: ClassVar[str] = "meld"
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = "GPL-3.0 for the lists; the clips are of a TV series, for research"
    citation: ClassVar[str] = (
        "S. Poria, D. Hazarika, N. Majumder, G. Naik, E. Cambria, R. Mihalcea: MELD: A Multimodal Multi-Party Dataset "
        "for Emotion Recognition in Conversations. ACL 2019. arXiv:1810.02508"
    )
    homepage: ClassVar[str] = "https://affective-meld.github.io/"
    how_to_get: ClassVar[str] = (
        "download MELD.Raw from https://affective-meld.github.io/ and unpack it and the three archives in it; the "
        "folder holds train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv, and the clips in train_splits, "
        "dev_splits_complete and output_repeated_splits_test"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "train": CorpusCounts(9989, None, dict(zip(EMOTIONS, (4710, 1743, 1205, 1109, 683, 271, 268), strict=True))),
        "dev": CorpusCounts(1109, None, dict(zip(EMOTIONS, (470, 163, 150, 153, 111, 22, 40), strict=True))),
        "test": CorpusCounts(2610, None, dict(zip(EMOTIONS, (1256, 402, 281, 345, 208, 68, 50), strict=True))),
    }

    published_broken: ClassVar[Mapping[str, str]] = {
        "train/dia125_utt3": "the published video has no sound that can be read",
        "dev/dia110_utt7": "never published, though it is listed",
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance of the three tables; ids are split and clip, for example `train/dia0_utt0`.

        A clip is the video of the release, or its sound as WAV or FLAC under the same name. What else the archives
        hold is passed over. Dialogues are numbered anew in each split.

        Raises:
            MissingError: A table is not there.
            BenchError: A table lacks a column or has a label that MELD does not have, or a clip is there twice.
        """
        clips, places = self._clips(root)
        utterances = []
        for split, folder in OFFICIAL.items():
            for row in self._rows(root, split):
                clip = f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}"
                emotion, sentiment = row["Emotion"].lower(), row["Sentiment"].lower()
                if emotion not in EMOTIONS or sentiment not in SENTIMENTS or CLIP.fullmatch(clip) is None:
                    raise BenchError(
                        f"{row.where}: {clip} is {emotion!r} and {sentiment!r}",
                        f"emotions are {', '.join(EMOTIONS)}",
                    )
                dialogue = f"{split}/{row['Dialogue_ID']}"
                utterances.append(
                    Utterance(
                        id=f"{split}/{clip}",
                        file=clips.get((split, clip), f"{places.get(split, folder)}/{clip}.mp4"),
                        speaker=row["Speaker"],
                        session=dialogue,
                        language="en",
                        labels={"emotion": emotion, "sentiment": sentiment},
                        split=split,
                        extra={
                            "dialogue": dialogue,
                            "turn": float(row["Utterance_ID"]),
                            "text": row["Utterance"],
                            "season": row["Season"],
                            "episode": row["Episode"],
                            "episode_start": row["StartTime"],
                            "episode_end": row["EndTime"],
                            "style": "scripted",
                        },
                    )
                )
        return listed_once(self.name, utterances, root)

    def part_of(self, utterance: Utterance) -> str:
        """The corpus's own split of an utterance: "train", "dev" or "test"."""
        return utterance.split or "all"

    def _clips(self, root: Path) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
        """The file of each (split, clip), and the folder of each split that has any."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        places: dict[str, str] = {}
        for file, name in audio_files(root, SUFFIXES):
            path = PurePosixPath(name)
            split = next((FOLDERS[folder] for folder in reversed(path.parent.parts) if folder in FOLDERS), None)
            if split is not None and CLIP.fullmatch(path.stem):
                found[split, path.stem].append(file)
                places.setdefault(split, PurePosixPath(file).parent.as_posix())
        return one_of_each(self.name, root, found, lambda clip: "are one clip"), places

    def _rows(self, root: Path, split: str) -> list[Row]:
        """The rows of the table of a split; that of the dyadic subset has another name."""
        name = f"{split}_sent_emo.csv"
        paths = sorted(path for path in files_below(root) if path.name == name)
        if not paths:
            raise MissingError(f"there is no {name} in {root}", self.how_to_get)
        if len({path.read_bytes() for path in paths}) > 1:
            listed = " and ".join(path.relative_to(root).as_posix() for path in paths)
            raise BenchError(f"corpus meld: {listed} differ", "keep one of them")
        return read_rows(self.name, paths[0], COLUMNS, windows=True)
