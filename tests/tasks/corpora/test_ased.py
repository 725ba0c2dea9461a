"""ASED: a name that contradicts itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from trees.audio import write_wav

from benchmark.errors import BenchError
from tasks.corpora.ased import Ased

CORPUS = Ased()
Tree = Callable[[str], Path]


def test_ased_refuses_a_name_of_two_emotions(own: Tree) -> None:
    root = own("ased")
    write_wav(root / "05Angry/a4-03-01-02-50.wav", 0)
    with pytest.raises(BenchError, match=r"the letter and the number of 05Angry/a4-03-01-02-50\.wav are"):
        CORPUS.scan(root)
