"""TESS: each actress tests the other."""

from __future__ import annotations

from trees.sets import Load, sizes, speakers


def test_tess_selects_on_its_one_training_speaker(load: Load) -> None:
    dataset = load("tess")
    assert [(fold.name, sizes(fold)) for fold in dataset.folds] == [
        ("OAF", (1120, 280, 1400)),
        ("YAF", (1120, 280, 1400)),
    ]
    for fold in dataset.folds:
        assert speakers(dataset, fold.train) == speakers(dataset, fold.dev) != speakers(dataset, fold.test)
