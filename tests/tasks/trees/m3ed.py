"""A made M3ED: 990 dialogues of 56 series, twelve recordings without samples."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from trees.audio import write_wav
from trees.dealing import shares, spread
from trees.expected import Expected

from benchmark.types import Utterance

EMOTIONS = ("Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
# List, series, dialogues, recordings of each emotion, and how many neutral ones beyond them are empty.
SPLITS = {
    "train": ("movie_list_train.txt", 38, 706, (3814, 1145, 280, 1625, 7126, 2734, 696), 7),
    "val": ("movie_list_val.txt", 7, 114, (681, 134, 50, 303, 1042, 489, 120), 2),
    "test": ("movie_list_test.txt", 11, 170, (736, 218, 65, 358, 1853, 734, 234), 3),
}
PEOPLE = shares(626, 56)  # of each series
HEADER_ONLY = (
    b"RIFF\x46\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80>\x00\x00\x00}\x00\x00\x02\x00\x10\x00"
    b"LIST\x1a\x00\x00\x00INFOISFT\x0e\x00\x00\x00Lavf58.29.100\x00data\x00\x00\x00\x00"
)


def write(root: Path) -> Path:
    """Write all 24449 annotations and recordings."""
    annotation: dict[str, dict[str, object]] = {}
    people = iter(PEOPLE)
    seed = 0
    for split, (name, series, dialogues, numbers, empty) in SPLITS.items():
        names = [f"{split}ju{number}" for number in range(1, series + 1)]
        (root / "splitInfo").mkdir(parents=True, exist_ok=True)
        (root / "splitInfo" / name).write_text("\n".join(names))
        emotions = spread(dict(zip(EMOTIONS, numbers, strict=True)))
        hollow = set(range(0, 100 * empty, 100))
        labels = iter(emotions)
        order = iter(range(len(emotions) + empty))
        sizes = iter(shares(len(emotions) + empty, dialogues))
        for drama, rooms in zip(names, shares(dialogues, series), strict=True):
            persons = [f"Ren {number}" for number in range(next(people))]
            annotation[drama] = {}
            for room in range(1, rooms + 1):
                pair = {"A": persons[2 * room % len(persons)], "B": persons[(2 * room + 1) % len(persons)]}
                talk = {}
                for turn, number in enumerate(itertools.islice(order, next(sizes)), start=1):
                    letter = "AB"[turn // 2 % 2]
                    emotion = "Neutral" if number in hollow else next(labels)
                    file = root / "modality_speech" / f"{letter}_{drama}_{room}_{turn}.wav"
                    if number in hollow:
                        file.parent.mkdir(exist_ok=True)
                        file.write_bytes(HEADER_ONLY)
                    else:
                        write_wav(file, seed)
                    seed += 1
                    talk[f"{drama}_{room}_{turn}"] = _entry(letter, emotion, number)
                annotation[drama][f"{drama}_{room}"] = {
                    "SpeakerInfo": {
                        letter: {"Name": person, "Age": "mid", "Gender": "Female" if letter == "A" else "Male"}
                        for letter, person in pair.items()
                    },
                    "Dialog": talk,
                }
    (root / "annotation.json").write_text(json.dumps(annotation, ensure_ascii=False), encoding="utf-8")
    return root


def _entry(letter: str, emotion: str, number: int) -> dict[str, object]:
    other = EMOTIONS[(EMOTIONS.index(emotion) + 1) % len(EMOTIONS)]
    votes = {0: (emotion, emotion, emotion), 1: (emotion, emotion, other), 2: (emotion, other, other)}[number % 3]
    return {
        "StartTime": "00:00:01:02",
        "EndTime": "00:00:02:10",
        "Text": f"话 {number}",
        "Speaker": letter,
        "EmoAnnotation": {
            **{f"EmoAnnotator{annotator}": vote for annotator, vote in enumerate(votes, start=1)},
            "final_mul_emo": emotion,
            "final_main_emo": emotion,
        },
    }


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="valju3_2_10",
        file="modality_speech/B_valju3_2_10.wav",
        speaker="valju3/Ren 5",
        session="valju3_2",
        gender="male",
        language="zh",
        labels={"emotion": "surprise"},
        split="dev",
        extra={
            "drama": "valju3",
            "dialogue": "valju3_2",
            "turn": 10.0,
            "text": "话 884",
            "age": "mid",
            "agreement": "none",
            "recording": "full",
            "style": "scripted",
        },
    ),
    speakers=626,
    women=None,
    lists=("annotation.json", "splitInfo/movie_list_val.txt"),
    damage=(
        ("annotation.json", '"final_main_emo": "Sad"', '"final_main_emo": "?"', r"the emotion of .* is '\?'"),
        ("annotation.json", '"EmoAnnotation"', '"Annotation"', "trainju1_1_1 has no 'EmoAnnotation'"),
        ("annotation.json", '"Dialog"', '"Talk"', "trainju1_1 has no 'Dialog'"),
        ("annotation.json", "{", "", "is not JSON in UTF-8"),
        ("splitInfo/movie_list_val.txt", "valju7", "", "no list of series has 'valju7'"),
        ("splitInfo/movie_list_val.txt", "valju7", "testju1", "the series 'testju1' is in dev and test"),
    ),
    is_slow=True,
)
