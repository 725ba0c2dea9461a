"""M3ED: its own folds."""

from __future__ import annotations

import pytest
from trees.sets import Load, sizes


@pytest.mark.slow
def test_m3ed_has_its_own_folds_of_different_series(load: Load) -> None:
    dataset = load("m3ed")
    (fold,) = dataset.folds
    assert sizes(fold) == (17420, 2819, 4198)
    assert dataset.left_out == {"recording is not full": 12}
    series = [{dataset.by_id[i].extra["drama"] for i in ids} for ids in (fold.train, fold.dev, fold.test)]
    assert [len(names) for names in series] == [38, 7, 11]
    assert dataset.task.speaker_independent
    assert len({utterance.speaker for utterance in dataset.utterances}) == 626
