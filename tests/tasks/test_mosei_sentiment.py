"""CMU-MOSEI: binary sentiment on its own folds."""

from __future__ import annotations

import pytest
from trees.sets import Load, sizes


@pytest.mark.slow
def test_mosei_is_binary_without_zero_on_its_own_folds(load: Load) -> None:
    dataset = load("mosei-sentiment")
    (fold,) = dataset.folds
    assert sizes(fold) == (12786, 1438, 3634)
    assert dataset.left_out == {"split is not train or dev or test": 403, "label zero": 4998}
    videos = [{dataset.by_id[i].session for i in ids} for ids in (fold.train, fold.dev, fold.test)]
    assert [len(names) for names in videos] == [2249, 300, 678]
