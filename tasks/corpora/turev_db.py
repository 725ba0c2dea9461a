"""TurEV-DB (Canpolat et al. 2020): Turkish words acted by six speakers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.errors import BenchError
from benchmark.types import CorpusCounts, Utterance

RECORDINGS = "Sound Source"
EMOTIONS = ("Angry", "Calm", "Happy", "Sad")
# Speaker, two letters of the Turkish word for the emotion (kz, sk, mt, hl), word: 1234_kz_acik.
PATTERN = re.compile(r"(?P<speaker>\d{4})_(?:kz|sk|mt|hl)_(?P<word>\w+)")


class TurevDB(Corpus):
    """TurEV-DB: 1735 acted Turkish words, 6 speakers, 4 emotions."""

    name: ClassVar[str] = "turev-db"
    language: ClassVar[str] = "tr"
    licence: ClassVar[str] = "CC BY-NC-ND 4.0"
    citation: ClassVar[str] = (
        "S. F. Canpolat, Z. Ormanoğlu, D. Zeyrek: Turkish Emotion Voice Database (TurEV-DB). SLTU-CCURL 2020"
    )
    homepage: ClassVar[str] = "https://github.com/Xeonen/TurEV-DB"
    how_to_get: ClassVar[str] = (
        "clone https://github.com/Xeonen/TurEV-DB (of GitHub's ZIP, give the folder TurEV-DB-master itself); the "
        f"folder holds {RECORDINGS!r} with Angry, Calm, Happy and Sad"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(1735, 6, {"angry": 487, "calm": 408, "happy": 357, "sad": 483})
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are emotion and file name, for example `Angry/1234_kz_acik`.

        The folder tells the emotion. Only the four folders of `Sound Source`, or of the given folder itself, are read:
        the repository holds other recordings and pictures, which are not of the corpus.
        """
        base = root / RECORDINGS if (root / RECORDINGS).is_dir() else root
        utterances = []
        for emotion in EMOTIONS:
            folder = base / emotion
            if not folder.is_dir():
                raise BenchError(f"corpus turev-db has no folder {emotion!r} in {base}", self.how_to_get)
            for file, match in matched_files(self.name, folder, PATTERN, f"{emotion}/1234_kz_acik.wav"):
                utterances.append(
                    Utterance(
                        id=f"{emotion}/{match[0]}",
                        file=(folder.relative_to(root) / file).as_posix(),
                        speaker=match["speaker"],
                        language="tr",
                        labels={"emotion": emotion.lower()},
                        extra={"sentence": match["word"], "style": "scripted"},
                    )
                )
        return listed_once(self.name, utterances, root)
