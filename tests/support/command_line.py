"""The command line in a real process: `bench` with a standard output, an exit code and a memory of its own.

A process is forked from one that has imported the heavy libraries already, which takes seconds each time otherwise;
what has to be a process that starts from nothing (what help imports, completion, how quick it is) starts one itself.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

SCRIPT = Path(sys.executable).with_name("bench")
# Imported by the process that is forked from, and by no test's own choice.
HEAVY = ("torch", "transformers", "scipy.stats", "sklearn.svm", "soundfile", "soxr", "matplotlib", "benchmark.cli")
TIMEOUT = 120  # [s]

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([*HEAVY, "command_line"])


def bench(*arguments: object, code: int = 0, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own.

    Args:
        arguments: What follows `bench`.
        code: The exit code that it must have.
        cwd: Its working directory.

    Raises:
        AssertionError: The exit code is another one, or it did not end in two minutes.
    """
    command = [str(SCRIPT), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        streams = Path(folder) / "stdout", Path(folder) / "stderr"
        process = _forks.Process(
            target=_bench, args=(command, dict(os.environ), str(cwd or Path.cwd()), *map(str, streams))
        )
        process.start()
        process.join(TIMEOUT)
        if process.exitcode is None:
            process.kill()
        texts = [stream.read_text(encoding="utf-8") if stream.exists() else "" for stream in streams]
    assert process.exitcode == code, (process.exitcode, *texts)
    return subprocess.CompletedProcess(command, code, *texts)


def bench_apart(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the installed script, in a process that starts from nothing.

    Raises:
        AssertionError: The exit code is another one.
    """
    command = [str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def _bench(command: list[str], environment: Mapping[str, str], cwd: str, stdout: str, stderr: str) -> None:
    """What the forked process does."""
    from benchmark.cli import main

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = command
    for stream, path in ((sys.stdout, stdout), (sys.stderr, stderr)):
        stream.flush()
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream.fileno())
    main()
