"""MSP-IMPROV: the sizes of its sessions."""

from __future__ import annotations

from trees.sets import Load, sessions, sizes_by_fold

IMPROV = {"session1": 916, "session2": 1329, "session3": 1622, "session4": 1051, "session5": 1408, "session6": 1472}


def test_msp_improv_leaves_sessions_out(load: Load) -> None:
    dataset = load("msp-improv")
    assert sizes_by_fold(dataset, "test") == IMPROV
    assert sum(IMPROV.values()) == 7798
    for fold in dataset.folds:
        assert [len(sessions(dataset, held_out)) for held_out in fold.inner] == [1] * 5
        assert sessions(dataset, fold.train) == set(IMPROV) - {fold.name}
    assert sum(sizes_by_fold(load("msp-improv-dims"), "test").values()) == 8438
