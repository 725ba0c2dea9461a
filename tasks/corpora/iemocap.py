"""IEMOCAP (Busso et al. 2008): 10039 utterances of ten actors in pairs, scripted and improvised, eleven labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import as_stored, listed_once
from benchmark.errors import BenchError, MissingError
from benchmark.types import CorpusCounts, Utterance

SESSIONS = ("Session1", "Session2", "Session3", "Session4", "Session5")
# The folder that the archive unpacks to; either it or what is in it may be the root.
RELEASE = "IEMOCAP_full_release"

LABELS = {
    "ang": "angry",
    "hap": "happy",
    "exc": "excited",
    "sad": "sad",
    "neu": "neutral",
    "fru": "frustrated",
    "fea": "fearful",
    "sur": "surprised",
    "dis": "disgusted",
    "oth": "other",
    "xxx": "undecided",
}
# What the annotators' lines call the same.
CATEGORIES = {
    "anger": "angry",
    "happiness": "happy",
    "excited": "excited",
    "sadness": "sad",
    "neutral": "neutral",
    "neutral state": "neutral",
    "frustration": "frustrated",
    "fear": "fearful",
    "surprise": "surprised",
    "disgust": "disgusted",
    "other": "other",
}
# [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]: valence, activation, dominance
LINE = re.compile(
    r"\[(?P<start>\d+\.\d+) - (?P<end>\d+\.\d+)\]\s+(?P<id>\w+)\s+(?P<code>[a-z]{3})\s+"
    r"\[(?P<valence>\d+\.\d+), (?P<arousal>\d+\.\d+), (?P<dominance>\d+\.\d+)\]\s*"
)
# C-E2:	Anger; Frustration;	(free text): an external evaluator. C-F1 and C-M1 are the actors on themselves.
EVALUATOR = re.compile(r"C-E\d+:(?P<categories>[^(]*)")
NAME = re.compile(r"(?P<dialogue>Ses0(?P<session>[1-5])[FM]_(?P<style>impro|script)\w+)_(?P<talker>[FM])\w+")
# Ses01F_impro01_F000 [006.2901-008.2357]: what was said
SPOKEN = re.compile(r"(?P<id>\w+) \[[\d.]+-[\d.]+\]:(?P<text>.*)")

# Utterances of the four usual classes in each session: angry, happy or excited, neutral, sad.
FOUR_CLASSES = {
    "Session1": (229, 278, 384, 194),
    "Session2": (137, 327, 362, 197),
    "Session3": (240, 286, 320, 305),
    "Session4": (327, 303, 258, 143),
    "Session5": (170, 442, 384, 245),
}


@dataclass
class _Entry:
    """One utterance of a label file, with the categories that each external evaluator gave."""

    id: str
    start: float
    end: float
    label: str
    dimensions: Mapping[str, float]
    evaluations: list[frozenset[str]] = field(default_factory=list)

    @property
    def agreement(self) -> str | None:
        """How far the external evaluators agree; None where none is listed."""
        if self.label == "undecided":
            return "none"
        if not self.evaluations:
            return None
        is_full = all(categories == {self.label} for categories in self.evaluations)
        return "full" if is_full else "majority"


class IEMOCAP(Corpus):
    """IEMOCAP: 10039 utterances of 10 actors in pairs, scripted and improvised, 11 labels and 3 dimensions."""

    name: ClassVar[str] = "iemocap"
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = "academic licence of the University of Southern California, by request"
    citation: ClassVar[str] = (
        "C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N. Chang, S. Lee, S. S. Narayanan: "
        "IEMOCAP: Interactive emotional dyadic motion capture database. Language Resources and Evaluation 42(4), 2008. "
        "doi:10.1007/s10579-008-9076-6"
    )
    homepage: ClassVar[str] = "https://sail.usc.edu/iemocap/"
    how_to_get: ClassVar[str] = (
        "request it at https://sail.usc.edu/iemocap/iemocap_release.htm; the folder holds Session1 to Session5, each "
        "with dialog/EmoEvaluation and sentences/wav"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            utterances=10039,
            speakers=10,
            per_class={
                "angry": 1103,
                "happy": 595,
                "excited": 1041,
                "sad": 1084,
                "neutral": 1708,
                "frustrated": 1849,
                "fearful": 40,
                "surprised": 107,
                "disgusted": 2,
                "other": 3,
                "undecided": 2507,
            },
        )
    }
    scales: ClassVar[Mapping[str, tuple[float, float]]] = {"arousal": (1, 5), "valence": (1, 5), "dominance": (1, 5)}

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance of the label files; ids are the corpus's own, for example `Ses01F_impro01_F000`.

        The speaker is the one who talks (`Ses01F` or `Ses01M`), which the last part of the id tells, and not the one
        whose movements were captured, which the first part does. `agreement` is "full" where every external evaluator
        gives the consensus and no second class; the actors' judgement of themselves does not count. `turn` numbers the
        utterances of a dialogue from 1, by their start.

        Raises:
            MissingError: There is no session.
            BenchError: A session has no label files, or a line of them is none.
        """
        base = root / RELEASE if (root / RELEASE).is_dir() else root
        utterances = []
        for session in SESSIONS:
            if not (base / session).is_dir():
                continue
            folder = base / session / "dialog" / "EmoEvaluation"
            files = sorted(path for path in folder.glob("*.txt") if not path.name.startswith("."))
            if not files:
                raise BenchError(f"corpus iemocap has no label files in {folder}", self.how_to_get)
            for path in files:
                utterances += _dialogue(root, path, session, "" if base == root else f"{RELEASE}/")
        if not utterances:
            raise MissingError(f"corpus iemocap has no session in {root}", self.how_to_get)
        return listed_once(self.name, utterances, root)

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Sessions that lack utterances, or have too many, of the four usual classes."""
        found = Counter((utterance.session, utterance.labels["emotion"]) for utterance in utterances)
        problems = []
        for session, counts in FOUR_CLASSES.items():
            if not any(one == session for one, _ in found):
                problems.append(f"{session} is missing")
                continue
            for classes, number in zip((["angry"], ["happy", "excited"], ["neutral"], ["sad"]), counts, strict=True):
                have = sum(found[session, label] for label in classes)
                if have != number:
                    problems.append(f"{session} has {have} {' or '.join(classes)} instead of {number}")
        return problems


def _dialogue(root: Path, path: Path, session: str, prefix: str) -> list[Utterance]:
    """The utterances of one label file."""
    entries = sorted(_entries(path), key=lambda entry: (entry.start, entry.end, entry.id))
    texts = _texts(path.parent.parent / "transcriptions" / path.name)
    utterances = []
    for turn, entry in enumerate(entries, start=1):
        match = NAME.fullmatch(entry.id)
        if match is None or match["dialogue"] != path.stem or f"Session{match['session']}" != session:
            raise BenchError(
                f"corpus iemocap: {session}/{path.name} lists the utterance {entry.id!r}",
                "utterances are named DIALOGUE_TALKERnumber, for example Ses01F_impro01_F000",
            )
        utterances.append(
            Utterance(
                id=entry.id,
                file=as_stored(root, f"{prefix}{session}/sentences/wav/{path.stem}/{entry.id}.wav"),
                speaker=f"Ses0{match['session']}{match['talker']}",
                session=session,
                gender={"F": "female", "M": "male"}[match["talker"]],
                language="en",
                labels={"emotion": entry.label, **entry.dimensions},
                extra={
                    "dialogue": path.stem,
                    "turn": float(turn),
                    "dialogue_start": entry.start,
                    "dialogue_end": entry.end,
                    "style": {"impro": "improvised", "script": "scripted"}[match["style"]],
                    "agreement": entry.agreement,
                    "text": texts.get(entry.id),
                },
            )
        )
    return utterances


def _entries(path: Path) -> list[_Entry]:
    entries: list[_Entry] = []
    for number, line in enumerate(_lines(path), start=1):
        if line.startswith("["):
            match = LINE.fullmatch(line)
            if match is None or match["code"] not in LABELS:
                raise BenchError(
                    f"corpus iemocap: {path.name}, line {number} is {line!r}",
                    "an utterance is [start - end] NAME code [valence, activation, dominance]; codes are "
                    + ", ".join(LABELS),
                )
            dimensions = {name: float(match[name]) for name in ("valence", "arousal", "dominance")}
            start, end = float(match["start"]), float(match["end"])
            entries.append(_Entry(match["id"], start, end, LABELS[match["code"]], dimensions))
        elif entries and (match := EVALUATOR.match(line)):
            entries[-1].evaluations.append(_categories(match["categories"]))
    return entries


def _categories(text: str) -> frozenset[str]:
    """The classes that an evaluator gave; a word that is none of the corpus's stays as it is."""
    words = [word.strip().lower() for word in text.split(";") if word.strip()]
    return frozenset(CATEGORIES.get(word, word) for word in words)


def _texts(path: Path) -> dict[str, str]:
    """What was said, by utterance id; nothing where there is no transcription."""
    if not path.is_file():
        return {}
    spoken = (SPOKEN.fullmatch(line) for line in _lines(path))
    return {match["id"]: match["text"].strip() for match in spoken if match is not None}


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file of the corpus, whose free text is now and then in an old code page.

    Only line feeds end a line: what splits lines in Unicode may be a letter of the code page.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Every byte is a character, and all that is parsed is ASCII.
        text = content.decode("latin-1")
    yield from (line.rstrip("\r") for line in text.split("\n"))
