"""CaFE (Gournay et al. 2018): six Canadian French sentences acted by twelve speakers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.types import CorpusCounts, PublishedSound, Utterance
from tasks.corpora.gaps import gaps_by_speaker

# Colère, dégoût, joie, neutre, peur, surprise, tristesse.
EMOTIONS = {
    "C": "anger",
    "D": "disgust",
    "J": "joy",
    "N": "neutral",
    "P": "fear",
    "S": "surprise",
    "T": "sadness",
}
# Faible and Fort. Neutral speech has one intensity, which means none.
INTENSITIES = {"1": "mild", "2": "strong"}
SPEAKERS = tuple(f"{number:02d}" for number in range(1, 13))
SENTENCES = tuple("123456")
# The name says all: the accents of the folders (Colère, Dégoût) do not survive every way to unpack the archive.
PATTERN = re.compile(
    rf"(?P<speaker>{'|'.join(SPEAKERS)})-(?:(?P<letter>[CDJPST])-(?P<intensity>[12])|N-1)-(?P<sentence>[1-6])"
)


class Cafe(Corpus):
    """CaFE: 936 Canadian French utterances, 12 actors, 7 emotions in two intensities."""

    name: ClassVar[str] = "cafe"
    language: ClassVar[str] = "fr"
    licence: ClassVar[str] = "CC BY-NC-SA 4.0"
    citation: ClassVar[str] = (
        "P. Gournay, O. Lahaie, R. Lefebvre: A Canadian French Emotional Speech Dataset. ACM MMSys 2018. "
        "doi:10.1145/3204949.3208121"
    )
    homepage: ClassVar[str] = "https://zenodo.org/records/1478765"
    how_to_get: ClassVar[str] = (
        "download CaFE_48k.zip from https://zenodo.org/records/1478765; the folder holds the seven folders of emotions"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            936,
            12,
            {
                "anger": 144,
                "disgust": 144,
                "joy": 144,
                "neutral": 72,
                "fear": 144,
                "surprise": 144,
                "sadness": 144,
            },
            sound=PublishedSound(1.155, 2.557, 7.745, (48_000, 192_000)),
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are the official file names, for example `01-C-1-1`."""
        return listed_once(
            self.name,
            [
                Utterance(
                    id=match[0],
                    file=file,
                    speaker=match["speaker"],
                    gender="male" if int(match["speaker"]) % 2 else "female",
                    language="fr",
                    labels={"emotion": EMOTIONS[match["letter"] or "N"]},
                    extra={
                        "intensity": INTENSITIES[match["intensity"]] if match["letter"] else None,
                        "sentence": match["sentence"],
                        "style": "scripted",
                    },
                )
                for file, match in matched_files(self.name, root, PATTERN, "01-C-1-1.wav")
            ],
            root,
        )

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Speakers and sentences that are missing."""
        expected = {
            speaker: [
                f"{speaker}-{letter}-{intensity}-{sentence}"
                for letter in EMOTIONS
                for intensity in INTENSITIES
                for sentence in SENTENCES
                if (letter, intensity) != ("N", "2")
            ]
            for speaker in SPEAKERS
        }
        return gaps_by_speaker(expected, [utterance.id for utterance in utterances])
