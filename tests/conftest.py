"""Fixtures: a toy corpus of tones with its protocol, and a machine without any corpus, weights or configuration."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from toy import TONE_PLUGIN, TOY_TASK, write_toy_corpus

from benchmark.io.settings import Settings, load_settings
from benchmark.threads import threads

# Read when torch is first imported, here and in the processes that tests start: several threads for each of several
# test processes keep waiting for each other, which costs as much again as the tests themselves.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Where a test asks for two, one that waits for the other sleeps, and does not burn what the other needs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Processes that tests start compile the project once between them, also where Python is told not to keep what it did.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


# A folder in memory: tests write two hundred thousand small files, of made corpora above all, and delete them again.
IN_MEMORY, ENOUGH = Path("/dev/shm"), 6 * 2**30  # bytes of it that must be free


def pytest_configure() -> None:
    """Let temporary folders lie in memory where there is room; `PYTEST_DEBUG_TEMPROOT` and --basetemp decide first."""
    if hasattr(os, "statvfs") and IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK):
        found = os.statvfs(IN_MEMORY)
        if found.f_bavail * found.f_frsize >= ENOUGH and not found.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders, one for each test, that are not there; beside them, for all, a configuration that says nothing."""
    top = tmp_path_factory.mktemp("machines")
    (top / "config.yaml").write_text("data: {}\n")
    (top / "config.yaml").chmod(0o444)
    return (top / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def lonely_machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, machines: Iterator[Path]) -> None:
    """No test uses the user's own cache, results or configuration, nor real data unless it is marked `corpora`."""
    folder = next(machines)
    if request.node.get_closest_marker("corpora") is None:
        monkeypatch.delenv("BENCH_DATA", raising=False)
        monkeypatch.delenv("BENCH_WEIGHTS", raising=False)
    monkeypatch.setenv("BENCH_CACHE", str(folder / "cache"))
    monkeypatch.setenv("BENCH_RESULTS", str(folder / "results"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.setenv("BENCH_CONFIG", str(folder.with_name("config.yaml")))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread, as in a run: numbers as on any machine, and threads cost small models more than they give."""
    with threads(1):
        yield


@pytest.fixture(scope="session")
def toy_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy corpus; not to be changed."""
    return write_toy_corpus(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def own_toy_corpus(tmp_path: Path) -> Path:
    """A toy corpus that the test may damage."""
    return write_toy_corpus(tmp_path / "toy-corpus")


@pytest.fixture
def toy_task(tmp_path: Path) -> Path:
    """The protocol of the toy corpus."""
    path = tmp_path / "toy.yaml"
    # Sorted, so that the text is the same where a package that was imported made YAML keep the order of keys.
    path.write_text(yaml.safe_dump(json.loads(json.dumps(TOY_TASK, sort_keys=True))))
    return path


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A file with the upstream `spectrum` and the head `nearest`."""
    path = tmp_path / "tone_plugin.py"
    path.write_text(TONE_PLUGIN)
    return path


@pytest.fixture
def settings(toy_corpus: Path) -> Settings:
    """Settings of the lonely machine that know the toy corpus."""
    return load_settings([f"toy={toy_corpus}"])


class Silence:
    """Progress that is not shown, but remembered."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.encoded: list[list] = []

    def stage(self, title: str, total: int):
        """A stage of known length."""
        from contextlib import nullcontext

        del title, total
        return nullcontext(lambda count: None)

    def encoding(self, title: str, utterances: int, seconds: float):
        """Encoding so many utterances; what was done is counted."""
        from contextlib import nullcontext

        self.encoded.append([title, utterances, seconds, 0, 0.0])

        def advance(count: int, audio: float) -> None:
            self.encoded[-1][3] += count
            self.encoded[-1][4] += audio

        return nullcontext(advance)

    def note(self, text: str) -> None:
        """Remember it."""
        self.notes.append(text)

    problem = note


@pytest.fixture
def progress() -> Silence:
    """Progress that is not shown."""
    return Silence()
