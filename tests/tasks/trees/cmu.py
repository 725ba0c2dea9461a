"""A made CMU-MOSI and CMU-MOSEI in their common re-packaging: one table, one clip a segment."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping
from pathlib import Path

from trees.audio import write_wav
from trees.dealing import shares, spread
from trees.expected import Expected
from trees.video import Clips

from benchmark.types import Utterance

# Mode: videos, and segments that are negative, zero and positive.
MOSI = {"train": (52, (552, 53, 679)), "valid": (10, (92, 13, 124)), "test": (31, (379, 30, 277))}
MOSEI = {
    "train": (2249, (4738, 3540, 8048)),
    "valid": (300, (506, 433, 932)),
    "test": (678, (1350, 1025, 2284)),
    "": (66, (100, 103, 200)),  # labelled, and in no fold
}
COLUMNS = ("video_id", "clip_id", "text", "label", "label_T", "label_A", "label_V", "annotation", "mode")
VALUES = {"Negative": (-3.0, -1.4, -0.2), "Neutral": (0.0,), "Positive": (0.2, 1.8, 3.0)}


def write_mosi(root: Path, suffix: str = ".mp4") -> Path:
    """Write all 2199 segments of 93 videos."""
    return _write(root, MOSI, suffix)


def write_mosei(root: Path, suffix: str = ".mp4") -> Path:
    """Write all 23259 segments of 3293 videos, some of whose ids are numbers or start with a dash."""
    return _write(root, MOSEI, suffix)


def _write(root: Path, splits: Mapping[str, tuple[int, tuple[int, int, int]]], suffix: str) -> Path:
    clips = Clips(Path(tempfile.mkdtemp()))
    rows: list[dict[str, object]] = []
    number = 0
    for mode, (videos, polarities) in splits.items():
        names = iter(spread(dict(zip(VALUES, polarities, strict=True))))
        for size in shares(sum(polarities), videos):
            number += 1
            video = (f"video_{number:05d}", f"-Video_{number:05d}", str(100_000 + number))[number % 3]
            for clip in range(size):
                polarity = next(names)
                path = root / "Raw" / video / f"{clip}{suffix}"
                if suffix == ".wav":
                    write_wav(path, len(rows))
                else:
                    clips.write(path, len(rows))
                value = VALUES[polarity][len(rows) % len(VALUES[polarity])]
                rows.append(
                    {
                        "video_id": video,
                        "clip_id": clip,
                        "text": f'WORDS, "{len(rows)}"',
                        "label": value,
                        "annotation": polarity,
                        "mode": mode,
                    }
                )
    with (root / "label.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return root


EXPECTED_MOSI = Expected(
    write=write_mosi,
    example=Utterance(
        id="-Video_00001/2",
        file="Raw/-Video_00001/2.mp4",
        session="-Video_00001",
        language="en",
        labels={"sentiment": 3.0, "polarity": "positive"},
        split="train",
        extra={"dialogue": "-Video_00001", "turn": 2.0, "text": 'WORDS, "2"', "style": "spontaneous"},
    ),
    speakers=0,
    women=0,
    lists=("label.csv",),
    damage=(
        ("label.csv", "clip_id", "clip", "label.csv has no column clip_id"),
        ("label.csv", ",3.0,", ",3.2,", r"line \d+: the label is '3.2' .a sentiment from -3 to 3"),
        ("label.csv", ",3.0,", ",,", r"line \d+: the label is ''"),
        ("label.csv", ",valid", ",maybe", "of mode 'maybe'"),
        ("label.csv", "-Video_00001,0,", "-Video_00001,one,", "line 2: clip 'one' of mode 'train'"),
        ("label.csv", "-Video_00001,0,", "-Video_00001,01,", "are both utterance '-Video_00001/1'"),
    ),
)
EXPECTED_MOSEI = Expected(
    write=write_mosei,
    example=Utterance(
        id="102249/0",
        file="Raw/102249/0.wav",
        session="102249",
        language="en",
        labels={"sentiment": 0.0, "polarity": "zero"},
        split="train",
        extra={"dialogue": "102249", "turn": 0.0, "text": 'WORDS, "16319"', "style": "spontaneous"},
    ),
    speakers=0,
    women=0,
    options={"suffix": ".wav"},
    lists=("label.csv",),
    is_slow=True,
)
