"""Half-written files: those of killed writers are found and removed, those that are being written are not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.io.files import machine, temporary_prefix
from benchmark.io.leftovers import OLD, leftovers, remove_leftovers

WRITER = "import os, sys, tempfile; from benchmark.io.files import temporary_prefix as p; import pathlib\n"
WRITER += "tempfile.mkstemp(prefix=p(), dir=sys.argv[1]); tempfile.mkdtemp(prefix=p(), dir=sys.argv[1])\n"
WRITER += "os.kill(os.getpid(), 9)"


def test_what_a_killed_process_was_writing_is_left_over(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path / "deep")], check=False, timeout=60)
    found = list(leftovers(tmp_path))
    assert len(found) == 2
    assert remove_leftovers(tmp_path, tmp_path / "nowhere") == 2
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [f"{temporary_prefix()}abc", ".writing-00000000-1-abc", f".writing-{machine()}-1-abc"],
    ids=["of this process", "of another machine", "of a process that lives"],
)
def test_what_somebody_may_be_writing_stays_for_a_day(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    assert remove_leftovers(tmp_path) == 0
    os.utime(path, (time.time() - OLD - 60,) * 2)
    assert remove_leftovers(tmp_path) == 1


def test_what_no_process_signed_is_left_over_and_other_files_are_not(tmp_path: Path) -> None:
    for name in (".writing-abc", ".writing-", "writing", ".hidden", "a.json"):
        (tmp_path / name).touch()
    assert sorted(path.name for path in leftovers(tmp_path)) == [".writing-", ".writing-abc"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / ".writing-abc").touch()
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "others")
    assert remove_leftovers(tmp_path / "mine") == 0
