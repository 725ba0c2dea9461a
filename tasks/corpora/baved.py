"""BAVED: Arabic words spoken at three levels of emotion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.types import CorpusCounts, Utterance

# The documentation: low as when tired, neutral as in daily speech, high as in joy, sadness or anger.
LEVELS = {"0": "low", "1": "neutral", "2": "high"}
# Speaker, gender, age, word, level, number of the recording: 46-m-20-0-1-157.
PATTERN = re.compile(
    r"(?P<speaker>\d+)-(?P<gender>[mf])-(?P<age>\d+)-(?P<word>[0-6])-(?P<level>[0-2])-(?P<recording>\d+)"
)


class Baved(Corpus):
    """BAVED: 1935 Arabic words, 60 speakers, 3 levels of emotion."""

    name: ClassVar[str] = "baved"
    language: ClassVar[str] = "ar"
    licence: ClassVar[str] = "none stated; free to download"
    citation: ClassVar[str] = (
        "Basic Arabic Vocal Emotions Dataset (BAVED). https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset"
    )
    homepage: ClassVar[str] = "https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset"
    how_to_get: ClassVar[str] = (
        "clone https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset; the folder holds 0 to 6, one for each "
        "word"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(1935, 60, {"low": 585, "neutral": 672, "high": 678})
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are the official file names, for example `46-m-20-0-1-157`.

        The documentation counts 61 speakers, the names hold 60. The speakers 46 and 53 share 21 recordings, byte for
        byte: count them as one. The speakers 39 and 100, 41 and 102, 42 and 103 (39-f-6 and 100-f-6, 41-f-40 and
        102-f-40, 42-f-22 and 103-f-22) have the same sex and age, in the same order: each two may be one person.
        """
        return listed_once(
            self.name,
            [
                Utterance(
                    id=match[0],
                    file=file,
                    speaker=match["speaker"],
                    gender={"m": "male", "f": "female"}[match["gender"]],
                    language="ar",
                    labels={"emotion": LEVELS[match["level"]]},
                    extra={
                        "sentence": match["word"],
                        "age": float(match["age"]),
                        "take": match["recording"],
                        "style": "scripted",
                    },
                )
                for file, match in matched_files(self.name, root, PATTERN, "0/46-m-20-0-1-157.wav")
            ],
            root,
        )
