"""A made ShEMO: 87 speakers in two folders, with the official numbers of each emotion."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from trees.audio import write_wav
from trees.dealing import spread
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

CLASSES = {"A": 1059, "F": 38, "H": 201, "N": 1028, "S": 449, "W": 225}
SPEAKERS = [f"F{number:02d}" for number in range(1, 32)] + [f"M{number:02d}" for number in range(1, 57)]


def write(root: Path) -> Path:
    """Write all 3000 recordings; each emotion goes round the speakers."""
    said: Counter[str] = Counter()
    for seed, letter in enumerate(spread(CLASSES)):
        speaker = SPEAKERS[said[letter] % len(SPEAKERS)]
        number = said[letter] // len(SPEAKERS) + 1
        said[letter] += 1
        folder = "female" if speaker.startswith("F") else "male"
        write_wav(root / folder / f"{speaker}{letter}{number:02d}.wav", seed, rate=44_100)
    add_junk(root, "female/F01A01.wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="M02F01",
        file="male/M02F01.wav",
        speaker="M02",
        gender="male",
        language="fa",
        labels={"emotion": "fear"},
        extra={"style": "scripted"},
    ),
    speakers=87,
    women=31,
    strangers=("male/stranger_01.wav",),
    again="male/again/M02F01.wav",
)
