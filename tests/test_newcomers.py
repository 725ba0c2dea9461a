"""An upstream, a head or a task is added with one file: put there, it is listed, held to its contract, and run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from made_once import made_once
from toy import TONE_PLUGIN, TOY_TASK

ROOT = Path(__file__).parent.parent
PACKAGES = ("benchmark", "upstreams", "downstreams", "tasks", "leaderboard")
Commands = Callable[..., str]

# All in one process: what takes time is to import torch.
RUN = """
import json, sys
from benchmark.cli import main

for arguments in json.loads(sys.argv[1]):
    sys.argv = ["bench", *arguments]
    try:
        main()
    except SystemExit as leave:
        assert not leave.code, (arguments, leave.code)
"""


@pytest.fixture
def house(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the repository, of which a test has a copy."""

    def copy(folder: Path) -> None:
        left_out = shutil.ignore_patterns("__pycache__", "results")
        for package in PACKAGES:
            shutil.copytree(ROOT / package, folder / package, ignore=left_out)

    return Path(shutil.copytree(made_once(tmp_path_factory, "house", copy), tmp_path / "house"))


@pytest.fixture
def bench(house: Path, toy_corpus: Path) -> Commands:
    """Runs commands of the copy, and gives what they print."""

    def run(*commands: list[str]) -> str:
        environment = {**os.environ, "PYTHONPATH": str(house), "BENCH_DATA": str(toy_corpus.parent)}
        done = subprocess.run(
            [sys.executable, "-c", RUN, json.dumps(commands)],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            cwd=house,
            env=environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def of_plugin(start: str, end: str | None = None) -> str:
    """The source of one class of the toy plugin, as a module of its own."""
    begins = TONE_PLUGIN.index(start)
    return (
        '"""Added by a newcomer."""\n\nimport numpy as np\n\nfrom benchmark import Downstream, Features, Selection, '
        f"Upstream\n\n\n{TONE_PLUGIN[begins : TONE_PLUGIN.index(end) if end else None]}"
    )


def test_an_upstream_is_one_file(house: Path, bench: Commands, toy_task: Path, toy_corpus: Path) -> None:
    source = of_plugin("class Spectrum", "class Nearest")
    # Its bands are empty where there is less.
    source = source.replace("sample_rate = 16_000\n", "sample_rate = 16_000\n    min_duration = 0.01\n")
    (house / "upstreams/handcrafted/spectrum.py").write_text(source)
    shown = bench(
        ["list", "upstreams"],
        ["check", "upstream", "spectrum"],
        ["run", "-u", "spectrum", "-d", "svm", "-t", str(toy_task), "--data", f"toy={toy_corpus}", "--quiet"],
    )
    assert "spectrum" in shown.split("ok ", maxsplit=1)[0]
    assert "ok      features do not depend on the batch" in shown
    assert "UAR" in shown.splitlines()[-1]


def test_a_head_is_one_file(house: Path, bench: Commands, toy_task: Path, toy_corpus: Path) -> None:
    (house / "downstreams/heads/nearest.py").write_text(of_plugin("class Nearest"))
    shown = bench(
        ["list", "downstreams"],
        ["check", "downstream", "nearest"],
        ["run", "-u", "mfcc", "-d", "nearest", "-t", str(toy_task), "--data", f"toy={toy_corpus}", "--quiet"],
    )
    assert "nearest" in shown.split("ok ", maxsplit=1)[0]
    assert "FAILED" not in shown
    assert "UAR" in shown.splitlines()[-1]


def test_a_task_is_one_file(house: Path, bench: Commands, toy_corpus: Path) -> None:
    (house / "tasks/tones.yaml").write_text(yaml.safe_dump({**TOY_TASK, "name": "tones"}))
    here = ["--data", f"tones={toy_corpus}"]
    shown = bench(
        ["list", "tasks"],
        ["check", "task", "tones", *here],
        ["run", "-u", "mfcc", "-d", "svm", "-t", "tones", *here, "--quiet"],
    )
    assert "tones" in shown.split("ok ", maxsplit=1)[0]
    assert "FAILED" not in shown
    assert "UAR" in shown.splitlines()[-1]
