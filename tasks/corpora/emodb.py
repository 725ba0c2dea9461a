"""EmoDB (Burkhardt et al. 2005): ten German sentences acted by ten speakers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.text import some
from benchmark.types import CorpusCounts, Download, PublishedSound, Utterance
from tasks.corpora.gaps import NAMED

# The first letters of the German words: Wut, Langeweile, Ekel, Angst, Freude, neutral, Trauer.
EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "N": "neutral",
    "T": "sadness",
}
GENDERS = {
    "03": "male",
    "08": "female",
    "09": "female",
    "10": "male",
    "11": "male",
    "12": "male",
    "13": "female",
    "14": "female",
    "15": "male",
    "16": "female",
}
PATTERN = re.compile(
    rf"(?P<speaker>{'|'.join(GENDERS)})(?P<sentence>[ab]\d\d)(?P<letter>[{''.join(EMOTIONS)}])(?P<take>[a-z])"
)


class EmoDB(Corpus):
    """EmoDB: 535 German utterances, 10 actors, 7 emotions."""

    name: ClassVar[str] = "emodb"
    language: ClassVar[str] = "de"
    licence: ClassVar[str] = "CC BY 4.0 (Zenodo record; its own tables say CC0 1.0)"
    citation: ClassVar[str] = (
        "F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier, B. Weiss: A Database of German Emotional Speech. "
        "Interspeech 2005. doi:10.21437/Interspeech.2005-446"
    )
    homepage: ClassVar[str] = "http://emodb.bilderbar.info"
    how_to_get: ClassVar[str] = (
        "download http://emodb.bilderbar.info/download/download.zip; the folder holds wav/ with 535 files"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            535,
            10,
            {
                "anger": 127,
                "boredom": 81,
                "disgust": 46,
                "fear": 69,
                "happiness": 71,
                "neutral": 79,
                "sadness": 62,
            },
            sound=PublishedSound(0.413, 1.226, 8.978, (16_000,)),
        )
    }
    # Version 1.3.0 of audEERING: emodb/wav/ with the same 535 files, and tables that are not needed.
    downloads: ClassVar[tuple[Download, ...]] = (
        Download("https://zenodo.org/records/7447302/files/emodb.zip", "md5:9d21362dbc5676ef3ab4745d83ced0db"),
    )

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are the official file names, for example `03a01Fa`.

        The recordings themselves are the list: `erkennung.txt` of the official archive also lists takes that were
        rejected after the listening test and never published.
        """
        return listed_once(
            self.name,
            [
                Utterance(
                    id=match[0],
                    file=file,
                    speaker=match["speaker"],
                    gender=GENDERS[match["speaker"]],
                    language="de",
                    labels={"emotion": EMOTIONS[match["letter"]]},
                    extra={"sentence": match["sentence"], "take": match["take"], "style": "scripted"},
                )
                for file, match in matched_files(self.name, root, PATTERN, "03a01Fa.wav")
            ],
            root,
        )

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Speakers that are missing; the naming does not tell which takes were published."""
        here = {utterance.speaker for utterance in utterances}
        absent = [speaker for speaker in GENDERS if speaker not in here]
        verb = "is" if len(absent) == 1 else "are"
        return [f"{len(absent)} of {len(GENDERS)} speakers {verb} missing: {some(absent, NAMED)}"] if absent else []
