"""What a scanner must read of a made corpus: said beside each tree, and met in tests/tasks/test_every_corpus.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.types import Utterance


@dataclass(frozen=True)
class Expected:
    """A made corpus, and all that the contract over every corpus asks of its scanner.

    Attributes:
        write: Writes the complete tree into a folder that is not there yet, or is empty.
        example: One utterance, with everything that names and lists tell of it.
        speakers: How many different ones are known.
        women: How many of them are said to be women; None where somebody is said to be both.
        options: For `write`.
        as_counted: Whether the tree holds what the corpus's `counts` say.
        strangers: Files that are nearly named as those of the corpus, and are refused by name.
        again: Where a second copy of the example is refused; None where a list decides what is read.
        lists: Without each of these nothing can be read; where there is none, names of files tell everything.
        folders: Those without recordings of which nothing can be read either.
        missing: Parts of ids, and what is said to be missing when the utterances whose ids hold one are not there.
        damage: List, what stands in it, what stands there instead, and a pattern of what is said then.
        packagings: Options for `write` with which the same utterances lie elsewhere.
        is_slow: Whether its tens of thousands of files take more than a few seconds.
    """

    write: Callable[..., Path]
    example: Utterance
    speakers: int
    women: int | None
    options: Mapping[str, object] = field(default_factory=dict)
    as_counted: bool = True
    strangers: tuple[str, ...] = ()
    again: str | None = None
    lists: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    missing: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    damage: tuple[tuple[str, str, str, str], ...] = ()
    packagings: tuple[Mapping[str, object], ...] = ()
    is_slow: bool = False
