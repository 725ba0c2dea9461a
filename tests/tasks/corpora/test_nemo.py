"""nEMO: a table that lists more than there is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trees import nemo

from tasks.corpora.nemo import Nemo

CORPUS = Nemo()
Tree = Callable[[str], Path]


def test_nemo_may_lack_recordings_that_its_table_lists(own: Tree) -> None:
    root = own("nemo")
    (root / "samples/AA0_anger_1.wav").unlink()
    assert len(CORPUS.scan(root)) == sum(nemo.CLASSES.values()) - 1
