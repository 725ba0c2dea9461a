"""The files of a corpus, by the names that its layout gives them, past what file systems and archives add."""

from __future__ import annotations

import filecmp
import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from benchmark.errors import BenchError
from benchmark.io.files import names_below
from benchmark.text import count, some
from benchmark.types import Utterance

log = logging.getLogger(__name__)

AUDIO_SUFFIXES = (".wav",)
# In what else people keep copies of a corpus, the best first: where there is none as published, the first of these.
COPIES = (
    (".flac",),
    (".aif", ".aiff", ".aifc"),
    (".au", ".caf", ".w64"),
    (".ogg", ".oga", ".opus"),
    (".m4a",),
    (".mp3",),
)
NAMED = 3
Key = TypeVar("Key", bound=Hashable)


def audio_files(root: Path, suffixes: Sequence[str] = AUDIO_SUFFIXES) -> Iterator[tuple[str, str]]:
    """Every audio file below a folder, past hidden files, `._` twins and `__MACOSX`; folders behind links once each.

    Where there is none of the suffixes, files of the first kind of `COPIES` of which there are any, with a note.

    Args:
        root: The folder of the corpus.
        suffixes: Those of audio files, in lower case; files of other suffixes are passed over.

    Yields:
        (file, name): the POSIX path relative to `root` as it is on disk, for reading; and the same in composed
        characters (NFC), for matching and ids, as file systems and archives may decompose accents. Sorted by name.
    """
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for file in names_below(root) if root.is_dir() else ():
        found[PurePosixPath(file).suffix.lower()].append((unicodedata.normalize("NFC", file), file))
    for kind in (tuple(suffixes), *COPIES):
        if files := [file for suffix in kind for file in found[suffix]]:
            if kind != tuple(suffixes):
                log.warning("%s has no %s: its %s are read", root, " or ".join(suffixes), " and ".join(kind))
            yield from ((file, name) for name, file in sorted(files))
            return


def as_stored(root: Path, file: str) -> str:
    """The path of a recording that a list names, relative to the root: itself, or its copy of another suffix.

    Args:
        root: The folder of the corpus.
        file: As the corpus was published.

    Returns:
        What is there; `file` where nothing is.
    """
    path = root / file
    # To ask for every suffix takes a while where there are ten thousand recordings and none is here.
    if path.is_file() or not path.parent.is_dir():
        return file
    stem, _, suffix = file.rpartition(".")
    others = (f".{suffix.upper()}", *(one for kind in COPIES for one in kind))
    return next((f"{stem}{other}" for other in others if (root / f"{stem}{other}").is_file()), file)


def matched_files(
    corpus: str, root: Path, pattern: re.Pattern[str], example: str, suffixes: Sequence[str] = AUDIO_SUFFIXES
) -> Iterator[tuple[str, re.Match[str]]]:
    """Every audio file of a corpus whose file names say all there is to know.

    Args:
        corpus: Name of the corpus, for errors.
        root: Its folder.
        pattern: Matches the whole name of a file, without its folders and suffix, in composed characters (NFC).
        example: A file name that the corpus has, for errors.
        suffixes: Those of audio files.

    Yields:
        (file, match): the path relative to `root` as it is on disk, and what the pattern found in its name.

    Raises:
        BenchError: The folder holds no audio, or a file whose name the corpus does not have.
    """
    found, unexpected = [], []
    for file, name in audio_files(root, suffixes):
        match = pattern.fullmatch(name.rpartition("/")[2].rpartition(".")[0])
        if match is None:
            unexpected.append(name)
        else:
            found.append((file, match))
    if unexpected:
        raise BenchError(
            f"corpus {corpus}: unexpected file {some(unexpected, NAMED)}",
            f"remove what is not of the corpus, in which files are named like {example}",
        )
    if not found:
        raise BenchError(f"corpus {corpus}: there is no audio in {root}", f"files there are named like {example}")
    yield from found


def one_of_each(
    corpus: str, root: Path, files: Mapping[Key, Sequence[str]], claim: Callable[[Key], str]
) -> dict[Key, str]:
    """The file of each recording; of identical copies the first, with a note.

    Args:
        corpus: Name of the corpus.
        root: Its folder.
        files: Those that claim to be a recording, relative to the root.
        claim: What two of them are, for errors.

    Raises:
        BenchError: Two files that are not identical claim to be one recording.
    """
    doubled: list[str] = []
    for key, claiming in files.items():
        for file in claiming[1:]:
            if file == claiming[0] or not _identical(root / claiming[0], root / file):
                raise BenchError(
                    f"corpus {corpus}: {claiming[0]} and {file} {claim(key)}", "was it unpacked twice? keep one"
                )
            doubled.append(f"{file} = {claiming[0]}")
    if doubled:
        log.warning(
            "corpus %s: %s there twice, byte for byte, and counted once: %s",
            corpus,
            f"{count(len(doubled), 'file')} {'is' if len(doubled) == 1 else 'are'}",
            some(doubled, NAMED),
        )
    return {key: claiming[0] for key, claiming in files.items()}


def _identical(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def listed_once(corpus: str, utterances: Sequence[Utterance], root: Path) -> list[Utterance]:
    """The utterances sorted by id; of identical copies the first is taken, with a note.

    Raises:
        BenchError: Two files that are not identical claim one id.
    """
    by_id: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        by_id[utterance.id].append(utterance)
    files = one_of_each(
        corpus,
        root,
        {name: [utterance.file for utterance in claiming] for name, claiming in by_id.items()},
        lambda name: f"are both utterance {name!r}",
    )
    return [
        next(utterance for utterance in claiming if utterance.file == files[name])
        for name, claiming in sorted(by_id.items())
    ]
