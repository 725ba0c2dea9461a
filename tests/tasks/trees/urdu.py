"""A made URDU: its names in the official layout; who says what is dealt out evenly, which the corpus does not do."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected

from benchmark.types import Utterance

EMOTIONS = {"Angry": "A", "Happy": "H", "Neutral": "N", "Sad": "S"}
# M8 to M16 do not exist.
SPEAKERS = [f"M{number}" for number in (*range(1, 8), *range(17, 28))] + [f"F{number}" for number in range(1, 12)]


def write(root: Path) -> Path:
    """Write all 400 recordings of 29 speakers."""
    for number, (emotion, letter) in enumerate(EMOTIONS.items()):
        for serial in range(1, 101):
            speaker = SPEAKERS[(serial + 7 * number) % len(SPEAKERS)]
            write_wav(root / f"{emotion}/S{speaker}_F{serial:02d}_{letter}{serial:03d}.wav", 1000 * number + serial)
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="Angry/SM18_F08_A008",
        file="Angry/SM18_F08_A008.wav",
        speaker="M18",
        gender="male",
        language="ur",
        labels={"emotion": "angry"},
        extra={"style": "spontaneous", "take": "08"},
    ),
    speakers=29,
    women=11,
)
