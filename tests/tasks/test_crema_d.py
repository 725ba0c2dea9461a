"""CREMA-D: the file without audio stays out."""

from __future__ import annotations

from trees.sets import Load, speakers


def test_crema_d_leaves_out_the_file_without_audio(load: Load) -> None:
    dataset = load("crema-d")
    assert "1076_MTI_SAD_XX" not in dataset.by_id
    assert len(dataset.utterances) == 7441
    assert [len(speakers(dataset, fold.test)) for fold in dataset.folds] == [19, 18, 18, 18, 18]
