"""ShEMO (Mohamad Nezami et al. 2019): Persian utterances from radio plays, labelled by twelve listeners."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.types import CorpusCounts, Utterance

EMOTIONS = {"A": "anger", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness", "W": "surprise"}
# Speaker (gender and number), letter and number of the emotion: F14A09.
PATTERN = re.compile(rf"(?P<speaker>(?P<gender>[MF])\d\d)(?P<letter>[{''.join(EMOTIONS)}])\d{{2,3}}")


class Shemo(Corpus):
    """ShEMO: 3000 Persian utterances from radio plays, 87 speakers, 6 emotions."""

    name: ClassVar[str] = "shemo"
    language: ClassVar[str] = "fa"
    licence: ClassVar[str] = "free of charge for academic use"
    citation: ClassVar[str] = (
        "O. Mohamad Nezami, P. Jamshid Lou, M. Karami: ShEMO: a large-scale validated database for Persian speech "
        "emotion detection. Language Resources and Evaluation 53, 2019. DOI 10.1007/s10579-018-9427-x"
    )
    homepage: ClassVar[str] = "https://github.com/mansourehk/ShEMO"
    how_to_get: ClassVar[str] = (
        "unpack male.zip and female.zip of https://github.com/mansourehk/ShEMO; the folder holds male and female"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            3000,
            87,
            {"anger": 1059, "fear": 38, "happiness": 201, "neutral": 1028, "sadness": 449, "surprise": 225},
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are the official file names, for example `F14A09`."""
        return listed_once(
            self.name,
            [
                Utterance(
                    id=match[0],
                    file=file,
                    speaker=match["speaker"],
                    gender={"M": "male", "F": "female"}[match["gender"]],
                    language="fa",
                    labels={"emotion": EMOTIONS[match["letter"]]},
                    extra={"style": "scripted"},
                )
                for file, match in matched_files(self.name, root, PATTERN, "male/M01A01.wav")
            ],
            root,
        )
