"""TurEV-DB: the folders that are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trees import turev_db

from benchmark.data.scanning import index_digest
from tasks.corpora.turev_db import TurevDB

CORPUS = TurevDB()
Tree = Callable[[str], Path]


def test_turev_db_reads_its_four_folders_alone_and_where_they_lie_at_the_top_too(tree: Tree) -> None:
    root = tree("turev-db")
    assert (root / turev_db.BASE / "noise sample.wav").is_file()
    assert not [u for u in CORPUS.scan(root) if "sample" in u.id or "Test" in u.file]
    at_top = CORPUS.scan(root / turev_db.BASE)
    assert index_digest(at_top) == index_digest(CORPUS.scan(root))
    assert at_top[0].file == "Angry/1157_kz_word00.wav"
