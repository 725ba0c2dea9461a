"""On several workers a run makes the records that it makes on one, in whatever order they work and whoever is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from engines import HereEngine, elsewhere, numbers

from benchmark.errors import BenchError
from benchmark.io.settings import Settings
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run import jobs
from benchmark.run.loop import run
from benchmark.run.outcomes import CellOutcome
from benchmark.run.plan import Request
from benchmark.run.spread import FIRST_PIECE_S, PIECE_S, Filling, _Spread, by_fold, evened, run_spread
from benchmark.run.unit import Names, PlannedUnit

CELL = Names("task", "upstream", "downstream")


@pytest.fixture
def asked(toy_task: Path) -> Request:
    """Two cells that share features, and a fusion that shares some of them."""
    return Request(upstreams=["spectrum", "spectrum+chance"], tasks=[str(toy_task)], downstreams=["nearest", "svm"])


@pytest.fixture
def go(asked: Request, plugin: Path, progress) -> Callable[..., list[CellOutcome]]:
    """Run it on an engine."""

    def spread(settings: Settings, engine: HereEngine, request: Request = asked) -> list[CellOutcome]:
        return run_spread(request, Registry([str(plugin)]), settings, progress, engine)

    return spread


@pytest.fixture
def expected(asked: Request, plugin: Path, settings: Settings, tmp_path: Path, progress) -> Settings:
    """Where one process has run it."""
    alone = elsewhere(settings, tmp_path, "alone")
    run(asked, Registry([str(plugin)]), alone, progress)
    return alone


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_records_are_those_of_one_process(
    go: Callable, expected: Settings, settings: Settings, tmp_path: Path, newest_first: bool
) -> None:
    there = elsewhere(settings, tmp_path, "spread")
    outcomes = go(there, HereEngine(newest_first=newest_first))
    assert numbers(there) == numbers(expected)
    assert all(outcome.completed and outcome.score is not None and not outcome.failed for outcome in outcomes)
    predictions = {path.name: path.read_bytes() for path in there.results.glob("*/*.csv")}
    assert predictions == {path.name: path.read_bytes() for path in expected.results.glob("*/*.csv")}


def test_every_recording_is_encoded_once_and_every_unit_fitted_once(
    go: Callable, settings: Settings, tmp_path: Path
) -> None:
    engine = HereEngine()
    go(elsewhere(settings, tmp_path, "spread"), engine)
    pieces = [arguments[1] for job, arguments, _ in engine.handed_over if job is jobs.encode]
    encoded = [(piece.folder, key) for piece in pieces for key in piece.keys]
    assert len(encoded) == len(set(encoded)) == 2 * 40
    units = [unit.id for job, arguments, _ in engine.handed_over if job is jobs.fit for unit in arguments[1]]
    assert len(units) == len(set(units))


def test_a_second_run_hands_nothing_over(go: Callable, settings: Settings, tmp_path: Path) -> None:
    there = elsewhere(settings, tmp_path, "spread")
    go(there, HereEngine())
    again = HereEngine()
    outcomes = go(there, again)
    assert not again.handed_over
    assert all(outcome.kept and not outcome.completed for outcome in outcomes)


def test_units_of_a_lost_job_fail_with_their_reason_and_the_others_go_on(
    go: Callable, asked: Request, settings: Settings, tmp_path: Path
) -> None:
    there = elsewhere(settings, tmp_path, "spread")
    engine = HereEngine(lose=lambda job, order, units: job is jobs.fit and units[0].fold == "anna")
    outcomes = go(there, engine)
    for outcome in outcomes:
        assert outcome.failed
        assert all(label.startswith("fold anna") for label in outcome.failed)
        assert set(outcome.failed.values()) == {"4 processes ended while they were at it"}
        assert outcome.completed
    statuses = [record.status for record in RecordStore(there.results)]
    assert statuses.count("failed") == sum(len(outcome.failed) for outcome in outcomes)
    retry = Request(asked.upstreams, asked.tasks, asked.downstreams, rerun="failed")
    assert not any(outcome.failed or outcome.failed_earlier for outcome in go(there, HereEngine(), retry))


def test_an_upstream_that_fails_fails_its_own_cells_alone(
    plugin: Path, toy_task: Path, settings: Settings, tmp_path: Path, progress
) -> None:
    deaf = plugin.read_text().replace('name = "spectrum"', 'name = "deaf"', 1)
    deaf = deaf.replace("type(self).encoded += 1", 'raise RuntimeError("heard nothing")', 1).replace("Spectrum", "Deaf")
    other = tmp_path / "deaf_plugin.py"
    other.write_text(deaf.replace('name = "nearest"', 'name = "nearest-to-the-deaf"'))
    request = Request(upstreams=["deaf", "chance"], tasks=[str(toy_task)], downstreams=["nearest"])
    there, alone = elsewhere(settings, tmp_path, "spread"), elsewhere(settings, tmp_path, "alone")
    registry = Registry([str(plugin), str(other)])
    failed, fine = run_spread(request, registry, there, progress, HereEngine())
    run(request, registry, alone, progress)
    assert numbers(there) == numbers(alone)
    assert len(failed.failed) == 8
    assert all("heard nothing" in reason for reason in failed.failed.values())
    assert fine.completed
    assert not fine.failed


def test_what_concerns_more_than_a_unit_stops_the_run_and_what_is_finished_is_kept(
    go: Callable, expected: Settings, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, write, written = elsewhere(settings, tmp_path, "spread"), RecordStore.write, []

    def full(self: RecordStore, *result: object) -> None:
        if len(written) == 3:
            raise BenchError("the disk is full")
        written.append(result)
        write(self, *result)

    with monkeypatch.context() as context:
        context.setattr(RecordStore, "write", full)
        with pytest.raises(BenchError, match="the disk is full"):
            go(there, HereEngine())
    assert len(numbers(there)) == 3
    go(there, HereEngine())
    assert numbers(there) == numbers(expected)


def test_workers_that_differ_are_named_with_what_differs(
    go: Callable, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(HereEngine):
        def everywhere(self, job, *arguments, tell):
            here = super().everywhere(job, *arguments, tell=tell)
            return {"tcp://10.0.0.7:1": {**here["here"], "torch": "1.0"}, **here}

    engine = Other()
    with pytest.raises(BenchError, match=r"differ from this process:\n  tcp://10\.0\.0\.7:1: torch 1\.0 \(here "):
        go(elsewhere(settings, tmp_path, "spread"), engine)
    assert not engine.handed_over


def test_a_worker_that_joins_later_with_other_versions_is_refused(
    go: Callable, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(HereEngine):
        def completed(self, tell):
            here = dict(jobs.versions_here())
            monkeypatch.setattr(jobs, "versions_here", lambda: tuple({**here, "torch": "1.0"}.items()))
            return super().completed(tell)

    with pytest.raises(BenchError, match=r"has torch 1\.0 instead of "):
        go(elsewhere(settings, tmp_path, "spread"), Late())


def test_a_worker_without_a_plug_in_or_a_corpus_is_named(
    go: Callable, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bare(HereEngine):
        def everywhere(self, job, order, cells, tell):
            def missing(*arguments: object) -> None:
                raise BenchError("the plug-in tone_plugin.py is not there")

            with monkeypatch.context() as context:
                context.setattr(jobs, "_worker", missing)
                return {"tcp://10.0.0.7:1": job(order, cells)}

    with pytest.raises(BenchError, match=r"tcp://10\.0\.0\.7:1: .*unknown"):
        go(elsewhere(settings, tmp_path, "spread"), Bare())


def test_pieces_are_as_long_as_their_work_and_shorter_towards_the_end() -> None:
    store = Filling(cell=SimpleCell(), name="folder", todo=[(str(number), 5.0) for number in range(200)])
    first = store.next_piece(workers=2)
    assert first.audio_s == FIRST_PIECE_S
    store.audio_s, store.seconds = 60.0, 12.0  # five times as fast as the recordings last
    assert store.next_piece(workers=2).audio_s == PIECE_S * 5
    sizes = []
    while store.todo:
        sizes.append(len(store.next_piece(workers=2).keys))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1
    assert sum(sizes) + 12 + 30 == 200


@pytest.mark.parametrize(
    ("folds", "seeds", "workers", "before", "expected"),
    [
        (3, 5, 2, 0, [5, 5, 3, 2]),  # the third fold is shared
        (4, 5, 2, 0, [5, 5, 5, 5]),
        (4, 5, 2, 1, [5, 5, 5, 3, 2]),  # one of another cell is still fitted
        (1, 5, 8, 0, [1, 1, 1, 1, 1]),  # no more pieces than seeds
        (1, 1, 2, 0, [1]),
        (5, 2, 3, 0, [2, 2, 2, 2, 2]),  # two are left for three workers: one each, and nobody for a third piece
        (2, 5, 3, 2, [5, 2, 2, 1]),
        (3, 5, 1, 0, [5, 5, 5]),
    ],
)
def test_the_seeds_of_the_last_folds_are_shared_by_workers_without_one(
    folds: int, seeds: int, workers: int, before: int, expected: list[int]
) -> None:
    units = [
        PlannedUnit(f"{fold}-{seed}", CELL, str(fold), seed, "official")
        for fold in range(folds)
        for seed in range(seeds)
    ]
    found = evened(by_fold(units), workers, before)
    assert [len(one) for one in found] == expected
    assert sorted(unit.id for one in found for unit in one) == sorted(unit.id for unit in units)
    assert all(len({unit.fold for unit in one}) == 1 for one in found)


@pytest.mark.parametrize(
    ("tuned", "teacher", "device", "expected"),
    [
        ((), None, "cpu", [3, 2, 3, 2, 3, 2]),
        (("weights",), None, "cpu", [5, 5, 5]),  # which the seeds of a fold may share
        ((), CELL, "cpu", [5, 5, 5]),  # likewise what a teacher says
        ((), None, "cuda", [5, 5, 3, 2]),  # two of the eight may fit
    ],
)
def test_seeds_stay_together_where_they_share_a_training_and_go_to_those_who_may_fit(
    tuned: tuple[str, ...], teacher: Names | None, device: str, expected: list[int]
) -> None:
    engine = HereEngine()
    engine.workers, engine.gpus = 8, 2
    spread: Any = object.__new__(_Spread)
    spread._engine, spread._briefing = engine, SimpleNamespace(device=device)
    tuning = SimpleNamespace(rows=lambda upstream: tuned)
    spread._worker = SimpleNamespace(tuning=tuning, teacher_of=lambda names: teacher)
    spread._waiting, spread._fitting = [], {}
    todo = [PlannedUnit(f"{fold}-{seed}", CELL, str(fold), seed, "official") for fold in range(3) for seed in range(5)]
    spread._fit(SimpleNamespace(cell=SimpleNamespace(todo=todo, names=CELL)), [])
    assert [len(arguments[1]) for _, arguments, _ in engine.handed_over] == expected
    assert {on_gpu for _, _, on_gpu in engine.handed_over} == {device == "cuda"}


def test_a_fold_whose_seeds_are_apart_gives_the_records_of_one_process(
    go: Callable, plugin: Path, toy_task: Path, settings: Settings, tmp_path: Path, progress
) -> None:
    request = Request(upstreams=["spectrum"], tasks=[str(toy_task)], downstreams=["superb"], seeds=[0, 1])
    alone, there, engine = elsewhere(settings, tmp_path, "alone"), elsewhere(settings, tmp_path, "spread"), HereEngine()
    engine.workers = 8
    run(request, Registry([str(plugin)]), alone, progress)
    go(there, engine, request)
    assert numbers(there) == numbers(alone)
    jobs_of_fits = [arguments[1] for job, arguments, _ in engine.handed_over if job is jobs.fit]
    assert [len(units) for units in jobs_of_fits] == [1] * 8  # of four folds


class SimpleCell:
    """As much of a plan as a store needs."""

    names = None
