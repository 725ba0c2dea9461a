"""Files below folders; and folders that can be written are told from those that cannot, before anything is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.io.files import check_writable, files_below, names_below


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


def test_files_below_a_folder_are_named_in_order_and_links_that_lead_nowhere_are_among_them(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/1.txt", "a.txt", ".hidden/x", "b/._1.txt", "__MACOSX/x", "a/z/deep.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "file").symlink_to("a.txt")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("there")
    (tmp_path / "again").symlink_to("b")
    names = ["a.txt", "file", "loop", "nowhere", "a/z/deep.txt", "b/1.txt", "b/2.txt"]
    assert list(names_below(tmp_path)) == names
    assert list(files_below(tmp_path)) == [tmp_path / name for name in names]
    with pytest.raises(FileNotFoundError):
        list(files_below(tmp_path / "nobody"))
