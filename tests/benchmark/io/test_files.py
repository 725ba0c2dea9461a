"""Folders that can be written are told from those that cannot, before anything is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.io.files import check_writable


def test_a_folder_need_not_exist_and_is_not_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below", "file/far/below"])
def test_a_file_is_no_folder(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BenchError, match=rf"nothing can be written to {tmp_path / place}: Not a directory .*elsewhere"):
        check_writable(tmp_path / place, "elsewhere")


def test_what_the_system_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(BenchError, match="Permission denied"):
        check_writable(tmp_path, "")
