"""A made SUBESCO: every speaker, sentence, emotion and take, in the two sample rates that occur."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

EMOTIONS = ("ANGRY", "DISGUST", "FEAR", "HAPPY", "NEUTRAL", "SAD", "SURPRISE")
FOLDER = "SUBESCO"


def write(root: Path) -> Path:
    """Write all 7000 recordings."""
    names = [
        f"{gender}_{number:02d}_NAME{number:02d}_S_{sentence}_{emotion}_{take}"
        for gender in "FM"
        for number in range(1, 11)
        for sentence in range(1, 11)
        for emotion in EMOTIONS
        for take in range(1, 6)
    ]
    # One name of the archive is like this.
    names[names.index("F_02_NAME02_S_2_SURPRISE_3")] += "]"
    for seed, name in enumerate(names):
        write_wav(root / FOLDER / f"{name}.wav", seed, seconds=0.005, rate=44_100 if seed % 9 else 48_000)
    add_junk(root, f"{FOLDER}/{names[0]}.wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="M07_10_surprise_3",
        file="SUBESCO/M_07_NAME07_S_10_SURPRISE_3.wav",
        speaker="M07",
        gender="male",
        language="bn",
        labels={"emotion": "surprise"},
        extra={"sentence": "10", "take": "3", "style": "scripted"},
    ),
    speakers=20,
    women=10,
    strangers=("SUBESCO/stranger_01.wav",),
    again="SUBESCO/again/M_07_NAME07_S_10_SURPRISE_3.wav",
    missing={
        ("F03_", "M07_10_surprise_3"): (
            "1 of 20 speakers is missing: F03",
            "1 utterance is missing of the other speakers: M07_10_surprise_3",
        )
    },
)
