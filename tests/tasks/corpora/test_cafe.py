"""CaFE: names of folders as several programs unpack them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.corpora.cafe import Cafe

CORPUS = Cafe()


def test_a_folder_name_that_is_no_text_is_read(tmp_path: Path) -> None:
    """What some programs make of the archive on Linux: the bytes of an old code page."""
    folder = tmp_path / os.fsdecode(b"Col\x8are") / "Faible"
    try:
        folder.mkdir(parents=True)
    except OSError:
        pytest.skip("this file system has no such names")
    (folder / "01-C-1-1.wav").touch()
    (utterance,) = CORPUS.scan(tmp_path)
    assert (utterance.id, utterance.labels) == ("01-C-1-1", {"emotion": "anger"})
    assert (tmp_path / utterance.file).is_file()
