"""M3ED (Zhao et al. 2022): dialogues of two, cut from 56 Chinese TV series."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import audio_files, listed_once, one_of_each
from benchmark.errors import BenchError, MissingError
from benchmark.io.files import files_below
from benchmark.types import CorpusCounts, Utterance

ANNOTATION = "annotation.json"
LISTS = {"train": "movie_list_train.txt", "dev": "movie_list_val.txt", "test": "movie_list_test.txt"}
RECORDINGS = "modality_speech"
EMOTIONS = ("anger", "disgust", "fear", "happy", "neutral", "sad", "surprise")
ANNOTATORS = ("EmoAnnotator1", "EmoAnnotator2", "EmoAnnotator3")
GENDERS = {"male": "male", "female": "female", "男": "male", "女": "female"}
# A WAV file up to this size is a header without samples, of which the release has twelve.
EMPTY_BYTES = 128


class M3ed(Corpus):
    """M3ED: 24449 utterances from 56 Chinese TV series, 7 emotions, official split by series."""

    name: ClassVar[str] = "m3ed"
    language: ClassVar[str] = "zh"
    licence: ClassVar[str] = "none stated; cut from TV series, for research"
    citation: ClassVar[str] = (
        "J. Zhao, T. Zhang, J. Hu, Y. Liu, Q. Jin, X. Wang, H. Li: M3ED: Multi-modal Multi-scene Multi-label Emotional "
        "Dialogue Database. ACL 2022. DOI 10.18653/v1/2022.acl-long.391"
    )
    homepage: ClassVar[str] = "https://github.com/AIM3-RUC/RUCM3ED"
    how_to_get: ClassVar[str] = (
        f"follow https://github.com/AIM3-RUC/RUCM3ED; the folder holds {ANNOTATION}, splitInfo with the three lists "
        f"of series ({', '.join(LISTS.values())}) and {RECORDINGS} with the recordings, for example "
        f"{RECORDINGS}/A_anjia_1_1.wav"
    )
    # The paper counts 626 speakers; whether by the names in the annotation, it does not say.
    counts: ClassVar[Mapping[str, CorpusCounts]] = {"all": CorpusCounts(24449, None)}

    def scan(self, root: Path) -> list[Utterance]:
        """List every annotated utterance; ids are the official ones, for example `anjia_1_1`.

        A speaker is a person of a series, by name; one without a name is a speaker of that dialogue. The emotion is
        the final main one. `recording` is "empty" where the file is there and has no samples, else "full".

        Raises:
            MissingError: The annotation or a list of series is not there.
            BenchError: They cannot be read, lack something, or have an emotion that M3ED does not have.
        """
        base = self._base(root)
        splits = self._splits(base)
        files = self._files(root)
        utterances = []
        for drama, dialogue, people, number, name, entry in self._entries(base / ANNOTATION):
            if drama not in splits:
                raise BenchError(f"corpus m3ed: no list of series has {drama!r}", ", ".join(LISTS.values()))
            annotation = self._field(name, entry, "EmoAnnotation")
            emotion = str(self._field(name, annotation, "final_main_emo")).lower()
            if emotion not in EMOTIONS:
                raise BenchError(f"corpus m3ed: the emotion of {name} is {emotion!r}", f"one of {', '.join(EMOTIONS)}")
            letter = str(self._field(name, entry, "Speaker"))
            person = people.get(letter) or {}
            stem = f"{letter}_{name}"
            file = files.get(stem)
            is_empty = file is not None and (root / file).stat().st_size <= EMPTY_BYTES
            utterances.append(
                Utterance(
                    id=name,
                    file=file if file is not None else f"{RECORDINGS}/{stem}.wav",
                    speaker=f"{drama}/{person.get('Name') or f'{dialogue}_{letter}'}",
                    session=dialogue,
                    gender=GENDERS.get(str(person.get("Gender")).lower()),
                    language="zh",
                    labels={"emotion": emotion},
                    split=splits[drama],
                    extra={
                        "drama": drama,
                        "dialogue": dialogue,
                        "turn": float(number),
                        "text": str(entry.get("Text", "")),
                        "age": None if person.get("Age") is None else str(person["Age"]),
                        "agreement": _agreement(emotion, annotation),
                        "recording": "empty" if is_empty else "full",
                        "style": "scripted",
                    },
                )
            )
        return listed_once(self.name, utterances, root)

    def _base(self, root: Path) -> Path:
        """The folder of the annotation."""
        paths = sorted(path for path in files_below(root) if path.name == ANNOTATION)
        if not paths:
            raise MissingError(f"there is no {ANNOTATION} in {root}", self.how_to_get)
        if len(paths) > 1:
            raise BenchError(f"corpus m3ed: {paths[0]} and {paths[1]} are both the annotation", "keep one of them")
        return paths[0].parent

    def _files(self, root: Path) -> dict[str, str]:
        """The recordings by their names, wherever they lie."""
        found: dict[str, list[str]] = defaultdict(list)
        for file, name in audio_files(root):
            found[PurePosixPath(name).stem].append(file)
        return one_of_each(self.name, root, found, lambda name: "are one recording")

    def _entries(self, path: Path) -> Iterator[tuple[str, str, Any, int, str, Any]]:
        """Drama, dialogue, its people, number from 1, id and annotation of each utterance."""
        try:
            annotation = json.loads(path.read_bytes())
        except ValueError as error:
            raise BenchError(f"corpus m3ed: {ANNOTATION} is not JSON in UTF-8: {error}") from error
        for drama, dialogues in self._items("the file", annotation):
            for dialogue, content in self._items(drama, dialogues):
                people = dict(self._items(dialogue, self._field(dialogue, content, "SpeakerInfo")))
                for name, entry in self._items(dialogue, self._field(dialogue, content, "Dialog")):
                    number = name.rpartition("_")[2]
                    if not number.isdigit():
                        raise BenchError(f"corpus m3ed: {name!r} in {dialogue} has no number", "like anjia_1_1")
                    yield drama, dialogue, people, int(number), name, entry

    @staticmethod
    def _items(where: str, content: object) -> list[tuple[str, Any]]:
        if not isinstance(content, dict):
            raise BenchError(f"corpus m3ed: in {ANNOTATION} {where} is no table", "drama > dialogue > utterance")
        return list(content.items())

    @staticmethod
    def _field(where: str, content: object, key: str) -> Any:
        if not isinstance(content, dict) or key not in content:
            raise BenchError(f"corpus m3ed: in {ANNOTATION} {where} has no {key!r}")
        return content[key]

    def _splits(self, base: Path) -> dict[str, str]:
        """The split of each series."""
        splits: dict[str, str] = {}
        for split, name in LISTS.items():
            path = next((path for path in (base / "splitInfo" / name, base / name) if path.is_file()), None)
            if path is None:
                raise MissingError(f"there is no splitInfo/{name} in {base}", self.how_to_get)
            for drama in path.read_text(encoding="utf-8").split():
                if drama in splits:
                    raise BenchError(f"corpus m3ed: the series {drama!r} is in {splits[drama]} and {split}")
                splits[drama] = split
        return splits


def _agreement(emotion: str, annotation: Mapping[str, Any]) -> str | None:
    """How many annotators chose the final emotion; None where they are not listed."""
    votes = [str(annotation[name]).lower() for name in ANNOTATORS if annotation.get(name)]
    agreeing = sum(emotion in vote.replace(",", " ").split() for vote in votes)
    if not votes:
        return None
    return "full" if agreeing == len(votes) else "majority" if 2 * agreeing > len(votes) else "none"
