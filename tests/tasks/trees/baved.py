"""A made BAVED, with the recordings that two speakers share and others that are there twice."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.dealing import spread
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

LEVELS = {"0": 585, "1": 672, "2": 678}
# Sixty ids with gaps, among them 46 and 53, and six that may be three persons, with their sexes and ages.
SPEAKERS = [*range(56), 100, 101, 102, 103]
AGED = {39: "f-6", 100: "f-6", 41: "f-40", 102: "f-40", 42: "f-22", 103: "f-22"}
TWINS, SHARED, TWICE = (46, 53), 21, 6


def write(root: Path) -> Path:
    """Write all 1935 recordings.

    The first 21 of speaker 46 are those of speaker 53 byte for byte; of speaker 1, six are there twice.
    """
    files: dict[int, list[Path]] = {speaker: [] for speaker in SPEAKERS}
    for number, level in enumerate(spread(LEVELS)):
        speaker = SPEAKERS[number % len(SPEAKERS)]
        aged = AGED.get(speaker, f"{'f' if speaker % 4 == 3 else 'm'}-{18 + speaker % 23}")
        name = f"{speaker}-{aged}-{number % 7}-{level}-{number}"
        files[speaker].append(write_wav(root / str(number % 7) / f"{name}.wav", number))
    for first, second in zip(files[TWINS[0]][:SHARED], files[TWINS[1]][:SHARED], strict=True):
        second.write_bytes(first.read_bytes())
    for first, second in zip(files[1][:TWICE], files[1][TWICE : 2 * TWICE], strict=True):
        second.write_bytes(first.read_bytes())
    add_junk(root, files[0][0].relative_to(root).as_posix())
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="103-f-22-3-1-59",
        file="3/103-f-22-3-1-59.wav",
        speaker="103",
        gender="female",
        language="ar",
        labels={"emotion": "neutral"},
        extra={"sentence": "3", "age": 22.0, "take": "59", "style": "scripted"},
    ),
    speakers=60,
    women=19,
    strangers=("3/stranger_01.wav",),
    again="3/again/103-f-22-3-1-59.wav",
)
