"""EMOVO (Costantini et al. 2014): fourteen Italian sentences acted by six speakers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.types import CorpusCounts, PublishedSound, Utterance
from tasks.corpora.gaps import gaps_by_speaker

# Disgusto, gioia, neutro, paura, rabbia, sorpresa, tristezza.
EMOTIONS = {
    "dis": "disgust",
    "gio": "joy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}
SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")
SENTENCES = ("b1", "b2", "b3", "d1", "d2", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5")
PATTERN = re.compile(
    rf"(?P<emotion>{'|'.join(EMOTIONS)})-(?P<speaker>{'|'.join(SPEAKERS)})-(?P<sentence>{'|'.join(SENTENCES)})"
)


class Emovo(Corpus):
    """EMOVO: 588 Italian utterances, 6 actors, 7 emotions."""

    name: ClassVar[str] = "emovo"
    language: ClassVar[str] = "it"
    licence: ClassVar[str] = "none stated; free to download"
    citation: ClassVar[str] = (
        "G. Costantini, I. Iaderola, A. Paoloni, M. Todisco: EMOVO Corpus: an Italian Emotional Speech Database. "
        "LREC 2014. https://aclanthology.org/L14-1478"
    )
    homepage: ClassVar[str] = "http://voice.fub.it/activities/corpora/emovo/index.html"
    how_to_get: ClassVar[str] = (
        "download EMOVO from http://voice.fub.it/activities/corpora/emovo/index.html; the folder holds f1, f2, f3, "
        "m1, m2 and m3"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            588,
            6,
            {"disgust": 84, "joy": 84, "neutral": 84, "fear": 84, "anger": 84, "surprise": 84, "sadness": 84},
            sound=PublishedSound(0.51, 1.291, 13.995, (48_000,)),
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are the official file names, for example `dis-f1-b1`."""
        return listed_once(
            self.name,
            [
                Utterance(
                    id=match[0],
                    file=file,
                    speaker=match["speaker"],
                    gender="female" if match["speaker"].startswith("f") else "male",
                    language="it",
                    labels={"emotion": EMOTIONS[match["emotion"]]},
                    extra={"sentence": match["sentence"], "style": "scripted"},
                )
                for file, match in matched_files(self.name, root, PATTERN, "dis-f1-b1.wav")
            ],
            root,
        )

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Speakers and sentences that are missing."""
        expected = {
            speaker: [f"{emotion}-{speaker}-{sentence}" for emotion in EMOTIONS for sentence in SENTENCES]
            for speaker in SPEAKERS
        }
        return gaps_by_speaker(expected, [utterance.id for utterance in utterances])
