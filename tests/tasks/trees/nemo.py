"""A made nEMO: its table has padded values and quotes that are letters."""

from __future__ import annotations

import itertools
from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

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


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="FF0_surprised_7",
        file="samples/FF0_surprised_7.wav",
        speaker="FF0",
        gender="male",
        language="pl",
        labels={"emotion": "surprised"},
        extra={"sentence": "7", "text": '„Zdanie” "7, tak', "age": "23", "style": "scripted"},
    ),
    speakers=9,
    women=4,
    strangers=("samples/stranger_01.wav",),
    lists=("data.tsv",),
    damage=(
        ("data.tsv", "raw_text", "text", "data.tsv has no column raw_text"),
        ("data.tsv", "_1.wav\tanger", "_1.wav\tfear", "does not list samples/.*_anger_1.wav as its name says"),
        ("data.tsv", "\tmale\t23", "\tmale", r"line \d+: the number of values is not that of the columns"),
    ),
)
