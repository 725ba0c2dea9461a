"""The files of a corpus, by the names that its layout gives them, past what file systems and archives add."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark.errors import BenchError
from benchmark.io.files import is_hidden
from benchmark.text import some
from benchmark.types import Utterance

AUDIO_SUFFIXES = (".wav",)
NAMED = 3


def audio_files(root: Path, suffixes: Sequence[str] = AUDIO_SUFFIXES) -> Iterator[tuple[str, str]]:
    """Every audio file below a folder, past hidden files, `._` twins and `__MACOSX`.

    Args:
        root: The folder of the corpus.
        suffixes: Those of audio files, in lower case; files of other suffixes are passed over.

    Yields:
        (file, name): the POSIX path relative to `root` as it is on disk, for reading; and the same in composed
        characters (NFC), for matching and ids, as file systems and archives may decompose accents. Sorted by name.
    """
    found = []
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        is_junk = any(map(is_hidden, relative.parts))
        if path.suffix.lower() in suffixes and not is_junk and path.is_file():
            found.append((unicodedata.normalize("NFC", relative.as_posix()), relative.as_posix()))
    yield from ((file, name) for name, file in sorted(found))


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


def listed_once(corpus: str, utterances: Sequence[Utterance]) -> list[Utterance]:
    """The utterances sorted by id.

    Raises:
        BenchError: Two files claim one id, as where a corpus was unpacked twice.
    """
    files: dict[str, str] = {}
    for utterance in utterances:
        if utterance.id in files:
            raise BenchError(
                f"corpus {corpus}: {files[utterance.id]} and {utterance.file} are both utterance {utterance.id!r}",
                "was it unpacked twice? keep one",
            )
        files[utterance.id] = utterance.file
    return sorted(utterances, key=lambda utterance: utterance.id)
