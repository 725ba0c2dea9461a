"""A made TurEV-DB: words in four folders, beside files of the repository that are not of the corpus."""

from __future__ import annotations

import itertools
from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

# Number of recordings and the letters of the Turkish word for the emotion.
CLASSES = {"Angry": (487, "kz"), "Calm": (408, "sk"), "Happy": (357, "mt"), "Sad": (483, "hl")}
SPEAKERS = ("1157", "1234", "1358", "1984", "6783", "7895")
WORDS = [f"word{number:02d}" for number in range(83)]
BASE = "Sound Source"


def write(root: Path) -> Path:
    """Write all 1735 recordings; the first speaker is never calm."""
    seed = 0
    for emotion, (total, letters) in CLASSES.items():
        speakers = SPEAKERS[1:] if emotion == "Calm" else SPEAKERS
        for word, speaker in itertools.islice(itertools.product(WORDS, speakers), total):
            write_wav(root / BASE / emotion / f"{speaker}_{letters}_{word}.wav", seed, rate=44_100)
            seed += 1
    write_wav(root / "Test Data/plain/Angry/1157_kz_word00.wav", seed)
    write_wav(root / BASE / "noise sample.wav", seed)
    (root / BASE / "Angry/1157_kz_word00.jpg").write_bytes(b"\xff\xd8")
    add_junk(root, f"{BASE}/Sad/1157_hl_word00.wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="Calm/1234_sk_word02",
        file="Sound Source/Calm/1234_sk_word02.wav",
        speaker="1234",
        language="tr",
        labels={"emotion": "calm"},
        extra={"sentence": "word02", "style": "scripted"},
    ),
    speakers=6,
    women=0,
    strangers=("Sound Source/Calm/stranger_01.wav",),
    again="Sound Source/Calm/again/1234_sk_word02.wav",
    folders=tuple(f"{BASE}/{folder}" for folder in CLASSES),
)
