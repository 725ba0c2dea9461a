"""What processes leave: of those that were killed it is found and removed, of those that are at it, it is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.io.files import machine, made_by, temporary_prefix
from benchmark.io.leftovers import OLD, leftovers, remove_leftovers, remove_scratch

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


def test_scratch_goes_with_its_process_however_old_it_is(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from benchmark.io.files import made_by; print(made_by())"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    gone = done.stdout.strip()
    goes = f"a-{gone}x"
    stays = {f"a-{made_by()}x", "a-00000000-1-x", f"a-{machine()}-1-x", "a-x", f"b-{gone}x"}
    for name in (*stays, goes):
        (tmp_path / name / "deep").mkdir(parents=True)
        os.utime(tmp_path / name, (time.time() - OLD - 60,) * 2)
    (tmp_path / "others").mkdir()
    (tmp_path / f"{goes}2").symlink_to(tmp_path / "others")
    remove_scratch(tmp_path, "a-")
    assert {path.name for path in tmp_path.iterdir()} == {*stays, "others", f"{goes}2"}


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / ".writing-abc").touch()
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "others")
    assert remove_leftovers(tmp_path / "mine") == 0
