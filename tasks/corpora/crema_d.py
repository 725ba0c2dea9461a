"""CREMA-D (Cao et al. 2014): twelve English sentences acted by 91 speakers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.errors import BenchError
from benchmark.text import some
from benchmark.types import CorpusCounts, PublishedSound, Utterance
from tasks.corpora.gaps import NAMED
from tasks.corpora.tables import read_rows

EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
# Only the sentence IEO was asked for at three levels.
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
SENTENCES = ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
ACTORS = tuple(str(number) for number in range(1001, 1092))
# Female or male, actor after actor: VideoDemographics.csv of the repository, which re-packagings leave out.
GENDERS = dict(
    zip(
        ACTORS,
        "MFFFMFFFFFMFFMMMMFMFFMMFFMMFFFMMMMMMFMMMMMFMMFFMFMMFFFFFMFMFFMFMMMMMMMMFFFFFMFFMMFMFMMMMFMF",
        strict=True,
    )
)
# What listeners heard, one column for each emotion; re-packagings leave it out.
VOTES = "processedResults/tabulatedVotes.csv"
VOTE_COLUMNS = "ADFHNS"
# One file was published as 1040_ITH_SAD_X.wav and renamed to XX in 2022.
PATTERN = re.compile(
    rf"(?P<speaker>{'|'.join(ACTORS)})_(?P<sentence>{'|'.join(SENTENCES)})_(?P<emotion>{'|'.join(EMOTIONS)})"
    rf"_(?P<level>LO|MD|HI|XX?)"
)


class CremaD(Corpus):
    """CREMA-D: 7442 English utterances, 91 actors, 6 emotions."""

    name: ClassVar[str] = "crema-d"
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = "ODbL 1.0"
    citation: ClassVar[str] = (
        "H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova, R. Verma: CREMA-D: Crowd-Sourced Emotional "
        "Multimodal Actors Dataset. IEEE Transactions on Affective Computing 5(4), 2014. "
        "doi:10.1109/TAFFC.2014.2336244"
    )
    homepage: ClassVar[str] = "https://github.com/CheyneyComputerScience/CREMA-D"
    how_to_get: ClassVar[str] = (
        "clone https://github.com/CheyneyComputerScience/CREMA-D with git-lfs (without it the files are texts of three "
        "lines); the folder holds AudioWAV with 7442 files"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            7442,
            91,
            {"anger": 1271, "disgust": 1271, "fear": 1271, "happy": 1271, "neutral": 1087, "sad": 1271},
            sound=PublishedSound(5.257, 1.268, 5.005, (16_000,)),
        )
    }

    published_broken: ClassVar[Mapping[str, str]] = {"1076_MTI_SAD_XX": "the published file holds no audio"}

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are the official file names, for example `1001_DFA_ANG_XX`.

        The emotion is the one the actor was asked for; what listeners heard is another label, which is not read here.
        `agreement` is how far those who had the sound alone agree with one another, whatever they heard: "full" where
        all of them heard one emotion, "majority" where one was heard most, "none" where several were; None without
        the repository's table of votes.
        """
        agreement = self._agreement(root / VOTES)
        utterances = []
        for file, match in matched_files(self.name, root, PATTERN, "1001_DFA_ANG_XX.wav"):
            speaker, sentence, emotion = match["speaker"], match["sentence"], match["emotion"]
            level = "XX" if match["level"] == "X" else match["level"]
            name = f"{speaker}_{sentence}_{emotion}_{level}"
            utterances.append(
                Utterance(
                    id=name,
                    file=file,
                    speaker=speaker,
                    gender="female" if GENDERS[speaker] == "F" else "male",
                    language="en",
                    labels={"emotion": EMOTIONS[emotion]},
                    extra={
                        "sentence": sentence,
                        "intensity": LEVELS[level],
                        "style": "scripted",
                        "agreement": agreement.get(name),
                    },
                )
            )
        return listed_once(self.name, utterances, root)

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Actors that are missing; of some others a take was never published, which the naming does not tell."""
        here = {utterance.speaker for utterance in utterances}
        absent = [actor for actor in ACTORS if actor not in here]
        verb = "is" if len(absent) == 1 else "are"
        return [f"{len(absent)} of {len(ACTORS)} actors {verb} missing: {some(absent, NAMED)}"] if absent else []

    def _agreement(self, path: Path) -> dict[str, str]:
        """How far listeners agree, by utterance id; nothing where there is no table of votes."""
        if not path.is_file():
            return {}
        agreement = {}
        for row in read_rows(self.name, path, ("", "fileName", *VOTE_COLUMNS)):
            # The key is 100000 for the sound alone, 200000 for the face alone or 300000 for both, plus the clip.
            if not row[""].startswith("1"):
                continue
            try:
                votes = [int(row[column]) for column in VOTE_COLUMNS]
            except ValueError as error:
                raise BenchError(f"{row.where}: a number of votes is none: {error}") from error
            name = row["fileName"] + ("X" if row["fileName"].endswith("_X") else "")
            one = "full" if max(votes) == sum(votes) else "majority"
            agreement[name] = one if votes.count(max(votes)) == 1 else "none"
        return agreement
