"""ASED (Retta et al. 2023): Amharic sentences acted by 65 volunteers, kept where five of eight judges agreed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.errors import BenchError
from benchmark.types import CorpusCounts, PublishedSound, Utterance

# Letter and folder number of each emotion.
EMOTIONS = {"n1": "neutral", "f2": "fearful", "h3": "happy", "s4": "sad", "a5": "angry"}
# Emotion, sentence, repetition, gender (01 female, 02 male), speaker: a5-03-01-02-50. One letter is upper case.
PATTERN = re.compile(
    r"(?P<emotion>[nfhsa][1-5])-(?P<prompt>\d\d)-(?P<take>\d\d)-(?P<gender>0[12])-(?P<speaker>\d\d)", re.IGNORECASE
)


class Ased(Corpus):
    """ASED: 2474 Amharic utterances, 65 speakers of four dialects, 5 emotions."""

    name: ClassVar[str] = "ased"
    language: ClassVar[str] = "am"
    licence: ClassVar[str] = "none stated; free to download"
    citation: ClassVar[str] = (
        "E. A. Retta, E. Almekhlafi, R. Sutcliffe, M. Mhamed, H. Ali, J. Feng: A New Amharic Speech Emotion Dataset "
        "and Classification Benchmark. ACM Trans. Asian Low-Resour. Lang. Inf. Process. 22(1), 2023. "
        "DOI 10.1145/3529759"
    )
    homepage: ClassVar[str] = "https://github.com/Ethio2021/ASED_V1"
    how_to_get: ClassVar[str] = (
        "clone https://github.com/Ethio2021/ASED_V1; the folder holds 01Neutral, 02Fearful, 03Happy, 04Sad and 05Angry"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            2474,
            65,
            {"neutral": 522, "fearful": 510, "happy": 486, "sad": 470, "angry": 486},
            sound=PublishedSound(2.106, 2.0, 3.9, (16_000,)),
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are the official file names in lower case, for example `a5-03-01-02-50`.

        `prompt` is emotion and number. It is no `sentence`: 25 of the 27 sentences belong to one emotion each, but two
        are spoken in all five, and the corpus does not list which numbers they have.
        """
        utterances = []
        for file, match in matched_files(self.name, root, PATTERN, "05Angry/a5-03-01-02-50.wav"):
            emotion = match["emotion"].lower()
            if emotion not in EMOTIONS:
                raise BenchError(
                    f"corpus ased: the letter and the number of {file} are of two emotions",
                    f"names start with {', '.join(EMOTIONS)}",
                )
            utterances.append(
                Utterance(
                    id=match[0].lower(),
                    file=file,
                    speaker=match["speaker"],
                    gender={"01": "female", "02": "male"}[match["gender"]],
                    language="am",
                    labels={"emotion": EMOTIONS[emotion]},
                    extra={
                        "sentence": None,
                        "prompt": f"{emotion}-{match['prompt']}",
                        "take": match["take"],
                        "style": "scripted",
                    },
                )
            )
        return listed_once(self.name, utterances, root)
