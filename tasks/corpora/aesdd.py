"""AESDD (Vryzas et al. 2018): twenty Greek utterances acted by six speakers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.types import CorpusCounts, PublishedSound, Utterance
from tasks.corpora.gaps import gaps_by_speaker

EMOTIONS = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "s": "sadness"}
SPEAKERS = tuple("123456")
# Letter and number of the utterance, then the speaker: "a03 (3)". Five names have a zero before the speaker,
# "f10 (01)", and second takes have a letter after it: "f18 (5)b" as published, "f18 (5b)" in copies.
PATTERN = re.compile(
    r"(?P<letter>[adfhs])(?P<number>0[1-9]|1\d|20) ?\(0?(?P<speaker>[1-6])(?:(?P<inside>[ab]?)\)|\) ?(?P<take>[ab]))"
)
# The published file of this take holds no audio. It is no utterance of the corpus, whether it is here or not.
WITHOUT_AUDIO = {"s05-3"}
UNPUBLISHED = {"d18-5", "f02-4", "h11-3", "s01-5"}
# Nineteen utterances were chosen, and an improvised one was added for every actor and emotion, says the documentation.
# That this one has the last number is inferred.
IMPROVISED = "20"
MORE_TAKES = ("a06-5b", "d01-5b", "d03-5b", "d04-5b", "f18-5b", "s01-5a", "s01-5b", "s02-5b", "s04-5b")


class Aesdd(Corpus):
    """AESDD: 604 Greek utterances, 6 actors, 5 emotions without a neutral one."""

    name: ClassVar[str] = "aesdd"
    language: ClassVar[str] = "el"
    licence: ClassVar[str] = "none stated; free to download"
    citation: ClassVar[str] = (
        "N. Vryzas, R. Kotsakis, A. Liatsou, C. A. Dimoulas, G. Kalliris: Speech Emotion Recognition for Performance "
        "Interaction. Journal of the Audio Engineering Society 66(6), 2018. doi:10.17743/jaes.2018.0036"
    )
    homepage: ClassVar[str] = "https://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/"
    how_to_get: ClassVar[str] = (
        "download it from https://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/; the folder holds anger, "
        "disgust, fear, happiness and sadness (s05 (3).wav, published without audio, is passed over)"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            604,
            6,
            {"anger": 121, "disgust": 122, "fear": 120, "happiness": 119, "sadness": 122},
            sound=PublishedSound(0.689, 0.981, 12.735, (44_100,)),
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are utterance, speaker and take, for example `a03-3` and `f18-5b`."""
        utterances = []
        for file, match in matched_files(self.name, root, PATTERN, "a03 (3).wav"):
            take = match["inside"] or match["take"] or ""
            name = f"{match['letter']}{match['number']}-{match['speaker']}{take}"
            is_fixed = match["number"] != IMPROVISED
            if name not in WITHOUT_AUDIO:
                utterances.append(
                    Utterance(
                        id=name,
                        file=file,
                        speaker=match["speaker"],
                        language="el",
                        labels={"emotion": EMOTIONS[match["letter"]]},
                        extra={
                            "sentence": match["number"] if is_fixed else None,
                            "take": take or None,
                            "style": "scripted" if is_fixed else "improvised",
                        },
                    )
                )
        return listed_once(self.name, utterances, root)

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Speakers and takes that are missing."""
        lacking = WITHOUT_AUDIO | UNPUBLISHED
        expected = {}
        for speaker in SPEAKERS:
            names = [f"{letter}{number:02d}-{speaker}" for letter in EMOTIONS for number in range(1, 21)]
            more = [name for name in MORE_TAKES if name[4] == speaker]
            expected[speaker] = [name for name in names if name not in lacking] + more
        return gaps_by_speaker(expected, [utterance.id for utterance in utterances])
