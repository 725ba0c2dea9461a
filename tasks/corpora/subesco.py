"""SUBESCO (Sultana et al. 2021): ten Bangla sentences acted by twenty speakers, five takes each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.types import CorpusCounts, Download, PublishedSound, Utterance
from tasks.corpora.gaps import gaps_by_speaker

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
SPEAKERS = tuple(f"{gender}{number:02d}" for gender in "FM" for number in range(1, 11))
SENTENCES, TAKES = range(1, 11), range(1, 6)
# Gender, number and name of the speaker, S and the sentence, emotion, take: F_01_NAME_S_1_ANGRY_1.
PATTERN = re.compile(
    r"(?P<gender>[FM])_(?P<number>\d\d)_[^_]+_S_(?P<sentence>\d+)_"
    rf"(?P<emotion>{'|'.join(EMOTIONS)})_(?P<take>\d)\]?",  # one file of the archive has a bracket too many
    re.IGNORECASE,
)


class Subesco(Corpus):
    """SUBESCO: 7000 Bangla utterances, 20 actors, 10 sentences, 7 emotions."""

    name: ClassVar[str] = "subesco"
    language: ClassVar[str] = "bn"
    licence: ClassVar[str] = "CC BY 4.0"
    citation: ClassVar[str] = (
        "S. Sultana, M. S. Rahman, M. R. Selim, M. Z. Iqbal: SUST Bangla Emotional Speech Corpus (SUBESCO): An "
        "audio-only emotional speech corpus for Bangla. PLOS ONE 16(4), 2021. DOI 10.1371/journal.pone.0250173"
    )
    homepage: ClassVar[str] = "https://zenodo.org/records/4526477"
    how_to_get: ClassVar[str] = (
        "download and unpack https://zenodo.org/records/4526477; the folder holds 7000 files named like "
        "F_01_NAME_S_1_ANGRY_1.wav"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            7000,
            20,
            {
                "angry": 1000,
                "disgust": 1000,
                "fear": 1000,
                "happy": 1000,
                "neutral": 1000,
                "sad": 1000,
                "surprise": 1000,
            },
            sound=PublishedSound(7.832, 2.752, 6.026, (44_100,)),
        )
    }
    downloads: ClassVar[tuple[Download, ...]] = (
        Download("https://zenodo.org/records/4526477/files/SUBESCO.zip", "md5:13d702cf944bf54d70d66bffc036ed7a"),
    )

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids say speaker, sentence, emotion and take, for example `F01_1_angry_1`."""
        utterances = []
        for file, match in matched_files(self.name, root, PATTERN, "F_01_NAME_S_1_ANGRY_1.wav"):
            speaker, emotion = f"{match['gender'].upper()}{match['number']}", match["emotion"].lower()
            sentence = str(int(match["sentence"]))
            utterances.append(
                Utterance(
                    id=f"{speaker}_{sentence}_{emotion}_{match['take']}",
                    file=file,
                    speaker=speaker,
                    gender="female" if speaker.startswith("F") else "male",
                    language="bn",
                    labels={"emotion": emotion},
                    extra={"sentence": sentence, "take": match["take"], "style": "scripted"},
                )
            )
        return listed_once(self.name, utterances, root)

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Speakers, sentences and takes that are missing."""
        expected = {
            speaker: [
                f"{speaker}_{sentence}_{emotion}_{take}"
                for sentence in SENTENCES
                for emotion in EMOTIONS
                for take in TAKES
            ]
            for speaker in SPEAKERS
        }
        return gaps_by_speaker(expected, [utterance.id for utterance in utterances])
