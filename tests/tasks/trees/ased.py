"""A made ASED: the recordings that its judges kept, one of them with an upper-case letter."""

from __future__ import annotations

import itertools
from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

CLASSES = {"01Neutral": 522, "02Fearful": 510, "03Happy": 486, "04Sad": 470, "05Angry": 486}
SPEAKERS, FEMALE = 65, 25
UPPER = "05Angry/A5-03-01-02-50.wav"


def write(root: Path) -> Path:
    """Write all 2474 recordings."""
    seed = 0
    for folder, total in CLASSES.items():
        start = f"{folder[2].lower()}{int(folder[:2])}"
        everything = itertools.product(range(1, 3), range(1, 8), range(1, SPEAKERS + 1))
        for take, sentence, speaker in itertools.islice(everything, total):
            gender = "01" if speaker <= FEMALE else "02"
            name = f"{folder}/{start}-{sentence:02d}-{take:02d}-{gender}-{speaker:02d}.wav"
            write_wav(root / (UPPER if name.lower() == UPPER.lower() else name), seed)
            seed += 1
    add_junk(root, "01Neutral/n1-01-01-01-01.wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="a5-03-01-02-50",
        file="05Angry/A5-03-01-02-50.wav",
        speaker="50",
        gender="male",
        language="am",
        labels={"emotion": "angry"},
        extra={"sentence": None, "prompt": "a5-03", "take": "01", "style": "scripted"},
    ),
    speakers=65,
    women=25,
    strangers=("05Angry/stranger_01.wav",),
    again="05Angry/again/A5-03-01-02-50.wav",
)
