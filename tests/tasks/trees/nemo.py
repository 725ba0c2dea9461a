"""A made nEMO: its table has padded values and quotes that are letters."""

from __future__ import annotations

import itertools
from pathlib import Path

from trees.audio import write_wav
from trees.junk import add_junk

CLASSES = {"anger": 749, "fear": 736, "happiness": 749, "neutral": 809, "sadness": 769, "surprised": 669}
SPEAKERS = {
    "AA0": "female",
    "BB0": "female",
    "CC0": "female",
    "DD0": "female",
    "EE0": "male",
    "FF0": "male",
    "GG0": "male",
    "HH0": "male",
    "II0": "male",
}
HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage"


def write(root: Path) -> Path:
    """Write all 4481 recordings and the table."""
    rows = []
    for emotion, total in CLASSES.items():
        everything = itertools.product(range(1, 91), SPEAKERS)
        for sentence, speaker in itertools.islice(everything, total):
            name = f"{speaker}_{emotion}_{sentence}.wav"
            write_wav(root / "samples" / name, len(rows), rate=24_000)
            text = f'„Zdanie” "{sentence}, tak' if sentence == 7 else f"Zdanie {sentence}."
            rows.append(f"{name}\t{emotion}\t{text}\tzdanie {sentence}\t        {speaker}\t{SPEAKERS[speaker]}\t23")
    (root / "data.tsv").write_text("\n".join([HEADER, *reversed(rows)]) + "\n", encoding="utf-8")
    add_junk(root, "samples/AA0_anger_1.wav")
    return root
