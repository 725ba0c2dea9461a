"""EmoBox's published folds (Ma et al. 2024, arXiv:2406.07162) in place of a task's own.

A fold is a folder `fold_K` with JSON lines: `NAME_train_fold_K.jsonl` and `NAME_test_fold_K.jsonl`, some also
`NAME_valid_fold_K.jsonl`. A line names the audio file of an utterance (`wav`) and no speaker. Several of these folds
have speakers in train and test at once: the task is then speaker-dependent, whatever its own protocol says.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import is_hidden
from benchmark.protocol.dataset import Dataset
from benchmark.protocol.dev_schemes import DevListed, DevRandom
from benchmark.protocol.fold_schemes import Listed, ListedFold
from benchmark.protocol.folds import make_folds
from benchmark.types import Fold

FILE = re.compile(r".+_(?P<part>train|valid|test)_fold_?(?P<fold>\d+)\.jsonl")
# EmoBox's recipe: a random fifth of train, where it lists no dev set.
DEV_FRACTION = 0.2


def with_emobox_folds(dataset: Dataset, folder: Path) -> Dataset:
    """The same utterances in EmoBox's folds.

    Dev is EmoBox's own `valid`, or a random fifth of train where there is none. `speaker_independent` becomes what is
    true of these folds.

    Args:
        dataset: A task of one corpus.
        folder: EmoBox's folder of the corpus, with its `fold_K`.

    Raises:
        MissingError: There are no such folds.
        UsageError: The task is between two corpora.
        BenchError: A line is no such JSON, or names a file that no utterance of the task has, or that several have.
    """
    if dataset.task.target is not None:
        raise UsageError(f"the folds of {dataset.task.name!r} divide a target corpus: EmoBox has none such")
    files = _files(folder)
    with_dev = [name for name, parts in files.items() if "valid" in parts]
    if with_dev and len(with_dev) < len(files):
        raise BenchError(
            f"{folder} has valid files of the folds {', '.join(with_dev)} only", "of all folds, or of none"
        )
    listed = [_fold(name, parts, dataset) for name, parts in sorted(files.items())]
    task = dataset.task.model_copy(
        update={
            "folds": Listed(scheme="listed", by="id", folds=listed),
            "dev": DevListed(scheme="listed") if with_dev else DevRandom(scheme="random", fraction=DEV_FRACTION),
        }
    )
    folds = make_folds(task, dataset.utterances, dataset.labels)
    # Where speakers are unknown nothing shows that none is shared: what the task says holds on.
    if all(utterance.speaker is not None for utterance in dataset.utterances):
        is_independent = not any(_shared_speakers(dataset, fold) for fold in folds)
        task = task.model_copy(update={"speaker_independent": is_independent})
    return replace(dataset, task=task, folds=tuple(folds))


def _shared_speakers(dataset: Dataset, fold: Fold) -> set[str]:
    return dataset.speakers_heard(fold.test) & dataset.speakers_heard([*fold.train, *fold.dev])


def _files(folder: Path) -> dict[str, dict[str, Path]]:
    """The file of each part of each fold."""
    if not folder.is_dir():
        raise MissingError(f"there is no folder {folder}", "give EmoBox's folder of the corpus, with its fold_K")
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in sorted(folder.rglob("*.jsonl")):
        match = FILE.fullmatch(path.name)
        if match is not None and not any(map(is_hidden, path.relative_to(folder).parts)):
            if match["part"] in found[match["fold"]]:
                raise BenchError(f"{folder} has two files of {match['part']} of fold {match['fold']}: {path.name}")
            found[match["fold"]][match["part"]] = path
    if not found:
        raise MissingError(
            f"there are no EmoBox folds in {folder}", "files there are named NAME_train_fold_1.jsonl, in fold_1"
        )
    for fold, parts in found.items():
        for part in ("train", "test"):
            if part not in parts:
                raise MissingError(f"{folder} has no {part} of fold {fold}")
    return found


def _fold(name: str, parts: Mapping[str, Path], dataset: Dataset) -> ListedFold:
    known = _by_file_name(dataset)
    train, test = (_ids(parts[part], known, dataset) for part in ("train", "test"))
    dev = _ids(parts["valid"], known, dataset) if "valid" in parts else []
    for path, ids in ((parts["test"], test), (parts["train"], train)):
        if not ids:
            raise BenchError(f"{path.name} lists no utterance", f"fold {name} has an empty set")
    for utterance, number in Counter([*train, *dev, *test]).items():
        if number > 1:
            raise BenchError(f"fold {name} in {parts['test'].parent} lists {utterance!r} twice", "in one set, and once")
    return ListedFold(name=name, train=train, dev=dev, test=test)


def _by_file_name(dataset: Dataset) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Folders and id of every utterance, by the lower-case name of its file without suffix."""
    known: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for utterance in dataset.utterances:
        *folders, stem = _parts_of(utterance.file)
        known[stem].append((tuple(folders), utterance.id))
    return known


def _parts_of(file: str) -> tuple[str, ...]:
    """Folders and name without suffix, all in lower case: packagings differ in case and suffix."""
    path = Path(file)
    return (*(part.lower() for part in path.parts[:-1]), path.stem.lower())


def _ids(path: Path, known: Mapping[str, list[tuple[tuple[str, ...], str]]], dataset: Dataset) -> list[str]:
    ids = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            wav = json.loads(line)["wav"]
            *folders, stem = _parts_of(str(wav))
        except (ValueError, KeyError, TypeError) as error:
            raise BenchError(f"{path.name}, line {number}: no JSON object with 'wav'", "is it of EmoBox?") from error
        candidates = known.get(stem, [])
        # Names that several folders have are told apart by as many folders as it takes.
        for depth in range(1, len(folders) + 1):
            if len(candidates) > 1:
                candidates = [one for one in candidates if one[0][-depth:] == tuple(folders[-depth:])]
        if len(candidates) != 1:
            found = "several" if candidates else "none"
            raise BenchError(
                f"{path.name}, line {number}: {wav!r} is {found} of the {len(dataset.utterances)} utterances of "
                f"the task {dataset.task.name!r}",
                "the folds must be of the same corpus, and the task must use every utterance that they list",
            )
        ids.append(candidates[0][1])
    return ids


def _lines(path: Path) -> Iterable[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"cannot read {path.name}: {error}") from error
