"""From the folder of a corpus to its utterances, and a digest of what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from benchmark.base import Corpus
from benchmark.errors import BenchError, MissingError
from benchmark.io.files import digest
from benchmark.io.settings import Settings
from benchmark.types import Utterance

FIELDS = {field.name for field in fields(Utterance)}


def open_corpus(corpus: Corpus, settings: Settings, *names: str) -> Path:
    """The folder of a corpus on this machine; a corpus that needs no download is made.

    Raises:
        MissingError: It is not here; the message says how to get it and how to say where it is.
        BenchError: A folder on the way cannot be read or written.
    """
    try:
        root = settings.find_data(*names, corpus.name) or corpus.prepare(settings.cache / "corpora")
    except OSError as error:
        raise _unreadable(corpus, error) from error
    if root is None:
        raise MissingError(
            f"the corpus {corpus.name!r} is not here",
            f"{corpus.how_to_get}; then --data {(*names, corpus.name)[0]}=PATH, "
            f"or BENCH_DATA=FOLDER with {corpus.name}/ in it; bench data how-to {corpus.name} says more",
        )
    return root


def scan_corpus(corpus: Corpus, root: Path) -> list[Utterance]:
    """Scan a corpus.

    Raises:
        BenchError: Its folder or a file of it cannot be read, the scanner refuses it, gives an id twice, or an
            utterance that ends before it starts.
    """
    try:
        utterances = list(corpus.scan(root))
    except OSError as error:
        raise _unreadable(corpus, error) from error
    for utterance in utterances:
        start, end = utterance.start or 0.0, utterance.end
        if end is not None and not 0 <= start < end:
            raise BenchError(
                f"utterance {utterance.id!r} of {corpus.name!r} starts at {start:g} s and ends at {end:g} s",
                "it ends after it starts",
            )
    twice = [name for name, number in Counter(utterance.id for utterance in utterances).items() if number > 1]
    if twice:
        raise BenchError(
            f"the scanner of {corpus.name!r} gives the id {twice[0]!r} twice", "ids are unique within a corpus"
        )
    return utterances


def _unreadable(corpus: Corpus, error: OSError) -> BenchError:
    where = f": {error.filename}" if error.filename else ""
    return BenchError(
        f"cannot read the corpus {corpus.name!r}: {error.strerror or error}{where}", "who may read this folder?"
    )


def index_digest(utterances: Sequence[Utterance], extra: Iterable[str] = ()) -> str:
    """Digest of what can decide a number: ids, times, speakers, sessions, labels and splits.

    Not of where files lie, nor of what else a corpus tells: that depends on how it is packed, and on lists beside it
    that not everybody has.

    Args:
        utterances: What a scanner read.
        extra: Further fields (of `Utterance` or of its `extra`) that count, such as those that a protocol filters by.
    """
    return digest(index_content(utterances, extra))


def index_content(utterances: Sequence[Utterance], extra: Iterable[str]) -> list[list[object]]:
    """What the digest is of: the deciding fields of every utterance, as plain values."""
    names = sorted({"id", "start", "end", "speaker", "session", "labels", "split", *extra})
    return [[_field(utterance, name) for name in names] for utterance in utterances]


def _field(utterance: Utterance, name: str) -> object:
    return utterance.extra.get(name) if name not in FIELDS else getattr(utterance, name)
