"""The format that MSP-Podcast and BIIC-Podcast share: one consensus list, one folder of audio, named releases."""

from __future__ import annotations

import csv
import math
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import as_stored, audio_files, listed_once, one_of_each
from benchmark.errors import BenchError, MissingError
from benchmark.io.files import is_folder, is_hidden
from benchmark.types import Utterance

RELEASE_FILE = "release.txt"
RELEASE = re.compile(r"(?<![\d.])\d+\.\d+(?![\d.])")
# Early releases misspell it.
LABEL_FILES = ("Labels/labels_consensus.csv", "Labels/labels_concensus.csv")
DETAILED_FILE = "Labels/labels_detailed.csv"
PARTITION_FILES = ("Partitions.txt", "Partition.txt")
AUDIO_FOLDERS = ("Audios", "Audio")
COLUMNS = ("filename", "emoclass", "emoact", "emoval", "emodom", "split_set")

LABELS = {
    "A": "anger",
    "S": "sadness",
    "H": "happiness",
    "U": "surprise",
    "F": "fear",
    "D": "disgust",
    "C": "contempt",
    "N": "neutral",
    "O": "other",
    "X": "undecided",
}
# What workers' lines call them; whatever follows "Other" is their own word.
WORDS = {
    "angry": "anger",
    "sad": "sadness",
    "happy": "happiness",
    "surprise": "surprise",
    "fear": "fear",
    "disgust": "disgust",
    "contempt": "contempt",
    "neutral": "neutral",
    "other": "other",
}
DIMENSIONS = {"emoact": "arousal", "emoval": "valence", "emodom": "dominance"}
# By the first letters: Validation and Development are one, as are Test, Test1, Test2 and Test3.
SPLITS = {"train": "train", "validation": "dev", "development": "dev", "test": "test"}
UNKNOWN = {"", "unknown", "nan", "n/a", "na", "none"}
NAME = re.compile(
    r"(?P<stem>(?P<corpus>[A-Z]+-PODCAST)_(?P<podcast>\w+?)_(?P<turn>\d{4})(?P<parts>(?:_\d{1,4})*))\.wav"
)


class PodcastCorpus(Corpus):
    """Base of the two; a subclass says whose it is (`prefix`) and may add to `extra`.

    Attributes:
        prefix: What the names of its recordings start with.
    """

    prefix: ClassVar[str]
    scales: ClassVar[Mapping[str, tuple[float, float]]] = {"arousal": (1, 7), "valence": (1, 7), "dominance": (1, 7)}

    def scan(self, root: Path) -> list[Utterance]:
        """List every row of the consensus list, then what the partition list alone has.

        Ids are the names of the recordings, for example `MSP-PODCAST_0001_0019`. Every utterance says its `release`.
        `test_set` is "Test1", "Test2", ... (or "Test") of a test utterance. The labels of the third test set are not
        public: its rows stand in the partition list only, and become utterances without labels, which a task leaves
        out by `test_set`. `turn` is the number in the podcast, with the part of a divided turn after the point, in four
        digits. `agreement` is "full" where every worker's primary class is the consensus, "none" where there is none,
        else "majority"; it is None where the list of workers is not there, or does not have the utterance.

        Raises:
            MissingError: There is no consensus list.
            BenchError: Nothing says which release this is, there is no folder of audio, a column is missing, or a row
                has a value that its column does not take; the message names the line.
        """
        path = next((root / name for name in LABEL_FILES if (root / name).is_file()), None)
        if path is None:
            raise MissingError(f"corpus {self.name} has no {LABEL_FILES[0]} in {root}", self.how_to_get)
        release = self._release(root)
        audio = self._audio(root)
        votes = self._votes(root)
        utterances = [self._utterance(row, where, release, audio, votes) for where, row in self._rows(path)]
        listed = {utterance.id for utterance in utterances}
        for where, split, file in self._partition(root):
            row = {"filename": file, "split_set": split}
            if file.rpartition(".")[0] not in listed:
                utterances.append(self._utterance(row, where, release, audio, votes))
        return listed_once(self.name, utterances, root)

    def part_of(self, utterance: Utterance) -> str:
        """The release of the corpus that an utterance belongs to."""
        return str(utterance.extra["release"])

    def _release(self, root: Path) -> str:
        """The release, from `release.txt` or else from the folder's name."""
        path = root / RELEASE_FILE
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace").strip().lower().removeprefix("v")
            if not RELEASE.fullmatch(text):
                raise BenchError(f"corpus {self.name}: {RELEASE_FILE} says {text!r}", "a release alone, such as 1.10")
            return text
        for name in (root.absolute().name, root.resolve().name):
            found: set[str] = set(RELEASE.findall(name))
            if len(found) == 1:
                return found.pop()
        raise BenchError(
            f"corpus {self.name}: nothing says which release is in {root}",
            f"releases differ: write its number, such as 1.10, into {RELEASE_FILE} in that folder",
        )

    def _audio(self, root: Path) -> _Audio:
        for name in AUDIO_FOLDERS:
            if (root / name).is_dir():
                return _Audio(self.name, root, name)
        raise BenchError(f"corpus {self.name} has no folder {AUDIO_FOLDERS[0]!r} in {root}", self.how_to_get)

    def _rows(self, path: Path, needed: Collection[str] = COLUMNS) -> Iterator[tuple[str, dict[str, str]]]:
        """The rows, each with where it stands; columns in lower case, as releases differ."""
        try:
            with path.open(newline="", encoding="utf-8-sig") as handle:
                reader = csv.reader(handle, strict=True)
                columns = [column.strip().lower() for column in next(reader, [])]
                for column in needed:
                    if column not in columns:
                        raise BenchError(
                            f"corpus {self.name}: {path.name} has no column {column!r}", f"it has {', '.join(columns)}"
                        )
                for row in filter(None, reader):
                    where = f"{path.name}, line {reader.line_num}"
                    if len(row) != len(columns):
                        raise BenchError(f"corpus {self.name}: {where} has {len(row)} fields instead of {len(columns)}")
                    yield where, {column: value.strip() for column, value in zip(columns, row, strict=True)}
        except (csv.Error, UnicodeDecodeError) as error:
            raise BenchError(f"corpus {self.name}: {path.name} is not a CSV file in UTF-8: {error}") from error

    def _votes(self, root: Path) -> dict[str, set[str]]:
        """The primary classes that workers gave, by utterance; nothing where there is no list of them.

        Releases have them in a column, or as the second of the values that one column holds: `WORKER; Sad; ...`.
        """
        votes: dict[str, set[str]] = {}
        path = root / DETAILED_FILE
        if path.is_file():
            for _, row in self._rows(path, ("filename",)):
                if "emoclass_major" not in row and "emodetail" not in row:
                    raise BenchError(
                        f"corpus {self.name}: {path.name} does not tell what workers gave",
                        "in EmoClass_Major, or second in EmoDetail",
                    )
                vote = row.get("emoclass_major") or row.get("emodetail", "").partition(";")[2].partition(";")[0]
                word = vote.strip().lower()
                name = "other" if word.startswith("other") else word
                votes.setdefault(row["filename"].rpartition(".")[0], set()).add(WORDS.get(name, name))
        return votes

    def _partition(self, root: Path) -> Iterator[tuple[str, str, str]]:
        """(where, split, file) of every line of the partition list, if there is one: `Test3; NAME.wav`."""
        path = next((root / name for name in PARTITION_FILES if (root / name).is_file()), None)
        if path is None:
            return
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
            if not line.strip():
                continue
            split, separator, file = (part.strip() for part in line.partition(";"))
            if not separator:
                raise BenchError(f"corpus {self.name}: {path.name}, line {number} is {line!r}", "SPLIT; NAME.wav")
            yield f"{path.name}, line {number}", split, file

    def _utterance(
        self, row: Mapping[str, str], where: str, release: str, audio: _Audio, votes: Mapping[str, set[str]]
    ) -> Utterance:
        match = NAME.fullmatch(row["filename"])
        if match is None or match["corpus"] != self.prefix:
            raise BenchError(
                f"corpus {self.name}: {where} has the file {row['filename']!r}",
                f"files are named {self.prefix}_podcast_turn.wav, for example {self.prefix}_0001_0019.wav",
            )
        split, test_set = self._split(row["split_set"], where)
        speaker, gender = row.get("spkrid", ""), row.get("gender", "").lower()
        # The files of the third test set are numbered through, so that no podcast is known.
        podcast = match["podcast"] if match["podcast"].isdigit() else None
        labels = self._labels(row, where)
        return Utterance(
            id=match["stem"],
            file=audio.file(row["filename"]),
            speaker=None if speaker.lower() in UNKNOWN else speaker,
            session=podcast,
            gender=None if gender in UNKNOWN else gender,
            language=self.language,
            labels=labels,
            split=split,
            extra={
                "release": release,
                "test_set": test_set,
                "dialogue": podcast,
                "turn": None if podcast is None else _turn(match["turn"], match["parts"]),
                "style": "spontaneous",
                "agreement": _agreement(labels.get("emotion"), votes.get(match["stem"])),
            },
        )

    def _split(self, text: str, where: str) -> tuple[str, str | None]:
        split = SPLITS.get(text.lower().rstrip("0123456789"))
        if split is None:
            raise BenchError(
                f"corpus {self.name}: {where} has the split {text!r}", f"one of {', '.join(SPLITS)}, or Test1, ..."
            )
        return split, text.capitalize() if split == "test" else None

    def _labels(self, row: Mapping[str, str], where: str) -> dict[str, str | float]:
        """Emotion and dimensions; what a row leaves empty it does not label."""
        labels: dict[str, str | float] = {}
        code = row.get("emoclass", "")
        if code.lower() not in UNKNOWN:
            if code not in LABELS:
                raise BenchError(
                    f"corpus {self.name}: {where} has the class {code!r}", f"the corpus has {', '.join(LABELS)}"
                )
            labels["emotion"] = LABELS[code]
        for column, name in DIMENSIONS.items():
            text = row.get(column, "")
            if text.lower() in UNKNOWN:
                continue
            value = _number(text)
            if not math.isfinite(value):
                raise BenchError(f"corpus {self.name}: {where}: {column} is {text!r}", "a number from 1 to 7")
            labels[name] = value
        return labels


class _Audio:
    """Where the recordings lie: directly in the folder, or below it where somebody repackaged them."""

    def __init__(self, corpus: str, root: Path, folder: str) -> None:
        self.root, self.folder = root, folder
        self.nested: dict[str, str] = {}
        with os.scandir(root / folder) as found_here:
            entries = list(found_here)
        folders = {entry.name for entry in entries if is_folder(entry)}
        self._files = {entry.name for entry in entries if not entry.is_symlink()} - folders
        self._stems = {entry.name.rpartition(".")[0].casefold() for entry in entries}
        below = sorted(name for name in folders if not is_hidden(name))
        found: dict[str, list[str]] = defaultdict(list)
        for name in below:
            for file, _ in audio_files(root / folder / name):
                path = f"{folder}/{name}/{file}"
                found[PurePosixPath(path).stem].append(path)
        self.nested = one_of_each(corpus, root, found, lambda name: "have one name")

    def file(self, name: str) -> str:
        """The path of a recording, relative to the root; where it should lie if it is nowhere."""
        stem = PurePosixPath(name).stem
        nested = self.nested.get(stem)
        if nested is not None:
            return nested
        file = f"{self.folder}/{name}"
        # A hundred thousand are not asked for one by one.
        return as_stored(self.root, file) if name not in self._files and stem.casefold() in self._stems else file


def _agreement(label: str | float | None, given: set[str] | None) -> str | None:
    """How far the classes that workers gave agree with the consensus; None where one of the two is not known."""
    if label is None or given is None:
        return None
    return "none" if label == "undecided" else "full" if given == {label} else "majority"


def _turn(turn: str, parts: str) -> float:
    """19.001 of turn 0019, part _10, which is not part _1."""
    return float(f"{turn}." + "".join(part.zfill(4) for part in parts.split("_")[1:]))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
