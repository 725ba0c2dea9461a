"""TESS (Dupuis and Pichora-Fuller 2010): 200 English words in a carrier phrase, acted by two women."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.types import CorpusCounts, PublishedSound, Utterance
from tasks.corpora.gaps import gaps_by_speaker

EMOTIONS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "pleasant surprise",
    "sad": "sadness",
}
# The older and the younger actress. One file of the older one is named OA_, as published.
SPEAKERS = {"OAF": "OAF", "OA": "OAF", "YAF": "YAF"}
PATTERN = re.compile(rf"(?P<speaker>{'|'.join(SPEAKERS)})_(?P<word>[^_]+)_(?P<emotion>{'|'.join(EMOTIONS)})")


class Tess(Corpus):
    """TESS: 2800 English utterances of 200 words, 2 actresses, 7 emotions."""

    name: ClassVar[str] = "tess"
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = "CC BY-NC-ND 4.0"
    citation: ClassVar[str] = (
        "M. K. Pichora-Fuller, K. Dupuis: Toronto emotional speech set (TESS). Borealis 2020. doi:10.5683/SP2/E8H2MF"
    )
    homepage: ClassVar[str] = "https://doi.org/10.5683/SP2/E8H2MF"
    how_to_get: ClassVar[str] = (
        "download it from https://doi.org/10.5683/SP2/E8H2MF; the folder holds 2800 files named like OAF_word_angry.wav"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            2800, 2, dict.fromkeys(EMOTIONS.values(), 400), sound=PublishedSound(1.598, 1.254, 2.985, (24_414,))
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are the official file names with the speaker spelt out, as `OAF_word_angry`."""
        utterances = []
        for file, match in matched_files(self.name, root, PATTERN, "OAF_word_angry.wav"):
            speaker = SPEAKERS[match["speaker"]]
            utterances.append(
                Utterance(
                    id=f"{speaker}_{match['word']}_{match['emotion']}",
                    file=file,
                    speaker=speaker,
                    gender="female",
                    language="en",
                    labels={"emotion": EMOTIONS[match["emotion"]]},
                    extra={"sentence": match["word"], "style": "scripted"},
                )
            )
        return listed_once(self.name, utterances, root)

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Utterances that are missing, for the words that are here at all."""
        words = sorted({str(utterance.extra["sentence"]) for utterance in utterances})
        expected = {
            speaker: [f"{speaker}_{word}_{emotion}" for word in words for emotion in EMOTIONS]
            for speaker in sorted(set(SPEAKERS.values()))
        }
        return gaps_by_speaker(expected, [utterance.id for utterance in utterances])
