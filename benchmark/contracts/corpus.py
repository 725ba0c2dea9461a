"""The contract of a corpus: what its scanner promises, on data that are complete."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from benchmark.base import Corpus
from benchmark.contracts.common import Check, require
from benchmark.data.scanning import open_corpus, scan_corpus
from benchmark.data.status import WRONG, count_parts, in_words
from benchmark.io.settings import Settings
from benchmark.types import Utterance

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # a BCP 47 tag, "und" included
SPLITS = ("train", "dev", "test", None)
NAMED = 3


class _Scanned:
    """A corpus, opened and scanned when a check first needs it."""

    def __init__(self, corpus: Corpus, settings: Settings) -> None:
        self.corpus, self.settings = corpus, settings

    @cached_property
    def root(self) -> Path:
        return open_corpus(self.corpus, self.settings)

    @cached_property
    def utterances(self) -> list[Utterance]:
        return scan_corpus(self.corpus, self.root)


def check_corpus(corpus: Corpus, settings: Settings) -> Iterator[Check]:
    """The checks of a corpus.

    Args:
        corpus: The scanner.
        settings: Where its data are.

    Raises:
        MissingError: (by a check) It is not here.
    """
    scanned = _Scanned(corpus, settings)
    yield Check("it says what it is, and its counts add up", lambda: _facts(corpus))
    yield Check("it is scanned twice alike and sorted, with unique ids", lambda: _stable(scanned))
    yield Check("ids and files do not depend on where it lies", lambda: _movable(scanned))
    yield Check("every field is well formed", lambda: _fields(scanned))
    yield Check("dimensions are on their scales", lambda: _scales(scanned))
    yield Check("it holds what its counts say", lambda: _complete(scanned))


def _facts(corpus: Corpus) -> None:
    for fact in ("licence", "citation", "homepage", "how_to_get"):
        require(bool(getattr(corpus, fact, "")), f"{corpus.name} has no {fact}", f"set {fact} in the class")
    is_tag = LANGUAGE.fullmatch(corpus.language) is not None
    require(is_tag, f"language is {corpus.language!r}", 'a BCP 47 tag such as "ur"; "und" where the data decide')
    for part, whole in corpus.counts.items():
        total = sum(whole.per_class.values())
        require(
            not whole.per_class or total == whole.utterances,
            f"the classes of {part!r} add up to {total}, and there are {whole.utterances} utterances",
            "count every label of the corpus",
        )


def _stable(scanned: _Scanned) -> None:
    first, second = scanned.utterances, scan_corpus(scanned.corpus, scanned.root)
    ids = [utterance.id for utterance in first]
    require(ids == sorted(ids), "the scanner gives utterances out of order", "sort them by id")
    require(first == second, "two scans differ", "a scan depends on the files alone")


def _movable(scanned: _Scanned) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # The last part of the name may tell a release.
        elsewhere = Path(folder) / scanned.root.name
        elsewhere.symlink_to(scanned.root.resolve(), target_is_directory=True)
        moved = scan_corpus(scanned.corpus, elsewhere)
    for here, there in zip(scanned.utterances, moved, strict=True):
        require(here == there, f"{here.id!r} is {there} elsewhere", "a scan depends on the corpus, not on its place")


def _fields(scanned: _Scanned) -> None:
    keys = set(scanned.utterances[0].extra) if scanned.utterances else set()
    for utterance in scanned.utterances:
        what = f"utterance {utterance.id!r} of {scanned.corpus.name}"
        path = PurePosixPath(utterance.file)
        require(
            not path.is_absolute() and ".." not in path.parts and "\\" not in utterance.file,
            f"{what} has the file {utterance.file!r}",
            "a POSIX path below the root",
        )
        require(utterance.split in SPLITS, f"{what} has the split {utterance.split!r}", "train, dev, test or None")
        for field in ("speaker", "session", "gender"):
            value = getattr(utterance, field)
            require(value is None or bool(value.strip()), f"{what} has the {field} {value!r}", "None where unknown")
        language = utterance.language
        require(language is None or bool(LANGUAGE.fullmatch(language)), f"{what} speaks {language!r}", "a BCP 47 tag")
        for name, label in utterance.labels.items():
            is_plain = isinstance(label, str | int | float) and not isinstance(label, bool)
            require(is_plain, f"{what} has the {name} {label!r}", "words and numbers")
        require(
            set(utterance.extra) == keys,
            f"{what} has the extra fields {sorted(utterance.extra)}, the first one {sorted(keys)}",
            "the same for all, None where unknown: protocols filter by them",
        )
        start, end = utterance.start or 0.0, utterance.end
        require(end is None or 0 <= start < end, f"{what} goes from {start} to {end} s", "start is before end")


def _scales(scanned: _Scanned) -> None:
    for utterance in scanned.utterances:
        for name, value in utterance.labels.items():
            if isinstance(value, str):
                continue
            require(
                name in scanned.corpus.scales or not scanned.corpus.scales,
                f"{utterance.id!r} has the dimension {name!r}, of which no scale is known",
                "add it to scales",
            )
            low, high = scanned.corpus.scales.get(name, (float("-inf"), float("inf")))
            require(low <= value <= high, f"{name} of {utterance.id!r} is {value}", f"from {low} to {high}")


def _complete(scanned: _Scanned) -> None:
    require(bool(scanned.utterances), "the scanner finds no utterance", scanned.corpus.how_to_get)
    parts = count_parts(scanned.corpus, scanned.utterances)
    wrong = [in_words(part) for part in parts if part.state in WRONG]
    # A part that is left away is none that is wrong; without it gaps speak of it too.
    if all(part.state in ("complete", "unknown") for part in parts):
        wrong += scanned.corpus.gaps(scanned.utterances)[:NAMED]
    require(not wrong, f"{scanned.corpus.name} is not whole: {'; '.join(wrong)}", scanned.corpus.how_to_get)
