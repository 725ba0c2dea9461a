"""MELD: its own folds without the broken clips."""

from __future__ import annotations

import pytest
from trees import meld
from trees.sets import Load, classes, sizes


@pytest.mark.slow
def test_meld_has_its_own_folds_without_the_two_broken_clips(load: Load) -> None:
    dataset = load("meld")
    (fold,) = dataset.folds
    assert sizes(fold) == (9988, 1108, 2610)
    assert {meld.DAMAGED, meld.ABSENT}.isdisjoint(dataset.by_id)
    assert dataset.left_out == {"broken in the release, without sound that can be read": 2}
    assert classes(dataset, fold.test) == dict(zip(meld.EMOTIONS, meld.SPLITS["test"][3], strict=True))
    assert not dataset.task.speaker_independent
