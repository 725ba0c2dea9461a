"""Real processes behind a real scheduler: the same records, whoever is killed while they work."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engines import elsewhere, numbers
from made_once import made_once

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import TEMPORARY_PREFIX
from benchmark.io.settings import Settings
from benchmark.registry.registry import Registry
from benchmark.run.dask_engine import DaskEngine
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.run.spread import run_spread

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # dask's own

# So that there is time to kill somebody: 40 utterances and 8 units.
SLOWER = (
    ("type(self).encoded += 1", "import time; time.sleep(0.1)"),
    ("noise = np", "import time; time.sleep(0.3); noise = np"),
)
SCHEDULER = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
WORKER = ("distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--memory-limit", "0", "--no-nanny")


@pytest.fixture
def slow_plugin(plugin: Path) -> Path:
    text = plugin.read_text()
    for quick, slow in SLOWER:
        text = text.replace(quick, slow)
    plugin.write_text(text)
    return plugin


@pytest.fixture
def asked(toy_task: Path) -> Request:
    return Request(upstreams=["spectrum"], tasks=[str(toy_task)], downstreams=["nearest"])


@pytest.fixture
def go(asked: Request, slow_plugin: Path, progress) -> Callable[[Settings, DaskEngine], None]:
    def spread(settings: Settings, engine: DaskEngine) -> None:
        (outcome,) = run_spread(asked, Registry([str(slow_plugin)]), settings, progress, engine)
        assert outcome.score is not None
        assert not outcome.failed

    return spread


@pytest.fixture
def expected(
    asked: Request, slow_plugin: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory, progress
) -> dict[str, object]:
    """The records of one process, which takes its time once for all tests."""

    def make(root: Path) -> None:
        run(asked, Registry([str(slow_plugin)]), elsewhere(settings, root, "alone"), progress)

    root = made_once(tmp_path_factory, "spread", make)
    return numbers(elsewhere(settings, root, "alone"))


FIRST_SHARD = "cache/features/*/*.safetensors"
FIRST_RECORD = "results/*/*.json"


def when(there: Settings, pattern: str, act: Callable[[], None]) -> threading.Thread:
    """Act when a file matches: the first shard, or the first record."""

    def watch() -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if any(there.cache.parent.glob(pattern)):
                act()
                return
            time.sleep(0.01)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("moment", [FIRST_SHARD, FIRST_RECORD], ids=["encoding", "fitting"])
def test_a_worker_that_is_killed_costs_nothing(
    go: Callable, expected: dict[str, object], settings: Settings, tmp_path: Path, moment: str
) -> None:
    there = elsewhere(settings, tmp_path, "spread")
    with contextlib.closing(DaskEngine.local(2)) as engine:
        assert (engine.workers, engine.gpus) == (2, 0)
        victim = next(iter(engine.everywhere(os.getpid, tell=print).values()))
        killing = when(there, moment, lambda: os.kill(victim, signal.SIGKILL))
        go(there, engine)
        killing.join(timeout=1)
        assert not killing.is_alive()
        with pytest.raises(ProcessLookupError):
            os.kill(victim, 0)
    assert numbers(there) == expected


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the limit of another process is set on Linux alone")
@pytest.mark.parametrize("moment", [FIRST_SHARD, FIRST_RECORD], ids=["encoding", "fitting"])
def test_a_worker_whose_disk_takes_no_more_ends_the_run_and_what_is_finished_is_kept(
    go: Callable, expected: dict[str, object], settings: Settings, tmp_path: Path, moment: str
) -> None:
    there = elsewhere(settings, tmp_path, "spread")
    with contextlib.closing(DaskEngine.local(2)) as engine:
        victim = next(iter(engine.everywhere(os.getpid, tell=print).values()))
        limiting = when(there, moment, lambda: resource.prlimit(victim, resource.RLIMIT_FSIZE, (16, 16)))
        with pytest.raises(BenchError, match=f"cannot write {there.cache.parent}.*{os.strerror(errno.EFBIG)}"):
            go(there, engine)
        limiting.join(timeout=1)
    assert list(there.cache.parent.glob(moment))
    assert not list(there.cache.parent.rglob(f"{TEMPORARY_PREFIX}*"))
    with contextlib.closing(DaskEngine.local(1)) as engine:
        go(there, engine)
    assert numbers(there) == expected


@contextlib.contextmanager
def started(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of dask, ended in the end."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", *command], env={**os.environ, **environment}, **quiet)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_scheduler_that_is_lost_ends_the_run_and_what_is_finished_is_kept(
    go: Callable, expected: dict[str, object], settings: Settings, tmp_path: Path
) -> None:
    there, file = elsewhere(settings, tmp_path, "spread"), tmp_path / "scheduler.json"
    with started(*SCHEDULER, "--scheduler-file", str(file)) as scheduler:
        arguments = ("--scheduler-file", str(file), "--local-directory", str(tmp_path))
        with (
            started(*WORKER, *arguments),
            started(*WORKER, *arguments),
            contextlib.closing(DaskEngine.connect(f"file:{file}")) as engine,
        ):
            killing = when(there, FIRST_RECORD, scheduler.kill)
            with pytest.raises(BenchError, match="the scheduler is gone"):
                go(there, engine)
            killing.join(timeout=1)
    kept = numbers(there)
    assert 0 < len(kept) < len(expected)
    with contextlib.closing(DaskEngine.local(1)) as engine:
        go(there, engine)
    assert numbers(there) == expected


def test_a_worker_of_another_version_is_refused_by_name(go: Callable, settings: Settings, tmp_path: Path) -> None:
    other = tmp_path / "other_version.py"
    other.write_text("import benchmark\nbenchmark.__version__ = '0.0.0.dev0'\n")
    there, file = elsewhere(settings, tmp_path, "spread"), tmp_path / "scheduler.json"
    with started(*SCHEDULER, "--scheduler-file", str(file)):
        arguments = ("--scheduler-file", str(file), "--local-directory", str(tmp_path), "--preload", str(other))
        with (
            started(*WORKER, *arguments),
            contextlib.closing(DaskEngine.connect(f"file:{file}")) as engine,
            pytest.raises(BenchError, match=r"tcp://127\.0\.0\.1:\d+: serbench 0\.0\.0\.dev0 \(here "),
        ):
            go(there, engine)
    assert not any(there.cache.glob("features/*"))


def test_a_job_that_ends_every_process_is_given_up(tmp_path: Path) -> None:
    with contextlib.closing(DaskEngine.local(1)) as engine:
        engine.submit(os._exit, 1)
        engine.submit(abs, -3)
        first, second = sorted(engine.completed(print), key=lambda finished: finished.ticket)
    assert str(first.error).startswith("4 processes ended while they were at it")
    assert (second.value, second.error) == (3, None)


def is_there(group: int) -> bool:
    """Whether a group has a process left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("moment", [None, FIRST_RECORD], ids=["starting", "fitting"])
def test_a_terminals_interrupt_says_what_is_kept_and_leaves_nothing(
    toy_task: Path, slow_plugin: Path, toy_corpus: Path, tmp_path: Path, moment: str | None
) -> None:
    """Ctrl-C goes to every process of the terminal's group."""
    (tmp_path / "tmp").mkdir()
    given = {"--task": toy_task, "--plugin": slow_plugin, "--data": f"toy={toy_corpus}", "--results": "results"}
    options = [str(one) for pair in given.items() for one in pair]
    command = [str(Path(sys.executable).with_name("bench")), "run", "-u", "spectrum", "-d", "nearest", "--workers", "2"]
    environment = {**os.environ, "BENCH_CACHE": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "tmp")}
    process = subprocess.Popen(
        [*command, *options],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that put the tests in the background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - it sets a signal alone
    )
    end = time.monotonic() + 120
    while not any(tmp_path.glob(moment or "tmp/serbench-workers-*")) and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert not list((tmp_path / "tmp").glob("*dask*"))
    assert not list((tmp_path / "tmp").glob("serbench-workers-*"))
    while is_there(process.pid):  # those of its group end a little later, and somebody else waits for them
        assert time.monotonic() < end
        time.sleep(0.1)
    if moment is None:
        assert "interrupted before any worker was there: nothing was run" in told
    else:
        recorded = len(list((tmp_path / "results" / "toy").glob("*.json")))
        assert f"interrupted: {recorded} of 8 units recorded in results" in told


def test_where_no_worker_is_left_it_says_so_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.run.dask_engine.GLANCE", 0.1)
    monkeypatch.setattr("benchmark.run.dask_engine.LONELY", 0.5)
    told: list[str] = []
    with contextlib.closing(DaskEngine.local(1)) as engine:
        engine.submit(abs, -3, gpu=True)
        with pytest.raises(BenchError, match="no worker is left"):
            list(engine.completed(told.append))
    assert set(told) == {"no worker is left that could go on: waiting 0 s for one"}


def test_who_waited_for_a_worker_once_waits_as_long_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.run.dask_engine.GLANCE", 0.1)
    monkeypatch.setattr("benchmark.run.dask_engine.LONELY", 3.0)
    with contextlib.closing(DaskEngine.local(1)) as engine:
        monkeypatch.setattr(engine, "_can_go_on", lambda: False)
        for _ in range(3):
            engine.submit(time.sleep, 1.5)
        assert len(list(engine.completed(lambda text: None))) == 3


def test_a_gpu_that_no_worker_has_is_told(
    asked: Request, slow_plugin: Path, settings: Settings, tmp_path: Path, progress
) -> None:
    there = elsewhere(settings, tmp_path, "spread")
    with (
        contextlib.closing(DaskEngine.local(1)) as engine,
        pytest.raises(MissingError, match="--device cuda: no worker has a GPU"),
    ):
        run_spread(asked, Registry([str(slow_plugin)]), there, progress, engine, "cuda")


def test_a_worker_is_asked_between_its_jobs_and_reads_a_plugin_again_for_the_next_run(
    asked: Request, plugin: Path, settings: Settings, tmp_path: Path, progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = elsewhere(settings, tmp_path, "spread")
    monkeypatch.setattr("benchmark.run.dask_engine.GLANCE", 0.1)
    monkeypatch.setattr("benchmark.run.dask_engine.BUSY", 0.2)
    with contextlib.closing(DaskEngine.local(1)) as engine:
        engine.submit(time.sleep, 1.0)
        began, told = time.monotonic(), list[str]()
        engine.everywhere(os.getpid, tell=told.append)
        assert time.monotonic() - began > 0.5
        assert told == ["waiting for 1 worker, busy with what another run gave them"]
        list(engine.completed(print))
        run_spread(asked, Registry([str(plugin)]), there, progress, engine)
        changed = plugin.read_text().replace("noise = np", "noise = 1 * np")
        assert changed != plugin.read_text()
        plugin.write_text(changed)
        (outcome,) = run_spread(asked, Registry([str(plugin)]), there, progress, engine)
        assert (outcome.completed, outcome.kept) == (8, 0)


@pytest.mark.parametrize("said", ["", "{", "[]", "root:x:0:0"])
def test_a_file_of_no_scheduler_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr("benchmark.run.dask_engine.PATIENCE", 0.2)
    (tmp_path / "s.json").write_text(said)
    with pytest.raises(MissingError, match=r"s\.json is no scheduler file"):
        DaskEngine.connect(f"file:{tmp_path / 's.json'}")


@pytest.mark.parametrize("address", ["nowhere", "http://127.0.0.1:8786", "file:"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(UsageError, match="no scheduler can be at"):
        DaskEngine.connect(address)


def test_a_scheduler_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.run.dask_engine.PATIENCE", 0.5)
    with pytest.raises(MissingError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
        DaskEngine.connect("tcp://127.0.0.1:9")
    with pytest.raises(MissingError, match="there is no scheduler file"):
        DaskEngine.connect(f"file:{tmp_path / 'nothing.json'}")


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingError, match=r"serbench\[cluster\]"):
        DaskEngine.local(1)


def test_nothing_of_it_is_imported_without_it(toy_task: Path, settings: Settings, plugin: Path) -> None:
    seen = "print({'dask', 'distributed'} & set(sys.modules))"
    code = f"import sys; from benchmark.cli import main\ntry: main()\nfinally: {seen}"
    command = ["run", "-u", "spectrum", "-d", "nearest", "-t", str(toy_task), "--plugin", str(plugin), "--dry-run"]
    data = ["--data", f"toy={settings.find_data('toy')}"]
    done = subprocess.run([sys.executable, "-c", code, *command, *data], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
