"""What CMU-MOSI and CMU-MOSEI share: one table of segments, one clip for each."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import audio_files, listed_once, one_of_each
from benchmark.errors import BenchError, MissingError
from benchmark.types import Utterance
from tasks.corpora.tables import read_rows

INDEX = "label.csv"
SUFFIXES = (".mp4", ".wav", ".flac")
SPLITS = {"train": "train", "valid": "dev", "validation": "dev", "dev": "dev", "test": "test", "": None}
COLUMNS = {"video_id", "clip_id", "text", "label", "mode"}
LOWEST, HIGHEST = -3.0, 3.0
HOW_TO_GET = (
    f"get the re-packaging with one clip a segment (from the authors of MMSA); the folder holds {INDEX} (video_id, "
    "clip_id, text, label, mode) and Raw/VIDEO/CLIP.mp4, or the sound as Raw/VIDEO/CLIP.wav or VIDEO_CLIP.wav"
)


class CMU(Corpus):
    """Segments of English videos with a sentiment from -3 to 3; without a name of its own."""

    language: ClassVar[str] = "en"

    def scan(self, root: Path) -> list[Utterance]:
        """List every row of `label.csv`; ids are `VIDEO/CLIP`, the clip without leading zeros.

        Labels are the sentiment and its polarity: negative, zero or positive. Who speaks is not told; the session is
        the video. A segment of a video in no official fold has no split.

        Raises:
            MissingError: There is no `label.csv`.
            BenchError: It lacks a column, a value is not what its column takes, or a clip is there twice.
        """
        path = root / INDEX
        if not path.is_file():
            raise MissingError(f"there is no {INDEX} in {root}", self.how_to_get)
        clips = self._clips(root)
        utterances = []
        for row in read_rows(self.name, path, COLUMNS):
            video, clip, mode = row["video_id"], row["clip_id"], row["mode"].lower()
            if not clip.isdigit() or mode not in SPLITS:
                raise BenchError(f"{row.where}: clip {clip!r} of mode {mode!r}", "a number; train, valid or test")
            sentiment = _sentiment(row["label"], row.where)
            utterances.append(
                Utterance(
                    id=f"{video}/{int(clip)}",
                    file=clips.get((video, int(clip)), f"Raw/{video}/{clip}.mp4"),
                    session=video,
                    language="en",
                    labels={"sentiment": sentiment, "polarity": _polarity(sentiment)},
                    split=SPLITS[mode],
                    extra={"dialogue": video, "turn": float(clip), "text": row["text"], "style": "spontaneous"},
                )
            )
        return listed_once(self.name, utterances, root)

    def part_of(self, utterance: Utterance) -> str:
        """The split; "unassigned" for a segment in no official fold."""
        return utterance.split or "unassigned"

    def _clips(self, root: Path) -> dict[tuple[str, int], str]:
        """The file of each (video, clip): VIDEO/CLIP, VIDEO_CLIP or VIDEO$_$CLIP, wherever it lies."""
        found: dict[tuple[str, int], list[str]] = defaultdict(list)
        for file, name in audio_files(root, SUFFIXES):
            path = PurePosixPath(name)
            video, separator, clip = path.stem.rpartition("_")
            if path.stem.isdigit():
                video, separator, clip = path.parent.name, "/", path.stem
            if separator and clip.removeprefix("$").isdigit():
                found[video.removesuffix("$"), int(clip.removeprefix("$"))].append(file)
        return one_of_each(self.name, root, found, lambda clip: "are one clip")


def _sentiment(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not LOWEST <= value <= HIGHEST:
        raise BenchError(f"{where}: the label is {text!r}", f"a sentiment from {LOWEST:g} to {HIGHEST:g}")
    return value


def _polarity(sentiment: float) -> str:
    if sentiment == 0:
        return "zero"
    return "negative" if sentiment < 0 else "positive"
