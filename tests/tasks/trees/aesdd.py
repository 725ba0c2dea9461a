"""A made AESDD: the official names with their odd ones, and the file that was published without audio."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

FOLDERS = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "s": "sadness"}
UNPUBLISHED = {"d18 (5)", "f02 (4)", "h11 (3)", "s01 (5)"}
WITH_ZERO = {"d03 (1)", "f10 (1)", "f11 (1)", "f12 (1)", "f13 (1)"}
MORE_TAKES = (
    "a06 (5b)",
    "d01 (5b)",
    "d03 (5b)",
    "d04 (5b)",
    "f18 (5b)",
    "s01 (5a)",
    "s01 (5b)",
    "s02 (5b)",
    "s04 (5b)",
)
WITHOUT_AUDIO = "s05 (3)"


def write(root: Path) -> Path:
    """Write all 604 recordings, and the header that is published as another one."""
    names = [
        f"{letter}{text:02d} ({speaker})" for letter in FOLDERS for text in range(1, 21) for speaker in range(1, 7)
    ]
    names = [name for name in names if name not in UNPUBLISHED | {WITHOUT_AUDIO}]
    for seed, name in enumerate([*names, *MORE_TAKES]):
        official = name.replace("(1)", "(01)") if name in WITH_ZERO else name
        write_wav(root / FOLDERS[name[0]] / f"{official}.wav", seed, rate=44_100)
    (root / f"sadness/{WITHOUT_AUDIO}.wav").write_bytes(b"RIFF\x04\x00\x00\x00WAVE")
    add_junk(root, "anger/a01 (1).wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="f18-5b",
        file="fear/f18 (5b).wav",
        speaker="5",
        language="el",
        labels={"emotion": "fear"},
        extra={"sentence": "18", "take": "b", "style": "scripted"},
    ),
    speakers=6,
    women=0,
    strangers=("fear/x01 (1).wav", "fear/f01.wav", "fear/f01 (7).wav", "fear/f21 (1).wav"),
    again="copy/fear/f18 (5b).wav",
    missing={("f18-5b", "a01-1"): ("2 utterances are missing: a01-1, f18-5b",)},
)
