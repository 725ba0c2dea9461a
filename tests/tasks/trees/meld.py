"""A made MELD: three archives unpacked, two broken clips, and tables with what is left of Windows' quotes."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from trees.audio import write_wav
from trees.dealing import shares, spread
from trees.expected import Expected
from trees.video import Clips

from benchmark.types import Utterance

EMOTIONS = ("neutral", "joy", "surprise", "anger", "sadness", "disgust", "fear")
# Folder of the clips, dialogues, speakers, utterances of each emotion.
SPLITS = {
    "train": ("train_splits", 1039, 260, (4710, 1743, 1205, 1109, 683, 271, 268)),
    "dev": ("dev_splits_complete", 114, 47, (470, 163, 150, 153, 111, 22, 40)),
    "test": ("output_repeated_splits_test", 280, 100, (1256, 402, 281, 345, 208, 68, 50)),
}
SENTIMENTS = {"neutral": "neutral", "joy": "positive", "surprise": "positive"}
COLUMNS = (
    "Sr No.",
    "Utterance",
    "Speaker",
    "Emotion",
    "Sentiment",
    "Dialogue_ID",
    "Utterance_ID",
    "Season",
    "Episode",
    "StartTime",
    "EndTime",
)
MAIN = [f"Person {number}" for number in range(1, 7)]  # who speak in all splits
DAMAGED, ABSENT = "train/dia125_utt3", "dev/dia110_utt7"


def write(root: Path, suffix: str = ".mp4") -> Path:
    """Write all 13708 rows, and their clips but for the two that are broken.

    Args:
        root: The folder.
        suffix: ".mp4" as in the release, or ".wav" as extracted.
    """
    clips = Clips(Path(tempfile.mkdtemp()))
    seed = 0
    for split, (folder, dialogues, speakers, numbers) in SPLITS.items():
        emotions = iter(_emotions(split, dialogues, numbers))
        people = MAIN + [f"{split.title()} Voice {number}" for number in range(speakers - len(MAIN) - 1)]
        people.append("The Man’s Friend")
        rows: list[dict[str, object]] = []
        for dialogue, size in enumerate(shares(sum(numbers), dialogues)):
            for turn in range(size):
                name, emotion = f"{split}/dia{dialogue}_utt{turn}", next(emotions)
                path = root / folder / f"{name.rpartition('/')[2]}{suffix}"
                if name == DAMAGED:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(b"\x00\x00\x00\x20ftypisom damaged")
                elif name != ABSENT and suffix == ".mp4":
                    clips.write(path, seed)
                elif name != ABSENT:
                    write_wav(path, seed)
                rows.append(
                    {
                        "Sr No.": len(rows) + 1,
                        "Utterance": f"It’s line {len(rows)}, “you” see – so…",
                        "Speaker": people[len(rows) % len(people)],
                        "Emotion": emotion,
                        "Sentiment": SENTIMENTS.get(emotion, "negative"),
                        "Dialogue_ID": dialogue,
                        "Utterance_ID": turn,
                        "Season": 1 + dialogue % 9,
                        "Episode": 1 + dialogue % 24,
                        "StartTime": "00:16:16,059",
                        "EndTime": "00:16:21,731",
                    }
                )
                seed += 1
        (root / f"{split}_sent_emo.csv").write_bytes(_table(split, rows))
    # The third archive holds more than its table lists, and twins that macOS made.
    extra = root / SPLITS["test"][0]
    write_wav(extra / f"final_videos_testdia0_utt0{suffix}", seed)
    (extra / "._dia0_utt0.mp4").write_bytes(b"\x00\x05\x16\x07")
    (root / "README.txt").write_text("no clip\n")
    return root


def _emotions(split: str, dialogues: int, numbers: tuple[int, ...]) -> list[str]:
    """The emotion of each row; that of a broken clip is neutral."""
    emotions = spread(dict(zip(EMOTIONS, numbers, strict=True)))
    turns = [f"{split}/dia{d}_utt{u}" for d, size in enumerate(shares(len(emotions), dialogues)) for u in range(size)]
    for broken in {DAMAGED, ABSENT} & set(turns):
        place = turns.index(broken)
        neutral = emotions.index("neutral", place)
        emotions[place], emotions[neutral] = emotions[neutral], emotions[place]
    return emotions


def _table(split: str, rows: list[dict[str, object]]) -> bytes:
    """Train with control characters for quotes, dev in Windows' code page, test in clean UTF-8 with a mark."""
    handle = io.StringIO(newline="")
    writer = csv.DictWriter(handle, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    text = handle.getvalue()
    if split == "train":
        return text.encode("cp1252").decode("latin-1").encode("utf-8")
    return text.encode("cp1252" if split == "dev" else "utf-8-sig")


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="dev/dia2_utt9",
        file="dev_splits_complete/dia2_utt9.mp4",
        speaker="Dev Voice 23",
        session="dev/2",
        language="en",
        labels={"emotion": "neutral", "sentiment": "neutral"},
        split="dev",
        extra={
            "dialogue": "dev/2",
            "turn": 9.0,
            "text": "It’s line 29, “you” see – so…",
            "season": "3",
            "episode": "3",
            "episode_start": "00:16:16,059",
            "episode_end": "00:16:21,731",
            "style": "scripted",
        },
    ),
    speakers=393,
    women=0,
    lists=("train_sent_emo.csv", "dev_sent_emo.csv", "test_sent_emo.csv"),
    damage=(
        ("dev_sent_emo.csv", "Sentiment", "Mood", "dev_sent_emo.csv has no column Sentiment"),
        ("dev_sent_emo.csv", ",neutral,", ",bored,", "line 2: dia0_utt0 is 'bored' and 'neutral'"),
        ("test_sent_emo.csv", ",0,0,", ",0,x,", "line 2: dia0_uttx is"),
    ),
    is_slow=True,
)
