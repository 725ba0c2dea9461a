"""EmoBox's published folds (Ma et al. 2024, arXiv:2406.07162) in place of a task's own.

A fold is a folder `fold_K` with JSON lines: `NAME_train_fold_K.jsonl` and `NAME_test_fold_K.jsonl`, some also
`NAME_valid_fold_K.jsonl`. A line names the audio file of an utterance (`wav`) and no speaker. Several of these folds
have speakers in train and test at once: the task is then speaker-dependent, whatever its own protocol says. Lists of an
older form may lie beside them (`NAME_train_foldK.jsonl`, with `audio` in place of `wav`); where both are there, EmoBox
reads the first.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import files_below
from benchmark.protocol.dataset import Dataset
from benchmark.protocol.dev_schemes import DevListed, DevRandom
from benchmark.protocol.fold_schemes import Listed, ListedFold
from benchmark.protocol.folds import make_folds
from benchmark.text import count, some
from benchmark.types import Fold

log = logging.getLogger(__name__)

FILE = re.compile(r".+_(?P<set>train|valid|test)_fold(?P<separator>_?)(?P<fold>\d+)\.jsonl")
KEYS = ("wav", "audio")
# EmoBox's recipe: a random fifth of train, where it lists no dev set.
DEV_FRACTION = 0.2
BRACKETS = re.compile(r"[() ]")
NAMED = 3


def with_emobox_folds(dataset: Dataset, folder: Path) -> Dataset:
    """The same utterances in EmoBox's folds.

    Dev is EmoBox's own `valid`, or a random fifth of train where there is none. `speaker_independent` becomes what is
    true of these folds.

    What the protocol leaves out of the corpus, by name, filter or label map, is left out of the folds too, with a note.

    Args:
        dataset: A task of one corpus.
        folder: EmoBox's folder of the corpus, with its `fold_K`.

    Raises:
        MissingError: There are no such folds.
        UsageError: The task is between two corpora.
        BenchError: A line is no such JSON, or names a file that no utterance of the corpus has, or that several have.
    """
    if dataset.task.target is not None:
        raise UsageError(f"the folds of {dataset.task.name!r} divide a target corpus: EmoBox has none such")
    try:
        files, older = _files(folder)
    except OSError as error:
        raise BenchError(f"cannot read {error.filename or folder}: {error.strerror or error}", "who may?") from error
    with_dev = [name for name, sets in files.items() if "valid" in sets]
    if with_dev and len(with_dev) < len(files):
        raise BenchError(
            f"{folder} has valid files of the folds {', '.join(with_dev)} only", "of all folds, or of none"
        )
    known = _by_file_name(dataset)
    listed = [_fold(name, sets, dataset, known) for name, sets in sorted(files.items(), key=lambda item: int(item[0]))]
    for note in [*_left_out(listed, dataset), *older]:
        log.warning("%s: %s", dataset.task.name, note)
    used = {utterance.id for utterance in dataset.utterances}
    listed = [_kept(fold, used) for fold in listed]
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


def _left_out(folds: Sequence[ListedFold], dataset: Dataset) -> list[str]:
    """What the folds list and the protocol leaves out, in words."""
    listed = {name for fold in folds for name in (*(fold.train or ()), *fold.dev, *fold.test)}
    left = sorted(listed - {utterance.id for utterance in dataset.utterances})
    if not left:
        return []
    are = "is" if len(left) == 1 else "are"
    return [
        f"{count(len(left), 'utterance')} that the folds list {are} left out, as the protocol does: {some(left, NAMED)}"
    ]


def _kept(fold: ListedFold, used: Collection[str]) -> ListedFold:
    """The fold without what the protocol leaves out.

    Raises:
        BenchError: Nothing is left of a set.
    """
    listed = {"train": fold.train or [], "dev": fold.dev, "test": fold.test}
    kept = {which: [name for name in names if name in used] for which, names in listed.items()}
    for which, names in kept.items():
        if listed[which] and not names:
            raise BenchError(f"the protocol leaves out all that fold {fold.name} lists for {which}", "take other folds")
    return fold.model_copy(update=kept)


def _files(folder: Path) -> tuple[dict[str, dict[str, Path]], list[str]]:
    """The file of each set of each fold, and what is said of older lists beside them."""
    if not folder.is_dir():
        raise MissingError(f"there is no folder {folder}", "give EmoBox's folder of the corpus, with its fold_K")
    current: dict[tuple[str, str], Path] = {}
    older: dict[tuple[str, str], Path] = {}
    for path in sorted(files_below(folder)):
        match = FILE.fullmatch(path.name)
        if match is None:
            continue
        spelling = current if match["separator"] else older
        known = spelling.setdefault((str(int(match["fold"])), match["set"]), path)
        if known != path and known.read_bytes() != path.read_bytes():
            raise BenchError(
                f"{folder} has two files of {match['set']} of fold {match['fold']}: "
                f"{known.relative_to(folder)} and {path.relative_to(folder)}",
                "keep one of them, or give the folder of one corpus",
            )
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for (fold, which), path in {**older, **current}.items():
        found[fold][which] = path
    beside = sorted(older[key].name for key in older if key in current)
    notes = [f"{count(len(beside), 'older list')} beside the folds not read: {some(beside, NAMED)}"] if beside else []
    if not found:
        raise MissingError(
            f"there are no EmoBox folds in {folder}", "files there are named NAME_train_fold_1.jsonl, in fold_1"
        )
    for fold, sets in found.items():
        for which in ("train", "test"):
            if which not in sets:
                raise MissingError(f"{folder} has no {which} of fold {fold}")
    return found, notes


Known = Mapping[str, list[tuple[tuple[str, ...], str]]]  # folders and id, by the name of a file


def _fold(name: str, sets: Mapping[str, Path], dataset: Dataset, known: Known) -> ListedFold:
    train, test = (_ids(sets[which], known, dataset) for which in ("train", "test"))
    dev = _ids(sets["valid"], known, dataset) if "valid" in sets else []
    for path, ids in ((sets["test"], test), (sets["train"], train)):
        if not ids:
            raise BenchError(f"{path.name} lists no utterance", f"fold {name} has an empty set")
    for utterance, number in Counter([*train, *dev, *test]).items():
        if number > 1:
            raise BenchError(f"fold {name} in {sets['test'].parent} lists {utterance!r} twice", "in one set, and once")
    return ListedFold(name=name, train=train, dev=dev, test=test)


def _by_file_name(dataset: Dataset) -> Known:
    """Folders and id of every utterance of the corpus, by the name of its file as `_path_of` gives it."""
    known: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for utterance in dataset.listed:
        *folders, stem = _path_of(utterance.file)
        known[stem].append((tuple(folders), utterance.id))
    return known


def _path_of(file: str) -> tuple[str, ...]:
    """Folders and name without suffix, in lower case: packagings differ in case, suffix, and brackets in AESDD."""
    path = Path(file.replace("\\", "/"))
    return (*(part.lower() for part in path.parts[:-1]), BRACKETS.sub("", path.stem.lower()))


def _ids(path: Path, known: Known, dataset: Dataset) -> list[str]:
    ids = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            entry = json.loads(line)
            wav = next(entry[key] for key in KEYS if key in entry)
            *folders, stem = _path_of(str(wav))
        except (ValueError, StopIteration, TypeError, RecursionError) as error:
            raise BenchError(f"{path.name}, line {number}: no JSON object with 'wav'", "is it of EmoBox?") from error
        candidates = known.get(stem, [])
        # Names that several folders have are told apart by as many folders as it takes.
        for depth in range(1, len(folders) + 1):
            if len(candidates) > 1:
                candidates = [one for one in candidates if one[0][-depth:] == tuple(folders[-depth:])]
        if len(candidates) != 1:
            found = "several" if candidates else "none"
            raise BenchError(
                f"{path.name}, line {number}: {wav!r} is {found} of the {len(dataset.listed)} utterances of "
                f"the corpus {dataset.corpus_name!r}",
                "the folds must be of the same corpus, and all that they list must be here",
            )
        ids.append(candidates[0][1])
    return ids


def _lines(path: Path) -> Iterable[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"cannot read {path.name}: {error}") from error
