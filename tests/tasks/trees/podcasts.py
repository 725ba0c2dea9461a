"""A release of MSP-Podcast or BIIC-Podcast in the official layout, of any size, invented all through."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected

from benchmark.types import Utterance

HEADER = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set")
TURNS = 50  # in a podcast, and by one speaker

Sizes = Mapping[str, Mapping[str, int]]

# Every class in every split.
SMALL: Sizes = {split: dict.fromkeys("ASHUFDCNOX", 3) for split in ("Train", "Development", "Test1", "Test2")}
# 49018 of four classes, as in release 1.10, and some of the others; how they are spread is invented.
FULL_MSP: Sizes = {
    "Train": {"N": 16000, "H": 9000, "A": 3000, "S": 3000, "X": 400, "O": 100, "U": 80, "F": 40, "D": 60, "C": 90},
    "Development": {"N": 2500, "H": 2000, "A": 500, "S": 500, "X": 50, "C": 10},
    "Test1": {"N": 4500, "H": 3000, "A": 1000, "S": 1018, "X": 50, "D": 10},
    "Test2": {"N": 2000, "H": 800, "A": 100, "S": 100, "X": 20, "F": 5},
}
# 22799 of four classes, as in release 1.0.
FULL_BIIC: Sizes = {
    "Train": {"N": 9000, "H": 5000, "A": 1000, "S": 999, "X": 100, "C": 50},
    "Development": {"N": 2000, "H": 1000, "A": 200, "S": 200, "X": 20},
    "Test": {"N": 2000, "H": 1000, "A": 200, "S": 200, "U": 20},
}


def write(
    root: Path,
    sizes: Sizes = SMALL,
    *,
    prefix: str = "MSP-PODCAST",
    release: str | None = "1.10",
    hidden: int = 0,
    header: tuple[str, ...] = HEADER,
    labels: str = "labels_consensus.csv",
    folder: str = "Audios",
    audio: bool = True,
) -> Path:
    """Write a release.

    Args:
        root: Its folder.
        sizes: Turns of each class letter in each split.
        prefix: What names start with.
        release: Number in release.txt; None writes no such file.
        hidden: Turns of the third test set: in the partition list and the audio, but in no label list.
        header: Names of the columns; without SpkrID and Gender there are none such.
        labels: Name of the consensus list, misspelt in early releases.
        folder: Where the audio is.
        audio: Whether there is any in it.
    """
    (root / "Labels").mkdir(parents=True)
    (root / folder).mkdir(parents=True)
    rows = list(_rows(sizes, prefix))
    with (root / "Labels" / labels).open("w", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(
            [value for column, value in zip(HEADER, row, strict=True) if _kept(column, header)] for row in rows
        )
    if release is not None:
        (root / "release.txt").write_text(f"{release}\n")
    partition = [f"{row[-1]}; {row[0]}" for row in rows]
    partition += [f"Test3; {prefix}_test3_{number:04d}.wav" for number in range(1, hidden + 1)]
    if hidden:
        (root / "Partitions.txt").write_text("\n".join(partition) + "\n")
    if audio:
        # No recording of one corpus is in the other.
        for seed, line in enumerate(partition, start=0 if prefix == "MSP-PODCAST" else 1_000_000):
            write_wav(root / folder / line.partition("; ")[2], seed)
    return root


def _kept(column: str, header: tuple[str, ...]) -> bool:
    return column.lower() in {name.strip().lower() for name in header}


def _rows(sizes: Sizes, prefix: str) -> Iterator[tuple[str, ...]]:
    """Rows of the consensus list; the speakers of a split are in no other, and those of every fifth are unknown."""
    podcast = 0
    for split, counts in sizes.items():
        classes = [letter for letter, count in counts.items() for _ in range(count)]
        for position, letter in enumerate(classes):
            podcast += position % TURNS == 0
            # Some turns are parts of longer ones.
            part = "_0001" if position % 7 == 0 else ""
            file = f"{prefix}_{podcast:04d}_{position % TURNS + 1:04d}{part}.wav"
            known = podcast % 5 != 0
            speaker, gender = (str(podcast), ("Male", "Female")[podcast % 2]) if known else ("Unknown", "Unknown")
            arousal, valence, dominance = 1 + position % 7, 1 + position % 5, 1 + position % 6 + 0.5
            yield file, letter, f"{arousal}", f"{valence:.6f}", f"{dominance:.2f}", speaker, gender, split


EXPECTED_BIIC = Expected(
    write=write,
    example=Utterance(
        id="BIIC-PODCAST_0002_0008_0001",
        file="Audios/BIIC-PODCAST_0002_0008_0001.wav",
        speaker="2",
        session="0002",
        gender="male",
        language="zh-TW",
        labels={"emotion": "happiness", "arousal": 1.0, "valence": 3.0, "dominance": 2.5},
        split="dev",
        extra={
            "release": "1.0",
            "test_set": None,
            "dialogue": "0002",
            "turn": 8.0001,
            "style": "spontaneous",
            "agreement": None,
        },
    ),
    speakers=4,
    women=2,
    options={"prefix": "BIIC-PODCAST", "release": "1.0", "audio": False},
    as_counted=False,
)
EXPECTED_MSP = Expected(
    write=write,
    example=Utterance(
        id="MSP-PODCAST_0001_0038",
        file="Audios/MSP-PODCAST_0001_0038.wav",
        speaker="1",
        session="0001",
        gender="female",
        language="en",
        labels={"emotion": "neutral", "arousal": 3.0, "valence": 3.0, "dominance": 2.5},
        split="train",
        extra={
            "release": "1.10",
            "test_set": None,
            "dialogue": "0001",
            "turn": 38.0,
            "style": "spontaneous",
            "agreement": None,
            "eval_1.3": None,
        },
    ),
    speakers=801,
    women=401,
    options={"sizes": FULL_MSP, "release": "1.10", "audio": False},
    as_counted=False,
)

# The releases that tasks are about.
WITHOUT_SPEAKERS = tuple(name for name in HEADER if name not in ("SpkrID", "Gender"))
RELEASES: Mapping[str, Mapping[str, object]] = {
    "msp-podcast-1.10": {"sizes": FULL_MSP, "release": "1.10"},
    "msp-podcast-1.11": {"sizes": SMALL, "release": "1.11", "hidden": 8},
    "msp-podcast-1.6": {"sizes": SMALL, "release": "1.6"},
    "biic-podcast-1.0": {
        "sizes": FULL_BIIC,
        "prefix": "BIIC-PODCAST",
        "release": "1.0",
        "header": WITHOUT_SPEAKERS,
    },
}


def write_release(root: Path, name: str, *, audio: bool) -> Path:
    """Write a release as a task needs it; with 1.6 comes the list of 1.3: half of the first test set of 1.6."""
    write(root, **RELEASES[name], audio=audio)
    if name == "msp-podcast-1.6":
        with (root / "Labels" / "labels_consensus.csv").open(newline="") as handle:
            header, *rows = list(csv.reader(handle))
        tested = [row for row in rows if row[-1] == "Test1"][::2]
        with (root / "Labels" / "labels_consensus-1.3.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows([header, *([*row[:-1], "Test"] for row in tested)])
    return root
