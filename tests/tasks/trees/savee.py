"""A made SAVEE, in the official folders or as the flat re-upload."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

SPEAKERS = ("DC", "JE", "JK", "KL")
SENTENCES = {"a": 15, "d": 15, "f": 15, "h": 15, "n": 30, "sa": 15, "su": 15}


def write(root: Path, *, flat: bool = False) -> Path:
    """Write all 480 recordings, with the text file of the official archive."""
    names = [
        f"{speaker}_{code}{number:02d}.wav" if flat else f"AudioData/{speaker}/{code}{number:02d}.wav"
        for speaker in SPEAKERS
        for code, total in SENTENCES.items()
        for number in range(1, total + 1)
    ]
    for seed, name in enumerate(names):
        write_wav(root / name, seed, rate=44_100)
    add_junk(root, names[0])
    if not flat:
        (root / "AudioData/Info.txt").write_text("speakers and names\n")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="JK_sa07",
        file="AudioData/JK/sa07.wav",
        speaker="JK",
        gender="male",
        language="en",
        labels={"emotion": "sadness"},
        extra={"sentence": None, "prompt": "sa07", "style": "scripted"},
    ),
    speakers=4,
    women=0,
    strangers=("AudioData/DC/x01.wav", "AudioData/DC/XX_a01.wav"),
    again="copy/AudioData/JK/sa07.wav",
    missing={
        ("JK_", "KL_n30"): ("1 of 4 speakers is missing: JK", "1 utterance is missing of the other speakers: KL_n30")
    },
    packagings=({"flat": True},),
)
