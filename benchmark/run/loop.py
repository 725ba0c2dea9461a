"""The experiment, on one page: plan, encode, and for each fold and seed fit, select, predict and score."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from benchmark.errors import EncodingError
from benchmark.features.store import Encoded
from benchmark.features.views import check_space
from benchmark.io.settings import Settings
from benchmark.progress import Progress
from benchmark.records import Protocol, RecordStore
from benchmark.records.grouping import find_cell
from benchmark.registry.registry import Registry
from benchmark.run.plan import CellPlan, Request, make_plan, setup_of
from benchmark.run.recording import Result
from benchmark.run.threads import available_cores, one_thread, resolve_device, use_one_thread
from benchmark.run.unit import Unit
from benchmark.run.worker import Worker
from benchmark.statistics import cell_interval, cell_scores
from benchmark.text import count


@dataclass(frozen=True)
class CellScore:
    """The primary metric of a complete cell.

    Attributes:
        metric: Its name.
        mean: Over seeds.
        sd: Over seeds; None for one seed.
        low: Lower end of the 95 % interval over speakers and seeds; None for one speaker.
        high: Its upper end.
    """

    metric: str
    mean: float
    sd: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CellOutcome:
    """What a run did for one (task, upstream, downstream).

    Attributes:
        task: Name of the task.
        upstream: Name of the upstream.
        downstream: Name of the downstream.
        synthetic: Whether the speech was not spoken by people.
        protocol: "official"; or "modified" or "partial", which no leaderboard shows.
        score: Of all the cell's units, earlier ones too; None until they are complete.
        completed: Units done now.
        failed: Reason of each unit that failed now, by fold and seed.
        failed_earlier: Likewise, of those that failed in an earlier run and were not tried again.
        kept: Units that were completed already.
        newly_encoded: Utterances encoded now.
        encode_s: Time once spent on encoding the task's utterances [s]; None where nothing was to do, or it is unknown.
        fit_s: Time spent now on fitting and scoring heads [s].
    """

    task: str
    upstream: str
    downstream: str
    synthetic: bool
    protocol: Protocol
    score: CellScore | None
    completed: int
    failed: dict[str, str]
    failed_earlier: dict[str, str]
    kept: int
    newly_encoded: int
    encode_s: float | None
    fit_s: float


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
    worker = Worker(setup_of(request, settings, registry.plugins, registry.changes), registry)
    cells = make_plan(request, worker, progress)
    if any(cell.todo for cell in cells):
        check_space(settings.cache, [demand for cell in cells for demand in cell.demands])
        device = resolve_device(device)
    outcomes = [_run_cell(cell, worker, progress, device) for cell in cells]
    return [replace(outcome, score=_score_cell(cell, settings)) for cell, outcome in zip(cells, outcomes, strict=True)]


def _run_cell(cell: CellPlan, worker: Worker, progress: Progress, device: str) -> CellOutcome:
    records = RecordStore(worker.settings.results)
    outcome = CellOutcome(
        task=cell.parts.task.name,
        upstream=cell.parts.upstream.name,
        downstream=cell.parts.downstream.name,
        synthetic=cell.parts.task.corpus.synthetic,
        protocol=cell.protocol,
        score=None,
        completed=0,
        failed={},
        failed_earlier=dict(cell.failed),
        kept=len(cell.units) - len(cell.todo) - len(cell.failed),
        newly_encoded=0,
        encode_s=None,
        fit_s=0.0,
    )
    title = f"{outcome.task} / {outcome.upstream} / {outcome.downstream}"
    for reason, labels in by_reason(cell.failed).items():
        again = "bench run --rerun failed tries them again"
        progress.problem(f"{title}: {count(len(labels), 'unit')} failed earlier ({labels[0]}): {reason} ({again})")
    if not cell.todo:
        return outcome
    failed: dict[str, str] = {}

    def record(unit: Unit, result: Result) -> None:
        records.write(result.record, result.predictions)
        reason = result.record.reason
        if reason is not None:
            if reason not in failed.values():  # of many units that fail alike the first one tells
                progress.problem(f"{title}, {unit.label}: failed: {reason}")
            failed[unit.label] = reason

    try:
        encoded = worker.encode(cell.names, device, progress)
    except EncodingError as error:
        for unit in cell.todo:
            record(unit, worker.failed(unit, str(error), device, progress))
        return replace(outcome, failed=failed)
    started = time.perf_counter()
    with progress.stage(f"fit {outcome.downstream} on {outcome.upstream}", len(cell.todo)) as advance:
        shares = {unit: _Share(advance) for unit in cell.todo}
        for unit, result in _fitted(cell, encoded, worker, device, progress, shares):
            record(unit, result)
            shares[unit](1.0)
    return replace(
        outcome,
        completed=len(cell.todo) - len(failed),
        failed=failed,
        newly_encoded=encoded.newly_encoded,
        encode_s=encoded.seconds,
        fit_s=time.perf_counter() - started,
    )


def by_reason(failed: Mapping[str, str]) -> dict[str, list[str]]:
    """The units that failed for each reason."""
    found: dict[str, list[str]] = {}
    for label, reason in failed.items():
        found.setdefault(reason, []).append(label)
    return found


class _Share:
    """How much of a unit is done, told to a stage that counts units.

    Args:
        advance: Of the stage.
    """

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._told = 0.0

    def __call__(self, share: float) -> None:
        """Take note that a share of the unit, from 0 to 1, is done."""
        if share > self._told:
            self._advance(share - self._told)
            self._told = share


def _fitted(
    cell: CellPlan,
    encoded: Encoded,
    worker: Worker,
    device: str,
    progress: Progress,
    shares: Mapping[Unit, Callable[[float], None]],
) -> Iterator[tuple[Unit, Result]]:
    """Fit and score every unit; several at once in threads where the head allows it, each given when it is finished.

    A unit's numbers do not depend on the others: each head is fitted in one thread and shares nothing, except that a
    head may remember what the seeds of a fold have in common.
    """
    if not cell.concurrent or device != "cpu":
        with one_thread():
            for unit in cell.todo:
                yield unit, worker.fit(unit, device, progress, shares[unit])
        return
    threads = min(available_cores(), _fitting_in_memory(cell, encoded))
    todo, waiting = list(cell.todo), dict[Future[Result], Unit]()
    with one_thread(), ThreadPoolExecutor(threads, initializer=use_one_thread) as pool:

        def submit_next(finished: str | None) -> None:
            if todo:
                unit = take_next(todo, finished, {unit.fold for unit in waiting.values()})
                waiting[pool.submit(worker.fit, unit, device, progress, shares[unit])] = unit

        try:
            for _ in range(threads):
                submit_next(None)
            while waiting:
                for result in wait(waiting, return_when=FIRST_COMPLETED).done:
                    unit = waiting.pop(result)
                    submit_next(unit.fold)
                    yield unit, result.result()
        finally:
            for result in waiting:
                result.cancel()


def take_next(todo: list[Unit], finished: str | None, fitting: set[str]) -> Unit:
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
    # A unit holds its features; what a head remembers of its fold holds them twice more: as they are and normalised.
    each = 3 * 4 * math.prod(encoded.shape) * len(encoded.features)
    return max(1, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 // each)


def _score_cell(plan: CellPlan, settings: Settings) -> CellScore | None:
    """Score exactly the cell that was run, which may share its names with a newer one."""
    parts = plan.parts
    cell = find_cell(
        RecordStore(settings.results).read(parts.task.name).records,
        task=parts.task,
        upstream=(parts.upstream.name, parts.upstream.sha256),
        downstream=(parts.downstream.name, parts.downstream.sha256),
        code=parts.code,
        protocol=plan.protocol,
    )
    if cell is None or not cell.complete:
        return None
    metric = cell.task.metrics[0]
    scores, interval = cell_scores(cell, metric), cell_interval(cell, metric)
    low, high = (interval.low, interval.high) if interval else (None, None)
    return CellScore(metric, scores.mean, scores.sd, low, high)
