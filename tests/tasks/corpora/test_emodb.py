"""EmoDB: what its list of takes says beyond the names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmark.types import Utterance
from tasks.corpora.emodb import EmoDB

CORPUS = EmoDB()
Tree = Callable[[str], Path]
Scanned = Callable[[str], list[Utterance]]


def test_rejected_takes_of_emodb_do_not_count(tree: Tree, scanned: Scanned) -> None:
    listed = (tree("emodb") / "erkennung.txt").read_text(encoding="latin-1")
    assert "03a01Wf" in listed
    assert "03a01Wf" not in {utterance.id for utterance in scanned("emodb")}
