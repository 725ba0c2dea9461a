"""A unit of work is plain values: another process makes the same record of it, or says why it cannot."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel

from benchmark.errors import BenchError, UsageError
from benchmark.io.settings import Settings
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import CellPlan, Request, make_plan, setup_of
from benchmark.run.unit import Setup
from benchmark.run.worker import Worker, check_head

PLAIN = (str, int, float, bool, type(None), Path)
ROOT = Path(__file__).parents[3]
ELSEWHERE = """
import pickle, sys
from contextlib import nullcontext
from types import SimpleNamespace
from benchmark.run.worker import Worker

quiet = SimpleNamespace(
    note=lambda text: None,
    stage=lambda title, total: nullcontext(lambda count: None),
    encoding=lambda *about: nullcontext(lambda count, audio: None),
)
setup, units = pickle.load(sys.stdin.buffer)
worker = Worker(setup)
for unit in units:
    sys.stdout.write(worker.fit(unit, "cpu", quiet).record.model_dump_json() + "\\n")
"""


def not_plain(value: object, where: str = "") -> list[str]:
    """What in a value is neither a plain value nor made of such."""
    if isinstance(value, PLAIN):
        return []
    if isinstance(value, BaseModel):
        return not_plain(value.model_dump(), where)
    if is_dataclass(value):
        return [
            one for field in fields(value) for one in not_plain(getattr(value, field.name), f"{where}.{field.name}")
        ]
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in not_plain(inner, f"{where}[{key!r}]")]
    if isinstance(value, list | tuple | set | frozenset):
        return [one for inner in value for one in not_plain(inner, where)]
    return [f"{where}: {type(value).__name__}"]


@pytest.fixture
def planned(toy_task: Path, plugin: Path, settings: Settings, progress) -> tuple[Setup, CellPlan]:
    asked = Request(["spectrum"], [str(toy_task)], ["nearest"])
    registry = Registry([str(plugin)])
    setup = setup_of(asked, settings, registry.plugins)
    (cell,) = make_plan(asked, Worker(setup, registry), progress)
    return setup, cell


def test_a_plan_is_plain_values(planned: tuple[Setup, CellPlan]) -> None:
    setup, cell = planned
    assert len(cell.units) == 8
    assert not_plain(setup) == not_plain(cell) == []
    assert not_plain({"model": object()}) == ["['model']: object"]


def elsewhere(setup: Setup, units: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Fit units in a process of its own, which is told nothing else."""
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input=pickle.dumps((setup, units)),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
    )


def test_another_process_makes_the_same_records(
    planned: tuple[Setup, CellPlan], toy_task: Path, plugin: Path, settings: Settings, progress
) -> None:
    setup, cell = planned
    done = elsewhere(setup, cell.units)
    assert done.returncode == 0, done.stderr.decode()
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    run(Request(["spectrum"], [str(toy_task)], ["nearest"]), Registry([str(plugin)]), settings, progress, "cpu")
    for unit, record in zip(cell.units, theirs, strict=True):
        mine = json.loads((settings.results / "toy" / f"{unit.id}.json").read_bytes())
        del mine["sha256"]
        for one in (mine, record):
            del one["cost"], one["provenance"]["created"]
        assert record == mine


def test_a_unit_that_would_be_another_one_is_refused(planned: tuple[Setup, CellPlan], plugin: Path) -> None:
    setup, cell = planned
    plugin.write_text(plugin.read_text().replace("np.abs(", "2 * np.abs("))  # the code there is not the code here
    done = elsewhere(setup, cell.units[:1])
    assert done.returncode != 0
    assert b"is another unit here than in the plan" in done.stderr


def test_features_are_kept_from_unit_to_unit(planned: tuple[Setup, CellPlan], progress) -> None:
    setup, cell = planned
    worker = Worker(setup)
    results = [worker.fit(unit, "cpu", progress) for unit in cell.units]
    assert [title for title, *_ in progress.encoded] == ["encode toy with spectrum"]
    assert {result.record.status for result in results} == {"completed"}


def test_work_that_cannot_be_had_is_a_record_that_says_why(planned: tuple[Setup, CellPlan], progress) -> None:
    setup, cell = planned
    worker = Worker(setup)
    worker.material(cell.names.task, progress)
    result = worker.failed(cell.units[0], "the upstream fails", "cpu", progress)
    assert (result.record.status, result.record.reason, result.predictions) == ("failed", "the upstream fails", None)
    assert result.record.id == cell.units[0].id


def test_a_worker_needs_what_it_is_told(planned: tuple[Setup, CellPlan], settings: Settings) -> None:
    _, cell = planned
    with pytest.raises(BenchError, match="unknown upstream 'spectrum'"):
        Worker(Setup(settings)).upstream(cell.names.upstream)


@pytest.mark.parametrize(("head", "seeds", "refused"), [("nearest", 2, True), ("nearest", 3, False), ("svm", 1, False)])
def test_a_task_gives_its_own_head_three_seeds_or_it_has_none(
    toy_task: Path, plugin: Path, head: str, seeds: int, refused: bool
) -> None:
    """A head that somebody else brings may have fewer, and is flagged on the board."""
    registry = Registry([str(plugin)])
    task = registry.task(str(toy_task)).model_copy(update={"downstream": head, "seeds": list(range(seeds))})
    check_head(task, "svm" if head == "nearest" else "nearest", registry.downstream("nearest"))
    if not refused:
        check_head(task, head, registry.downstream(head))
        return
    with pytest.raises(UsageError, match="the task 'toy' has 2 seeds, and its downstream 'nearest' depends on them"):
        check_head(task, head, registry.downstream(head))
