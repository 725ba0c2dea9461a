"""A made SAVEE, in the official folders or as the flat re-upload."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.junk import add_junk

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
