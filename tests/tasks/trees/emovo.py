"""A made EMOVO: stereo but for one recording, with the folder of documents beside the speakers."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

EMOTIONS = ("dis", "gio", "neu", "pau", "rab", "sor", "tri")
SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")
SENTENCES = ("b1", "b2", "b3", "d1", "d2", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5")
MONO = "tri-m3-n5"


def write(root: Path) -> Path:
    """Write all 588 recordings."""
    names = [f"{emotion}-{speaker}-{text}" for speaker in SPEAKERS for emotion in EMOTIONS for text in SENTENCES]
    for seed, name in enumerate(names):
        write_wav(root / name[4:6] / f"{name}.wav", seed, rate=48_000, channels=1 if name == MONO else 2)
    (root / "documents").mkdir()
    (root / "documents/sentences.pdf").write_bytes(b"%PDF")
    add_junk(root, "f1/dis-f1-b1.wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="pau-m2-l4",
        file="m2/pau-m2-l4.wav",
        speaker="m2",
        gender="male",
        language="it",
        labels={"emotion": "fear"},
        extra={"sentence": "l4", "style": "scripted"},
    ),
    speakers=6,
    women=3,
    strangers=("f1/dis-f4-b1.wav", "f1/ang-f1-b1.wav", "f1/dis-f1-b9.wav"),
    again="copy/m2/pau-m2-l4.wav",
    missing={
        ("-m3-", "gio-f1-d2"): (
            "1 of 6 speakers is missing: m3",
            "1 utterance is missing of the other speakers: gio-f1-d2",
        )
    },
)
