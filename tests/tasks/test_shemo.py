"""ShEMO: fear is left out."""

from __future__ import annotations

from trees.sets import Load


def test_shemo_leaves_fear_out_and_says_so(load: Load) -> None:
    for name in ("shemo", "shemo-random"):
        dataset = load(name)
        assert dataset.left_out == {"label fear": 38}
        assert "Fear is left out" in dataset.task.note
