"""`bench publish` and `bench submit` in a real process: from a run to a file that continuous integration accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from boards_factory import system
from command_line import bench
from submissions import SALT, hidden, results, write

from benchmark.records import RecordStore


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A local store with two complete cells of the demo."""
    store = RecordStore(tmp_path / "local")
    for upstream in ("logmel", "mfcc"):
        for one in results("demo", upstream):
            store.write(one, predictions=b"id,truth\n")
    return store.root


def test_results_are_published_and_checked(local: Path, tmp_path: Path) -> None:
    out = tmp_path / "leaderboard/results"
    done = bench("publish", "--task", "demo", "--results", local, "--out", out)
    files = sorted(out.rglob("*"))
    assert [path.name for path in files] == ["demo", "logmel--superb.json", "mfcc--superb.json"]
    assert done.stdout.count("written: ") == 2
    done = bench("submit", "--check", *files[1:], cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"ok: {files[1]}: logmel + superb on demo: UAR ")
    assert lines[0].endswith("(12 units, 12 clusters)")
    assert lines[1] == "  note: tested on the same utterances as 1 published systems"
    assert "pull request" not in done.stdout
    done = bench("submit", files[1], cwd=tmp_path)
    assert "open a pull request" in done.stdout
    assert f"git add {files[1]}" in done.stdout


def test_what_cannot_be_submitted_is_said_where_it_is_published(local: Path, tmp_path: Path) -> None:
    """Rows of a task of somebody's own, and those of an older version of a registered one; not of any other."""
    out = ("--results", local, "--out", tmp_path / "out")
    assert bench("publish", "--task", "demo", *out).stderr == ""
    store = RecordStore(local)
    for name in ("toy", "urdu"):
        for one in system("ears", 0.5, task__name=name):
            store.write(one.model_copy(update={"clusters": one.clusters.model_copy(update={"salt": SALT})}))
    done = bench("publish", "--task", "toy", *out)
    assert "written: " in done.stdout
    assert done.stderr.startswith(
        "note: the task 'toy' is not registered: bench submit refuses these files, and bench l"
    )
    done = bench("publish", "--task", "urdu", *out)
    assert done.stderr.startswith("note: these are of another version of the task 'urdu' than is registered: ")


def test_only_what_is_asked_for_is_published(local: Path, tmp_path: Path) -> None:
    bench("publish", "-t", "demo", "-u", "mfcc", "--results", local, "--out", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/demo").iterdir()] == ["mfcc--superb.json"]
    done = bench("publish", "-t", "demo", "-u", "mfbb", "--results", local, code=2)
    assert "there are no records of the task 'demo' with the upstream 'mfbb'" in done.stderr
    two = ("-u", "mfcc", "-u", "mfbb", "-d", "superb")
    done = bench("publish", "-t", "demo", *two, "--results", local, "--out", tmp_path / "two", code=2)
    assert "with the upstream 'mfbb'" in done.stderr
    assert not (tmp_path / "two").exists()
    done = bench("publish", "-t", "demo", "-d", "svm", "--results", local, code=2)
    assert "with the downstream 'svm'" in done.stderr
    done = bench("publish", "-t", "urdu", "--results", local, code=2)
    assert "there are no such records of the task 'urdu'" in done.stderr
    done = bench("publish", "-t", "demo", "--results", tmp_path / "none", code=3)
    assert "there are no records in" in done.stderr


def test_a_file_that_is_refused_says_why(tmp_path: Path) -> None:
    good = write(tmp_path, hidden(results("demo")))
    bad = write(tmp_path, hidden(results("demo", "mfcc")))
    bad.write_text(bad.read_text().replace('"uar":0.', '"uar":0.9', 1))
    done = bench("submit", "--check", good, bad, "--against", tmp_path, code=1)
    assert f"ok: {good}" in done.stdout
    assert f"refused: {bad}\n  record " in done.stdout
    assert "but its statistics give" in done.stdout
    assert done.stderr == "error: 1 of 2 files are refused (the reasons are above)\n"
    one, other = json.loads(bench("submit", "--check", good, bad, "--against", tmp_path, "--json", code=1).stdout)
    assert (one["accepted"], one["task"], one["metric"], one["units"]) == (True, "demo", "uar", 12)
    assert (other["accepted"], other["score"]) == (False, None)
    assert len(other["reasons"]) == 1


def test_what_is_refused_is_printed_harmlessly(tmp_path: Path) -> None:
    path = tmp_path / "demo/x--y.json"
    path.parent.mkdir()
    path.write_text('{"common": {"\\u001b[31m[bold]": 1}, "units": [{}]}')
    done = bench("submit", path, code=1)
    assert "\x1b" not in done.stdout
    assert "holds the character U+001B" in done.stdout


def test_what_must_be_compared_is_not_passed_without(tmp_path: Path) -> None:
    path = write(tmp_path / "results", hidden(results("demo")))
    done = bench("submit", "--check", path, cwd=tmp_path)
    assert "nothing was found to compare it with" in done.stdout
    done = bench("submit", "--check", path, "--need-published", cwd=tmp_path, code=1)
    assert "1 of 1 files could be compared with no published result" in done.stderr
    write(tmp_path / "results", hidden(results("demo", "mfcc", tag=1)))
    bench("submit", "--check", path, "--need-published", "--against", tmp_path / "results", cwd=tmp_path)


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "results", hidden(results("demo")))
    done = bench("submit", "--check", path, tmp_path / "nothere.json", tmp_path, cwd=tmp_path, code=3)
    assert f"ok: {path}" in done.stdout
    assert done.stderr.startswith("error: 2 of 3 are no files")


def test_a_folder_to_compare_with_must_be_there(tmp_path: Path) -> None:
    """The default one may be missing; one that is asked for may not."""
    path = write(tmp_path / "results", hidden(results("demo")))
    bench("submit", "--check", path, cwd=tmp_path)
    done = bench("submit", "--check", path, "--against", tmp_path / "reslts", code=3)
    assert f"there is no folder {tmp_path / 'reslts'} to compare with" in done.stderr
