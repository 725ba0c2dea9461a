"""RESD: its own split, with a dev set."""

from __future__ import annotations

import pytest
from trees.sets import Load, sizes


def test_resd_takes_a_tenth_of_train_as_dev(load: Load) -> None:
    dataset = load("resd")
    (fold,) = dataset.folds
    train, dev, test = sizes(fold)
    assert (train + dev, test) == (1116, 280)
    assert dev == pytest.approx(111.6, abs=4)
    assert not dataset.task.speaker_independent
    assert {dataset.by_id[i].split for i in fold.dev} == {"train"}
