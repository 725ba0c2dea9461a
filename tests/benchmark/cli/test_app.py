"""How errors and characters leave the command line, whatever the terminal and whoever raised them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from boards_factory import system

from benchmark.cli.app import main
from benchmark.records import RecordStore

ASCII = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}


def apart(*arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from benchmark.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **env}, timeout=120)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "error: there is not enough memory\n"),
        (MemoryError("1 TB"), "error: there is not enough memory: 1 TB\n"),
        (RecursionError("deep"), "error: something that was read is nested too deeply"),
        (ZeroDivisionError("division by zero"), "error: ZeroDivisionError: division by zero in test_app.py, line "),
        (IndexError("list index\nout of range"), "error: IndexError: list index out of range in test_app.py"),
        (PermissionError(13, "Permission denied", "a.json"), "error: Permission denied: a.json\n"),
    ],
)
def test_any_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, told: str
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setitem(main.__globals__, "app", fail)
    monkeypatch.setattr(sys, "argv", ["bench"])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 1
    assert said.startswith(told)
    assert said.count("\n") == 1
    monkeypatch.setattr(sys, "argv", ["bench", "--debug"])
    with pytest.raises(type(error)):
        main()


def test_a_terminal_of_ascii_shows_what_it_can(tmp_path: Path) -> None:
    for record in system("good", 0.9):
        RecordStore(tmp_path / "records").write(record)
    done = apart("list", "corpora", "--json", **ASCII)
    assert json.loads(done.stdout.decode("ascii"))
    done = apart("leaderboard", "--results", str(tmp_path / "records"), "--out", str(tmp_path / "board"), **ASCII)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\xb1" in done.stdout  # plus or minus
    done = apart("show", "nothing-like-it-\N{LATIN SMALL LETTER I WITH DIAERESIS}", **ASCII)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: nothing is called")
    assert done.stderr.count(b"\n") == 1


def test_a_stream_that_is_no_file_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(sys, "argv", ["bench", "show", "nothing-like-it"])
    with pytest.raises(SystemExit):
        main()
    assert "nothing is called" in sys.stderr.getvalue()


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "command",
    [
        "list tasks",
        "show chance --json",
        "data how-to urdu --json",
        "--version",
        "--help",
        "compare good fair --results records",
        "submit --check bad.json --json",
    ],
)
def test_a_full_standard_output_is_one_line(command: str, unbuffered: str, tmp_path: Path) -> None:
    for name in ("good", "fair"):
        for record in system(name, 0.9 if name == "good" else 0.5):
            RecordStore(tmp_path / "records").write(record)
    (tmp_path / "bad.json").write_text("{}")
    script = [sys.executable, "-c", "from benchmark.cli import main; main()", *command.split()]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with FULL.open("w") as full:
        done = subprocess.run(
            script, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=env, cwd=tmp_path, timeout=120
        )
    full_line = "error: standard output cannot be written: No space left on device (is there room for it?)"
    own = ["error: 1 of 1 files are refused (the reasons are above)"] if "submit" in command and not unbuffered else []
    assert (done.returncode, done.stderr.splitlines()) == (1, [*own, full_line])


def test_a_reader_who_has_read_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
        script = [sys.executable, "-c", "from benchmark.cli import main; main()", "--version"]
        env = {**os.environ, "PYTHONUNBUFFERED": ""}
        done = subprocess.run(script, stdout=nobody, stderr=subprocess.PIPE, check=False, env=env, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
