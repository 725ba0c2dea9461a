"""SUBESCO: women and men in every fold."""

from __future__ import annotations

from collections import Counter

from trees.sets import Load, sizes, speakers


def test_subesco_has_as_many_women_as_men_in_every_fold(load: Load) -> None:
    dataset = load("subesco")
    assert [sizes(fold) for fold in dataset.folds] == [(5600, 0, 1400)] * 5
    assert all(sum(map(len, fold.inner)) == 5600 for fold in dataset.folds)
    for fold in dataset.folds:
        assert Counter(name[0] for name in speakers(dataset, fold.test)) == {"F": 2, "M": 2}
