"""A made TESS with invented words, flat or in the folders of the common re-upload."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

# As they are spelt there.
FOLDERS = {
    "OAF": {
        "angry": "angry",
        "disgust": "disgust",
        "fear": "Fear",
        "happy": "happy",
        "neutral": "neutral",
        "ps": "Pleasant_surprise",
        "sad": "Sad",
    },
    "YAF": {
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happy",
        "neutral": "neutral",
        "ps": "pleasant_surprised",
        "sad": "sad",
    },
}
WORDS = tuple(f"word{number:03d}" for number in range(1, 201))
# One neutral recording of the older actress is published with a letter of the speaker missing.
ODD = "OAF_word012_neutral"


def write(root: Path, *, flat: bool = False) -> Path:
    """Write all 2800 recordings."""
    seed = 0
    for speaker, folders in FOLDERS.items():
        for emotion, folder in folders.items():
            for word in WORDS:
                name = f"{speaker}_{word}_{emotion}"
                official = f"OA{name[3:]}" if name == ODD else name
                write_wav(root / ("" if flat else f"{speaker}_{folder}") / f"{official}.wav", seed, rate=24_414)
                seed += 1
    add_junk(root, "YAF_sad/YAF_word001_sad.wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="OAF_word012_neutral",
        file="OAF_neutral/OA_word012_neutral.wav",
        speaker="OAF",
        gender="female",
        language="en",
        labels={"emotion": "neutral"},
        extra={"sentence": "word012", "style": "scripted"},
    ),
    speakers=2,
    women=2,
    strangers=("OAF_angry/OBF_word_angry.wav", "OAF_angry/OAF_word_calm.wav"),
    again="copy/OAF_neutral/OA_word012_neutral.wav",
    missing={
        ("YAF_word007_sad",): ("1 utterance is missing: YAF_word007_sad",),
        ("YAF",): ("1 of 2 speakers is missing: YAF",),
    },
    packagings=({"flat": True},),
)
