"""BAVED: speakers who may be one."""

from __future__ import annotations

import pytest
from trees.sets import Load


@pytest.mark.parametrize(
    ("one", "other"), [("46-", "53-"), ("39-f-6-", "100-f-6-"), ("41-f-40-", "102-f-40-"), ("42-f-22-", "103-f-22-")]
)
def test_baved_counts_two_speakers_who_may_be_one_as_one(load: Load, one: str, other: str) -> None:
    dataset = load("baved")
    assert all(any(u.id.startswith(start) for u in dataset.utterances) for start in (one, other))
    joined = {u.id for u in dataset.utterances if u.id.startswith((one, other))}
    assert {u.speaker for u in dataset.utterances if u.id in joined} == {one.partition("-")[0]}
    for fold in dataset.folds:
        assert any(joined <= set(ids) for ids in (fold.train, fold.dev, fold.test))
