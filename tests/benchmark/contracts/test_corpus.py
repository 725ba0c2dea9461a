"""The contract of a corpus refuses scanners that break it, naming what they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.base import Corpus
from benchmark.contracts import check_corpus
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import Settings, load_settings
from benchmark.types import CorpusCounts, Utterance

GOOD = [
    Utterance(
        f"u{n}",
        f"a/{n}.wav",
        speaker=f"s{n % 2}",
        language="ur",
        labels={"emotion": "sad", "arousal": 2.0},
        extra={"take": str(n)},
    )
    for n in range(4)
]


class Good(Corpus):
    """Four utterances."""

    name = "good"
    language = "ur"
    licence = citation = homepage = how_to_get = "none"
    counts = {"all": CorpusCounts(4, 2, {"sad": 4})}  # noqa: RUF012
    scales = {"arousal": (1, 5)}  # noqa: RUF012
    utterances: Sequence[Utterance] = GOOD

    def scan(self, root: Path) -> list[Utterance]:
        return list(self.utterances)


def broken(tmp_path: Path, corpus: Corpus) -> dict[str, str]:
    found = {}
    for check in check_corpus(corpus, Settings(tmp_path, tmp_path, {"good": tmp_path})):
        try:
            check.run()
        except BenchError as error:
            found[check.name] = str(error)
    return found


def variant(**attributes: Any) -> Corpus:
    return type("Variant", (Good,), attributes)()


def changed(**changes: Any) -> Callable[[Path], Corpus]:
    return lambda root: variant(utterances=[*GOOD[:2], replace(GOOD[2], **changes), GOOD[3]])


def test_a_good_one_keeps_it(tmp_path: Path) -> None:
    assert broken(tmp_path, Good()) == {}


@pytest.mark.parametrize(
    ("make", "check", "message"),
    [
        (lambda root: variant(licence=""), "it says what it is, and its counts add up", "good has no licence"),
        (lambda root: variant(language="Urdu!"), "it says what it is, and its counts add up", "language is 'Urdu!'"),
        (
            lambda root: variant(counts={"all": CorpusCounts(4, 2, {"sad": 3})}),
            "it says what it is, and its counts add up",
            "the classes of 'all' add up to 3",
        ),
        (
            lambda root: variant(utterances=GOOD[::-1]),
            "it is scanned twice alike and sorted, with unique ids",
            "out of order",
        ),
        (
            lambda root: variant(utterances=[*GOOD[:3], GOOD[2]]),
            "it is scanned twice alike and sorted, with unique ids",
            "gives the id 'u2' twice",
        ),
        (
            lambda root: variant(scan=lambda self, root: [replace(u, session=str(root)) for u in GOOD]),
            "ids and files do not depend on where it lies",
            "a scan depends on the corpus, not on its place",
        ),
        (changed(file="/etc/passwd"), "every field is well formed", "'u2' of good has the file '/etc/passwd'"),
        (changed(file="../u2.wav"), "every field is well formed", "has the file '../u2.wav'"),
        (changed(split="valid"), "every field is well formed", "has the split 'valid'"),
        (changed(speaker=" "), "every field is well formed", "has the speaker ' '"),
        (changed(extra={}), "every field is well formed", r"has the extra fields []"),
        (changed(start=2.0, end=1.0), "every field is well formed", "starts at 2 s and ends at 1 s"),
        (
            changed(labels={"emotion": "sad", "arousal": 7.0}),
            "dimensions are on their scales",
            "arousal of 'u2' is 7.0 (from 1 to 5)",
        ),
        (
            changed(labels={"emotion": "sad", "valence": 2.0}),
            "dimensions are on their scales",
            "the dimension 'valence', of which no scale is known",
        ),
        (
            lambda root: variant(utterances=GOOD[:3]),
            "it holds what its counts say",
            "good is not whole: 3 utterances instead of 4",
        ),
        (
            lambda root: variant(utterances=[*GOOD, replace(GOOD[3], id="u4")]),
            "it holds what its counts say",
            "good is not whole: 5 utterances instead of 4",
        ),
        (
            lambda root: variant(gaps=lambda self, utterances: ["u9 is missing"]),
            "it holds what its counts say",
            "good is not whole: u9 is missing",
        ),
        (lambda root: variant(utterances=[], counts={}), "it holds what its counts say", "finds no utterance"),
    ],
)
def test_a_broken_promise_is_named(tmp_path: Path, make: Callable[[Path], Corpus], check: str, message: str) -> None:
    assert message in broken(tmp_path, make(tmp_path))[check]


def test_a_corpus_that_is_not_here_is_missing_and_not_broken() -> None:
    checks = {check.name: check for check in check_corpus(Good(), load_settings())}
    checks["it says what it is, and its counts add up"].run()
    with pytest.raises(MissingError, match="the corpus 'good' is not here"):
        checks["every field is well formed"].run()
