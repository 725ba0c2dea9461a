"""SAVEE: who speaks where no folder says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import BenchError
from tasks.corpora.savee import Savee

CORPUS = Savee()


def test_savee_says_when_nobody_knows_who_speaks(tmp_path: Path) -> None:
    (tmp_path / "a01.wav").touch()
    with pytest.raises(BenchError, match=r"the name and the folder of a01.wav do not say who speaks"):
        CORPUS.scan(tmp_path)
