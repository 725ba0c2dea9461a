"""nEMO (Christop 2024): ninety Polish sentences acted by nine speakers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.errors import BenchError, MissingError
from benchmark.types import CorpusCounts, PublishedSound, Utterance
from tasks.corpora.tables import Row, read_rows

INDEX, SAMPLES = "data.tsv", "samples"
EMOTIONS = ("anger", "fear", "happiness", "neutral", "sadness", "surprised")
# Speaker, emotion, sentence: EB0_anger_1.
PATTERN = re.compile(rf"(?P<speaker>[A-Z]{{2}}\d)_(?P<emotion>{'|'.join(EMOTIONS)})_(?P<sentence>\d+)")


class Nemo(Corpus):
    """nEMO: 4481 Polish utterances, 9 actors, 90 sentences, 6 emotions."""

    name: ClassVar[str] = "nemo"
    language: ClassVar[str] = "pl"
    licence: ClassVar[str] = "CC BY-NC-SA 4.0"
    citation: ClassVar[str] = (
        "I. Christop: nEMO: Dataset of Emotional Speech in Polish. LREC-COLING 2024. arXiv:2404.06292"
    )
    homepage: ClassVar[str] = "https://github.com/amu-cai/nEMO"
    how_to_get: ClassVar[str] = (
        "clone https://github.com/amu-cai/nEMO (of GitHub's ZIP, give the folder in it); the folder holds "
        f"{INDEX} and the folder {SAMPLES}"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            4481,
            9,
            {"anger": 749, "fear": 736, "happiness": 749, "neutral": 809, "sadness": 769, "surprised": 669},
            sound=PublishedSound(3.073, 0.867, 5.655, (24_000,)),
        )
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every recording; ids are the official file names, for example `EB0_anger_1`.

        The names tell speaker, emotion and sentence, `data.tsv` the rest.

        Raises:
            MissingError: There is no `data.tsv`.
            BenchError: A recording is not in it, or is there with another emotion, or a name is not of the corpus.
        """
        rows = self._rows(root)
        utterances = []
        for file, match in matched_files(self.name, root / SAMPLES, PATTERN, "samples/EB0_anger_1.wav"):
            row = rows.get(match[0])
            if row is None or row["emotion"] != match["emotion"]:
                raise BenchError(f"corpus nemo: {INDEX} does not list {SAMPLES}/{file} as its name says")
            utterances.append(
                Utterance(
                    id=match[0],
                    file=f"{SAMPLES}/{file}",
                    speaker=match["speaker"],
                    gender=row["gender"],
                    language="pl",
                    labels={"emotion": match["emotion"]},
                    extra={
                        "sentence": match["sentence"],
                        "text": row["raw_text"],
                        "age": row["age"],
                        "style": "scripted",
                    },
                )
            )
        return listed_once(self.name, utterances, root)

    def _rows(self, root: Path) -> dict[str, Row]:
        """The rows of `data.tsv` by the name of the recording."""
        path = root / INDEX
        if not path.is_file():
            raise MissingError(f"there is no {INDEX} in {root}", self.how_to_get)
        columns = ("file_id", "emotion", "raw_text", "gender", "age")
        rows = read_rows(self.name, path, columns, delimiter="\t", quoted=False)
        return {row["file_id"].removesuffix(".wav"): row for row in rows}
