"""The experiment, on one page: plan, encode, and for each fold and seed fit, select, predict and score."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from benchmark.errors import EncodingError
from benchmark.features.store import Encoded
from benchmark.features.views import check_space
from benchmark.io.settings import Settings
from benchmark.progress import Progress
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run.outcomes import CellOutcome, Tally, interrupted, make_ready, outcomes
from benchmark.run.plan import CellPlan, Request, check_room, make_plan, setup_of
from benchmark.run.recording import Result
from benchmark.run.unit import PlannedUnit
from benchmark.run.worker import Worker
from benchmark.threads import available_cores, resolve_device, threads, use_threads


def run(
    request: Request, registry: Registry, settings: Settings, progress: Progress, device: str = "auto"
) -> list[CellOutcome]:
    """Run every unit that was asked for and has no record yet.

    Features are encoded once for each upstream; for each fold and seed a new head is fitted on train, selected on dev
    and scored once on test; each unit is recorded as soon as it is finished.

    Raises:
        BenchError: Something that concerns more than one unit is wrong; what is finished is kept. A unit that fails
            alone becomes a record with status "failed", and the run goes on.
    """
    make_ready(settings, progress)
    worker = Worker(setup_of(request, settings, registry.plugins, registry.changes), registry)
    cells: list[CellPlan] = []
    try:
        cells = make_plan(request, worker, progress)
        return _run_cells(cells, worker, progress, device)
    except KeyboardInterrupt:
        progress.problem(interrupted(cells, RecordStore(settings.results)))
        raise


def _run_cells(cells: list[CellPlan], worker: Worker, progress: Progress, device: str) -> list[CellOutcome]:
    settings = worker.settings
    if any(cell.todo for cell in cells):
        check_space(settings.cache, [demand for cell in cells for demand in cell.demands])
        check_room(settings.cache, cells)
        device = resolve_device(device)
    tallies = [Tally(cell, progress) for cell in cells]
    for tally in tallies:
        _run_cell(tally, worker, progress, device)
    return outcomes(tallies, settings)


def _run_cell(tally: Tally, worker: Worker, progress: Progress, device: str) -> None:
    cell, records = tally.cell, RecordStore(worker.settings.results)
    if not cell.todo:
        return

    def record(unit: PlannedUnit, result: Result) -> None:
        records.write(result.record, result.predictions)
        worker.forget(unit)
        tally.encode_s = result.record.cost.encode_s
        tally.finished(unit.label, result.record.reason)

    encoded = None
    if not worker.waits(cell.names):
        try:
            encoded = worker.encode(cell.names, device, progress)
        except EncodingError as error:
            for unit in cell.todo:
                record(unit, worker.failed(unit, str(error), device, progress))
            return
        tally.newly_encoded, tally.encode_s = encoded.newly_encoded, encoded.seconds
    started = time.perf_counter()
    with progress.stage(f"fit {cell.parts.downstream.name} on {cell.parts.upstream.name}", len(cell.todo)) as advance:
        ended = threading.Event()
        shares = {unit: _Share(advance, ended) for unit in cell.todo}
        for unit, result in _fitted(cell, encoded, worker, device, progress, shares, ended):
            record(unit, result)
            shares[unit](1.0)
    tally.fit_s = time.perf_counter() - started


class _Share:
    """How much of a unit is done, told to a stage that counts units.

    Args:
        advance: Of the stage.
        ended: Whether the run has ended without waiting for the unit.
    """

    def __init__(self, advance: Callable[[float], None], ended: threading.Event) -> None:
        self._advance, self._ended = advance, ended
        self._told = 0.0

    def __call__(self, share: float) -> None:
        """Take note that a share of the unit, from 0 to 1, is done.

        Raises:
            KeyboardInterrupt: The run was interrupted, so that nobody needs the rest. It is no failure of the unit.
        """
        if self._ended.is_set():
            raise KeyboardInterrupt
        if share > self._told:
            self._advance(share - self._told)
            self._told = share


def _fitted(
    cell: CellPlan,
    encoded: Encoded | None,
    worker: Worker,
    device: str,
    progress: Progress,
    shares: Mapping[PlannedUnit, Callable[[float], None]],
    ended: threading.Event,
) -> Iterator[tuple[PlannedUnit, Result]]:
    """Fit and score every unit; several at once in threads where the head allows it, each given when it is finished.

    A unit's numbers do not depend on the others: each head is fitted in one thread and shares nothing, except that a
    head may remember what the seeds of a fold have in common. Where the run ends before, those that are being fitted
    end when they next say how far they are.
    """
    if not cell.concurrent or device != "cpu" or encoded is None:  # each fold is encoded when it comes
        with threads(1):
            for unit in cell.todo:
                yield unit, worker.fit(unit, device, progress, shares[unit])
        return
    at_once = min(available_cores(), _fitting_in_memory(cell, encoded))
    todo, waiting = list(cell.todo), dict[Future[Result], PlannedUnit]()
    with threads(1), ThreadPoolExecutor(at_once, initializer=use_threads, initargs=(1,)) as pool:

        def submit_next(finished: str | None) -> None:
            if todo:
                unit = take_next(todo, finished, {unit.fold for unit in waiting.values()})
                waiting[pool.submit(worker.fit, unit, device, progress, shares[unit])] = unit

        try:
            for _ in range(at_once):
                submit_next(None)
            while waiting:
                for result in wait(waiting, return_when=FIRST_COMPLETED).done:
                    unit = waiting.pop(result)
                    submit_next(unit.fold)
                    yield unit, result.result()
        except KeyboardInterrupt:
            progress.note("interrupted: heads that are being fitted end with their epoch")
            raise
        finally:
            ended.set()
            for result in waiting:
                result.cancel()


def take_next(todo: list[PlannedUnit], finished: str | None, fitting: set[str]) -> PlannedUnit:
    """Take out what is fitted next: of the fold just finished, else of one that no thread is at.

    What the seeds of a fold have in common is then computed by one thread, and no other waits for it.
    """
    unit = min(todo, key=lambda unit: (unit.fold != finished, unit.fold in fitting))
    todo.remove(unit)
    return unit


def _fitting_in_memory(cell: CellPlan, encoded: Encoded) -> int:
    """How many units may be fitted at once, so that they take no more than half of the memory; at least one."""
    if not hasattr(os, "sysconf"):
        return 1
    # A unit holds its features; what a head remembers of its fold holds them twice more, and held-out ones in float64.
    each = (3 * 4 + 8) * math.prod(encoded.shape) * len(encoded.features)
    return max(1, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 // each)
