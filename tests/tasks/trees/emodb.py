"""A made EmoDB: the official names and the published numbers of every speaker and emotion."""

from __future__ import annotations

import itertools
from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

SENTENCES = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
LETTERS = "WLEAFNT"
# Utterances of W, L, E, A, F, N and T.
NUMBERS = {
    "03": (14, 5, 1, 4, 7, 11, 7),
    "08": (12, 10, 0, 6, 11, 10, 9),
    "09": (13, 4, 8, 1, 4, 9, 4),
    "10": (10, 8, 1, 8, 4, 4, 3),
    "11": (11, 8, 2, 10, 8, 9, 7),
    "12": (12, 5, 2, 6, 2, 4, 4),
    "13": (12, 10, 8, 7, 10, 9, 5),
    "14": (16, 8, 8, 12, 8, 7, 10),
    "15": (13, 9, 5, 8, 6, 11, 4),
    "16": (14, 14, 11, 7, 11, 5, 9),
}


def write(root: Path) -> Path:
    """Write all 535 recordings, and the list that also names rejected takes."""
    names = [
        f"{speaker}{sentence}{letter}{take}"
        for speaker, numbers in NUMBERS.items()
        for letter, number in zip(LETTERS, numbers, strict=True)
        for take, sentence in itertools.islice(itertools.product("ab", SENTENCES), number)
    ]
    for seed, name in enumerate(names):
        write_wav(root / f"wav/{name}.wav", seed)
    # The last one was never published.
    lines = [f"{name}.wav\t95,00\t90,00" for name in [*names, "03a01Wf"]]
    (root / "erkennung.txt").write_text("\n".join(["Satz\terkannt\tnatürlich", *lines]) + "\n", encoding="latin-1")
    add_junk(root, "wav/03a01Wa.wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="03a01Wa",
        file="wav/03a01Wa.wav",
        speaker="03",
        gender="male",
        language="de",
        labels={"emotion": "anger"},
        extra={"sentence": "a01", "take": "a", "style": "scripted"},
    ),
    speakers=10,
    women=5,
    strangers=("wav/04a01Wa.wav", "wav/03a01Xa.wav", "wav/03a01W.wav"),
    again="copy/wav/03a01Wa.wav",
    missing={("03a", "03b", "16a", "16b"): ("2 of 10 speakers are missing: 03, 16",)},
)
