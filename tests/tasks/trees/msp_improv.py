"""A complete MSP-IMPROV in the official layout: 8438 turns with the counts of the corpus, invented all through."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected

from benchmark.types import Utterance

# Turns of each session: angry, happy, sad, neutral, other, undecided.
PER_SESSION = {
    1: {"A": 128, "H": 181, "S": 105, "N": 502, "O": 14, "X": 92},
    2: {"A": 121, "H": 401, "S": 115, "N": 692, "O": 14, "X": 92},
    3: {"A": 142, "H": 577, "S": 132, "N": 771, "O": 14, "X": 93},
    4: {"A": 76, "H": 424, "S": 111, "N": 440, "O": 14, "X": 93},
    5: {"A": 165, "H": 581, "S": 156, "N": 506, "O": 14, "X": 92},
    6: {"A": 160, "H": 480, "S": 266, "N": 566, "O": 15, "X": 93},
}
WORDS = {"A": "Angry", "H": "Happy", "S": "Sad", "N": "Neutral", "O": "Other"}
SENTENCES = 15


def write(root: Path, *, audio: bool = True, labels: str = "Evalution.txt", folder: str = "") -> Path:
    """Write the corpus; the label file is misspelt in the release, and `folder` may be "Audio"."""
    draw = random.Random(0)
    lines: list[str] = []
    seed = 0
    for session, counts in PER_SESSION.items():
        codes = [code for code, count in counts.items() for _ in range(count)]
        draw.shuffle(codes)
        for name, code in zip(_names(session), codes, strict=False):
            lines += _entry(name, code, draw)
            if audio:
                scene, _, style, _ = name.split("-")
                path = root / folder / f"session{session}" / scene / style / f"MSP-IMPROV-{name}.wav"
                write_wav(path, seed, rate=44_100)
            seed += 1
    root.mkdir(parents=True, exist_ok=True)
    if folder:
        (root / folder).mkdir(exist_ok=True)
    (root / labels).write_bytes("\r\n".join(lines).encode("latin-1"))
    return root


def _names(session: int) -> Iterator[str]:
    """Names in the corpus's pattern, as many as are asked for: read and target sentences once, then the talk."""
    scenes = [f"S{sentence:02d}{target}" for sentence in range(1, SENTENCES + 1) for target in "AHSN"]
    talkers = (f"F0{session}", f"M0{session}")
    for scene in scenes:
        for talker, other in (talkers, talkers[::-1]):
            yield f"{scene}-{talker}-R-{talker[0] * 2}01"
            yield f"{scene}-{talker}-T-{talker[0]}{other[0]}01"
    for number in range(1, 100):
        for scene in scenes:
            for pair in ("FM", "MF"):
                for talker in talkers:
                    yield f"{scene}-{talker}-S-{pair}{number:02d}"
                    yield f"{scene}-{talker}-P-{pair}{number:02d}"


def _entry(name: str, code: str, draw: random.Random) -> list[str]:
    arousal, valence, dominance = (draw.choice((1.2, 2.333333, 3.0, 4.6)) for _ in range(3))
    # What is read has no rating of naturalness; a blank stands before some semicolons.
    natural = "NaN" if "-R-" in name else "3.2"
    lines = [f"UTD-IMPROV-{name}.avi; {code}; A:{arousal:f}; V:{valence:f}; D:{dominance:f} ; N:{natural};"]
    if code == "X":
        given = ["Angry", "Happy", "Neutral"]
    else:
        own, other = WORDS[code], draw.choice([word for word in WORDS.values() if word != WORDS[code]])
        given = draw.choice(([own, own, own], [own, own, other]))
    lines += [
        f"WORKER\xe9{i:02d}; {label}; {label},Frustrated; A:2.000000; V:3.000000; D:3.000000; N:{natural};"
        for i, label in enumerate(given)
    ]
    return [*lines, ""]


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="MSP-IMPROV-S01A-F03-S-MF01",
        file="session3/S01A/S/MSP-IMPROV-S01A-F03-S-MF01.wav",
        speaker="F03",
        session="session3",
        gender="female",
        language="en",
        labels={"emotion": "neutral", "arousal": 3.0, "valence": 2.333333, "dominance": 3.0},
        extra={
            "dialogue": "session3-S01A-S-MF",
            "number": 1.0,
            "scene": "S01A",
            "sentence": None,
            "target": "angry",
            "style": "improvised",
            "agreement": "majority",
        },
    ),
    speakers=12,
    women=6,
    options={"audio": False},
)
