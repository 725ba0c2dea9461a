"""CMU-MOSI: binary sentiment on its own folds."""

from __future__ import annotations

from trees.sets import Load, classes, sizes


def test_mosi_is_binary_without_zero_on_its_own_folds(load: Load) -> None:
    dataset = load("mosi-sentiment")
    (fold,) = dataset.folds
    assert sizes(fold) == (1231, 216, 656)
    assert classes(dataset, fold.test) == {"negative": 379, "positive": 277}
    assert dataset.left_out == {"label zero": 96}
    videos = [{dataset.by_id[i].session for i in ids} for ids in (fold.train, fold.dev, fold.test)]
    assert [len(names) for names in videos] == [52, 10, 31]
    assert all(float(dataset.by_id[i].labels["sentiment"]) > 0 for i in fold.test if dataset.labels[i] == "positive")
