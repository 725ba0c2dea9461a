"""SAVEE (Haq and Jackson 2009): British English sentences acted by four men."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.errors import BenchError
from benchmark.types import CorpusCounts, PublishedSound, Utterance
from tasks.corpora.gaps import gaps_by_speaker

EMOTIONS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
SENTENCES = {code: 30 if code == "n" else 15 for code in EMOTIONS}
SPEAKERS = ("DC", "JE", "JK", "KL")
# The official archive has the speaker in the folder (DC/a01.wav), a common re-upload in the name (DC_a01.wav).
PATTERN = re.compile(
    rf"(?:(?P<speaker>{'|'.join(SPEAKERS)})_)?(?P<prompt>(?P<code>{'|'.join(EMOTIONS)})(?P<number>\d\d))"
)


class Savee(Corpus):
    """SAVEE: 480 British English utterances, 4 male actors, 7 emotions."""

    name: ClassVar[str] = "savee"
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = "free for research, after registration"
    citation: ClassVar[str] = "S. Haq, P. J. B. Jackson: Speaker-Dependent Audio-Visual Emotion Recognition. AVSP 2009"
    homepage: ClassVar[str] = "http://kahlan.eps.surrey.ac.uk/savee/"
    how_to_get: ClassVar[str] = (
        "register at http://kahlan.eps.surrey.ac.uk/savee/ and download the audio; the folder holds AudioData with "
        "DC, JE, JK and KL, or 480 files named like DC_a01.wav"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            480,
            4,
            {
                "anger": 60,
                "disgust": 60,
                "fear": 60,
                "happiness": 60,
                "neutral": 120,
                "sadness": 60,
                "surprise": 60,
            },
            sound=PublishedSound(0.512, 1.631, 7.139, (44_100,)),
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are speaker and file name, for example `DC_a01`, however the files lie.

        `prompt` is the file name: a number means the same words for all speakers. It is no `sentence`, as it names the
        emotion too: some sentences are spoken in several emotions under several names, and nothing here lists which.
        """
        utterances = []
        for file, match in matched_files(self.name, root, PATTERN, "DC/a01.wav or DC_a01.wav"):
            speaker = match["speaker"] or PurePosixPath(file).parent.name
            if speaker not in SPEAKERS:
                raise BenchError(
                    f"corpus savee: the name and the folder of {file} do not say who speaks",
                    f"files lie in the folders {', '.join(SPEAKERS)}, or are named like DC_a01.wav",
                )
            utterances.append(
                Utterance(
                    id=f"{speaker}_{match['prompt']}",
                    file=file,
                    speaker=speaker,
                    gender="male",
                    language="en",
                    labels={"emotion": EMOTIONS[match["code"]]},
                    extra={"sentence": None, "prompt": match["prompt"], "style": "scripted"},
                )
            )
        return listed_once(self.name, utterances, root)

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Speakers and sentences that are missing."""
        sentences = [f"{code}{number:02d}" for code, total in SENTENCES.items() for number in range(1, total + 1)]
        expected = {speaker: [f"{speaker}_{sentence}" for sentence in sentences] for speaker in SPEAKERS}
        return gaps_by_speaker(expected, [utterance.id for utterance in utterances])
