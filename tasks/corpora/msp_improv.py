"""MSP-IMPROV (Busso et al. 2017): 8438 turns of twelve actors in pairs, improvised, natural and read."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import as_stored, listed_once
from benchmark.errors import BenchError, MissingError
from benchmark.types import CorpusCounts, Utterance

# The release misspells its own file.
LABEL_FILES = ("Evaluation.txt", "Evalution.txt")
LABELS = {"A": "angry", "H": "happy", "S": "sad", "N": "neutral", "O": "other", "X": "undecided"}
STYLES = {"P": "natural", "R": "read", "S": "improvised", "T": "target improvised"}
DIMENSIONS = {"A": "arousal", "V": "valence", "D": "dominance"}
VALUE = r"\s*(?P<{}>\d+(?:\.\d+)?|nan)\s*;"
VALUES = "".join(rf"\s*{letter}:" + VALUE.format(name) for letter, name in DIMENSIONS.items())
# UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.333; V:3.0; D:2.666 ; N:3.2; (the last is naturalness)
CONSENSUS = re.compile(rf"UTD-IMPROV-(?P<name>[\w-]+)\.avi\s*;\s*(?P<code>\w)\s*;{VALUES}.*", re.IGNORECASE)
# WORKER; Sad; Sad,Frustrated; A:2.0; V:2.0; D:3.0; N:4.0; (the one class that fits best, then all that fit)
EVALUATION = re.compile(rf"[^;]+;\s*(?P<label>[^;]+?)\s*;[^;]*;{VALUES}.*", re.IGNORECASE)
# Scene (sentence and target emotion), talker, style, who says the sentence of the scene to whom, number.
NAME = re.compile(
    r"(?P<scene>S(?P<sentence>\d\d)(?P<target>[AHSN]))-(?P<talker>(?P<gender>[FM])0(?P<session>[1-6]))-"
    r"(?P<style>[PRST])-(?P<pair>[FM]{2})(?P<number>\d{2,3})"
)

# Turns of each session: angry, happy, neutral, sad.
FOUR_CLASSES = {
    "session1": (128, 181, 502, 105),
    "session2": (121, 401, 692, 115),
    "session3": (142, 577, 771, 132),
    "session4": (76, 424, 440, 111),
    "session5": (165, 581, 506, 156),
    "session6": (160, 480, 566, 266),
}


@dataclass
class _Entry:
    """One turn of the label file, with the class that each evaluator gave."""

    name: str
    label: str
    dimensions: Mapping[str, float]
    evaluations: list[str] = field(default_factory=list)

    @property
    def agreement(self) -> str | None:
        """How far the evaluators agree; None where none is listed."""
        if self.label == "undecided":
            return "none"
        if not self.evaluations:
            return None
        return "full" if set(self.evaluations) == {self.label} else "majority"


class MSPImprov(Corpus):
    """MSP-IMPROV: 8438 turns of 12 actors in 6 sessions, improvised, natural and read, 4 emotions and 3 dimensions."""

    name: ClassVar[str] = "msp-improv"
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = "academic licence of the University of Texas at Dallas, by request"
    citation: ClassVar[str] = (
        "C. Busso, S. Parthasarathy, A. Burmania, M. AbdelWahab, N. Sadoughi, E. Mower Provost: MSP-IMPROV: An Acted "
        "Corpus of Dyadic Interactions to Study Emotion Perception. IEEE Transactions on Affective Computing 8(1), "
        "2017. doi:10.1109/TAFFC.2016.2515617"
    )
    homepage: ClassVar[str] = "https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Improv.html"
    how_to_get: ClassVar[str] = (
        "request it at https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Improv.html; the folder holds "
        "Evaluation.txt (or Evalution.txt, as released) and session1 to session6, which may be in Audio"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(
            utterances=8438,
            speakers=12,
            per_class={"angry": 792, "happy": 2644, "sad": 885, "neutral": 3477, "other": 85, "undecided": 555},
        )
    }
    scales: ClassVar[Mapping[str, tuple[float, float]]] = {"arousal": (1, 5), "valence": (1, 5), "dominance": (1, 5)}

    def scan(self, root: Path) -> list[Utterance]:
        """List every turn of the label file; ids are the names of the recordings, `MSP-IMPROV-S01A-F01-P-FM01`.

        Every scene is made for a sentence and an emotion (`target`, which need not be the one perceived). `style` is
        "target improvised" for the sentence said in its improvisation, "improvised" for what is said around it,
        "natural" for what the actors say between improvisations, and "read"; `sentence` is known of the first and the
        last. `number` counts the turns of this talker and style in the dialogue: the names do not tell which talker
        spoke first. `agreement` is "full" where every evaluator's one class is the consensus. A dimension that nobody
        rated is left out.

        Raises:
            MissingError: There is no label file.
            BenchError: A line of it names no turn of the corpus.
        """
        path = next((root / name for name in LABEL_FILES if (root / name).is_file()), None)
        if path is None:
            raise MissingError(f"corpus msp-improv has no {' or '.join(LABEL_FILES)} in {root}", self.how_to_get)
        prefix = "Audio/" if (root / "Audio").is_dir() else ""
        return listed_once(self.name, [_utterance(root, entry, prefix) for entry in _entries(path)], root)

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Sessions that lack turns, or have too many, of the four emotions."""
        found = Counter((utterance.session, utterance.labels["emotion"]) for utterance in utterances)
        problems = []
        for session, counts in FOUR_CLASSES.items():
            for label, number in zip(("angry", "happy", "neutral", "sad"), counts, strict=True):
                if found[session, label] != number:
                    problems.append(f"{session} has {found[session, label]} {label} instead of {number}")
        return problems


def _utterance(root: Path, entry: _Entry, prefix: str) -> Utterance:
    match = NAME.fullmatch(entry.name)
    if match is None:
        raise BenchError(
            f"corpus msp-improv: the label file lists the turn {entry.name!r}",
            "turns are named SENTENCE-TALKER-STYLE-PAIRnumber, for example S01A-F01-P-FM01",
        )
    style = match["style"]
    # The target sentence is said in the midst of its improvisation; what is read is said to nobody.
    talk = {"R": None, "P": "P", "S": "S", "T": "S"}[style]
    scene, session = match["scene"], f"session{match['session']}"
    return Utterance(
        id=f"MSP-IMPROV-{entry.name}",
        file=as_stored(root, f"{prefix}{session}/{scene}/{style}/MSP-IMPROV-{entry.name}.wav"),
        speaker=match["talker"],
        session=session,
        gender={"F": "female", "M": "male"}[match["gender"]],
        language="en",
        labels={"emotion": entry.label, **entry.dimensions},
        extra={
            "dialogue": None if talk is None else f"{session}-{scene}-{talk}-{match['pair']}",
            "number": float(match["number"]),
            "scene": match["scene"],
            "sentence": match["sentence"] if style in "RT" else None,
            "target": LABELS[match["target"]],
            "style": STYLES[style],
            "agreement": entry.agreement,
        },
    )


def _entries(path: Path) -> list[_Entry]:
    entries: list[_Entry] = []
    # Names of evaluators are free text, in whatever code page; all that is parsed is ASCII.
    for number, raw in enumerate(path.read_text(encoding="latin-1").split("\n"), start=1):
        line = raw.strip()
        if "IMPROV-" in line.partition(";")[0]:
            match = CONSENSUS.fullmatch(line)
            if match is None or match["code"] not in LABELS:
                raise BenchError(
                    f"corpus msp-improv: {path.name}, line {number} is {line!r}",
                    "a turn is UTD-IMPROV-NAME.avi; CODE; A:value; V:value; D:value; ...; codes are "
                    + ", ".join(LABELS),
                )
            entries.append(_Entry(match["name"], LABELS[match["code"]], _dimensions(match)))
        elif entries and (match := EVALUATION.fullmatch(line)):
            entries[-1].evaluations.append(match["label"].lower())
    return entries


def _dimensions(match: re.Match[str]) -> dict[str, float]:
    values = {name: float(match[name]) for name in DIMENSIONS.values()}
    return {name: value for name, value in values.items() if math.isfinite(value)}
