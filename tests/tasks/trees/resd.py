"""A made RESD: dialogues in both splits, the first ones in the older way of naming."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.dealing import spread
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

CLASSES = {
    "anger": 219,
    "disgust": 185,
    "enthusiasm": 198,
    "fear": 223,
    "happiness": 218,
    "neutral": 191,
    "sadness": 162,
}
DIALOGUES, OLDER = 49, 11


def write(root: Path) -> Path:
    """Write all 1396 recordings, 1116 to train and 280 to test, and the two lists."""
    emotions = list(CLASSES)
    pairs = {d: (emotions[d % 7], emotions[(d + 1 + d // 7 % 6) % 7]) for d in range(1, DIALOGUES + 1)}
    rooms = {emotion: [d for d, pair in pairs.items() if emotion in pair] for emotion in emotions}
    said = dict.fromkeys(emotions, 0)
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for seed, emotion in enumerate(spread(CLASSES)):
        dialogue = rooms[emotion][said[emotion] % len(rooms[emotion])]
        number = 10 * (said[emotion] // len(rooms[emotion]) + 1)
        said[emotion] += 1
        both = "_".join(pairs[dialogue])
        folder = f"{dialogue:02d}_{both}" if dialogue <= OLDER else f"{both}_{dialogue:02d}"
        name = f"{dialogue:02d}_{both}{' ' if dialogue <= OLDER else '_'}{emotion[0]}_{number:03d}"
        split = "train" if seed % 5 else "test"
        write_wav(root / split / folder / f"{name}.wav", seed, rate=16_000 if dialogue <= OLDER else 44_100)
        lists[split].append(f"{name},{folder}/{name}.wav,{emotion}")
    for split, rows in lists.items():
        (root / f"{split}.csv").write_text("\n".join(["name,path,emotion", *rows]) + "\n", encoding="utf-8")
    add_junk(root, f"train/{lists['train'][0].split(',')[1]}")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="01_disgust_enthusiasm d_010",
        file="test/01_disgust_enthusiasm/01_disgust_enthusiasm d_010.wav",
        session="1",
        language="ru",
        labels={"emotion": "disgust"},
        split="test",
        extra={"dialogue": "1"},
    ),
    speakers=0,
    women=0,
    strangers=("test/01_disgust_enthusiasm/stranger_01.wav",),
    again="test/01_disgust_enthusiasm/again/01_disgust_enthusiasm d_010.wav",
    lists=("train.csv", "test.csv"),
    damage=(
        ("test.csv", "emotion", "label", "test.csv has no column emotion"),
        ("test.csv", ",disgust\n", ",boredom\n", r"line \d+: the emotion is 'boredom'"),
        ("train.csv", "/06_", "/96_", "train.csv does not list train/06_"),
    ),
)
