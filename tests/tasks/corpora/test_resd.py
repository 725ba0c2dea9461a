"""RESD: its splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from trees import resd

from benchmark.types import Utterance
from tasks.corpora.resd import Resd

CORPUS = Resd()
Scanned = Callable[[str], list[Utterance]]


def test_resd_has_most_dialogues_in_both_splits(scanned: Scanned) -> None:
    utterances = scanned("resd")
    assert Counter(u.split for u in utterances) == {"train": 1116, "test": 280}
    sides = {split: {u.session for u in utterances if u.split == split} for split in ("train", "test")}
    assert len(sides["train"]) == resd.DIALOGUES
    assert len(sides["train"] & sides["test"]) > 40
