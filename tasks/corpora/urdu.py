"""URDU (Latif et al. 2018): 400 utterances of 29 speakers from Urdu talk shows, four emotions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import audio_files, listed_once
from benchmark.errors import BenchError
from benchmark.types import CorpusCounts, PublishedSound, Utterance

EMOTIONS = {"Angry": "A", "Happy": "H", "Neutral": "N", "Sad": "S"}
# Speaker (gender and number), recording of that speaker, letter and serial number of the emotion: SM1_F02_A013.
PATTERN = re.compile(r"S(?P<gender>[MF])(?P<speaker>\d+)_F(?P<recording>\d+)_(?P<letter>[AHNS])(?P<serial>\d+)")
UTTERANCES_PER_EMOTION = 100


class Urdu(Corpus):
    """URDU: 400 utterances from Urdu talk shows, 29 speakers, 4 emotions."""

    name: ClassVar[str] = "urdu"
    language: ClassVar[str] = "ur"
    licence: ClassVar[str] = "research use only"
    citation: ClassVar[str] = (
        "S. Latif, A. Qayyum, M. Usman, J. Qadir: Cross Lingual Speech Emotion Recognition: Urdu vs. Western "
        "Languages. FIT 2018. arXiv:1812.10411"
    )
    homepage: ClassVar[str] = "https://github.com/siddiquelatif/URDU-Dataset"
    how_to_get: ClassVar[str] = (
        "clone https://github.com/siddiquelatif/URDU-Dataset (of GitHub's ZIP, give the folder URDU-Dataset-master "
        "itself); the folder holds Angry, Happy, Neutral and Sad"
    )

    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            utterances=4 * UTTERANCES_PER_EMOTION,
            speakers=29,
            per_class={emotion.lower(): UTTERANCES_PER_EMOTION for emotion in EMOTIONS},
            sound=PublishedSound(0.277, 0.992, 3.004, (44_100,)),
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are `Emotion/name`, for example `Angry/SM1_F01_A01`.

        `take` is the number that the name gives to the recording of the speaker.
        """
        utterances = []
        for emotion, letter in EMOTIONS.items():
            folder = root / emotion
            if not folder.is_dir():
                raise BenchError(f"corpus urdu has no folder {emotion!r} in {root}", self.how_to_get)
            for file, name in audio_files(folder):
                match = PATTERN.fullmatch(PurePosixPath(name).stem)
                if match is None or match["letter"] != letter:
                    raise BenchError(
                        f"corpus urdu: unexpected file {emotion}/{name}",
                        f"files there are named S{{M,F}}speaker_Fnumber_{letter}number.wav",
                    )
                utterances.append(
                    Utterance(
                        id=f"{emotion}/{match[0]}",
                        file=f"{emotion}/{file}",
                        speaker=f"{match['gender']}{match['speaker']}",
                        gender={"M": "male", "F": "female"}[match["gender"]],
                        language="ur",
                        labels={"emotion": emotion.lower()},
                        extra={"style": "spontaneous", "take": match["recording"]},
                    )
                )
        return listed_once(self.name, utterances, root)

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Missing and repeated serial numbers: each emotion counts from 1 to 100."""
        problems = []
        for emotion in EMOTIONS:
            by_serial: dict[int, list[str]] = defaultdict(list)
            for utterance in utterances:
                match = PATTERN.fullmatch(utterance.id.removeprefix(f"{emotion}/"))
                if match is not None:
                    by_serial[int(match["serial"])].append(utterance.file)
            for serial in range(1, UTTERANCES_PER_EMOTION + 1):
                if serial not in by_serial:
                    problems.append(f"{emotion} number {serial} is missing")
            for serial, files in sorted(by_serial.items()):
                if len(files) > 1 or serial > UTTERANCES_PER_EMOTION:
                    problems.append(f"surplus: {', '.join(files)}")
        return problems
