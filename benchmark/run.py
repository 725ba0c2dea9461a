"""The experiment: plan, encode, and for each fold and seed fit, select, predict and score."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.encoding import EncodingError
from benchmark.errors import BenchError, MissingError
from benchmark.grouping import find_cell
from benchmark.lazy import LazySequence
from benchmark.metrics import statistics
from benchmark.plan import CellPlan, Request, Unit, make_plan
from benchmark.progress import Progress
from benchmark.records import Protocol, RecordStore
from benchmark.registry import Registry
from benchmark.settings import Settings
from benchmark.sources import check_space
from benchmark.statistics import cell_interval, cell_scores
from benchmark.store import Encoded
from benchmark.types import Examples
from benchmark.unit_record import Scored, predictions_csv, selection_part, unit_record


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
        kept: Units that had a record already.
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
    cells = make_plan(request, registry, settings, progress)
    if any(cell.todo for cell in cells):
        check_space(settings.cache, [demand for cell in cells for demand in cell.demands])
        device = resolve_device(device)
    outcomes = [_run_cell(cell, registry, settings, progress, device) for cell in cells]
    return [replace(outcome, score=_score_cell(cell, settings)) for cell, outcome in zip(cells, outcomes, strict=True)]


def _run_cell(cell: CellPlan, registry: Registry, settings: Settings, progress: Progress, device: str) -> CellOutcome:
    dataset, records = cell.material.dataset, RecordStore(settings.results)
    outcome = CellOutcome(
        task=dataset.task.name,
        upstream=cell.upstream.name,
        downstream=cell.downstream_name,
        synthetic=cell.material.part.corpus.synthetic,
        protocol=cell.protocol,
        score=None,
        completed=0,
        failed={},
        kept=len(cell.units) - len(cell.todo),
        newly_encoded=0,
        encode_s=None,
        fit_s=0.0,
    )
    if not cell.todo:
        return outcome
    cell.upstream.device = device
    failed: dict[str, str] = {}

    def record(unit: Unit, result: Scored | str, encoded: Encoded | None) -> None:
        predictions = None if isinstance(result, str) else predictions_csv(result)
        records.write(unit_record(cell, unit, result, encoded, device), predictions)
        if isinstance(result, str):
            name = f"fold {unit.fold.name}, seed {unit.seed}"
            failed[name] = result
            progress.note(f"{outcome.task} / {outcome.upstream} / {outcome.downstream}, {name}: failed: {result}")

    try:
        encoded = cell.source.load(dataset, cell.material.heard, progress)
    except EncodingError as error:
        for unit in cell.todo:
            record(unit, str(error), None)
        return replace(outcome, failed=failed)
    started = time.perf_counter()
    with progress.stage(f"fit {outcome.downstream} on {outcome.upstream}", len(cell.todo)) as advance:
        for unit, result in _fitted(cell, encoded, registry, device):
            record(unit, result, encoded)
            advance(1)
    return replace(
        outcome,
        completed=len(cell.todo) - len(failed),
        failed=failed,
        newly_encoded=encoded.newly_encoded,
        encode_s=encoded.seconds,
        fit_s=time.perf_counter() - started,
    )


def _fitted(cell: CellPlan, encoded: Encoded, registry: Registry, device: str) -> Iterator[tuple[Unit, Scored | str]]:
    """Fit and score every unit; several at once in threads where the head allows it, each given when it is finished.

    A unit's numbers do not depend on the others: each head is fitted in one thread and shares nothing, except that a
    head may remember what the seeds of a fold have in common.
    """
    if not cell.downstream.concurrent or device != "cpu":
        with one_thread():
            for unit in cell.todo:
                yield unit, _score(cell, unit, encoded, registry, device)
        return
    threads = min(available_cores(), _fitting_in_memory(cell, encoded))
    todo, waiting = list(cell.todo), dict[Future[Scored | str], Unit]()
    with one_thread(), ThreadPoolExecutor(threads, initializer=use_one_thread) as pool:

        def submit_next(finished: str | None) -> None:
            if todo:
                unit = _take_next(todo, finished, {unit.fold.name for unit in waiting.values()})
                waiting[pool.submit(_score, cell, unit, encoded, registry, device)] = unit

        try:
            for _ in range(threads):
                submit_next(None)
            while waiting:
                for result in wait(waiting, return_when=FIRST_COMPLETED).done:
                    unit = waiting.pop(result)
                    submit_next(unit.fold.name)
                    yield unit, result.result()
        finally:
            for result in waiting:
                result.cancel()


def _take_next(todo: list[Unit], finished: str | None, fitting: set[str]) -> Unit:
    """Take out what is fitted next: of the fold just finished, else of one that no thread is at.

    What the seeds of a fold have in common is then computed by one thread, and no other waits for it.
    """
    unit = min(todo, key=lambda unit: (unit.fold.name != finished, unit.fold.name in fitting))
    todo.remove(unit)
    return unit


def _fitting_in_memory(cell: CellPlan, encoded: Encoded) -> int:
    """How many units may be fitted at once, so that they take no more than half of the memory; at least one."""
    if not hasattr(os, "sysconf"):
        return 1
    # A unit holds its features; what a head remembers of its fold holds them twice more: as they are and normalised.
    each = 3 * 4 * math.prod(encoded.shape) * len(cell.material.dataset.recordings)
    return max(1, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 // each)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _score_cell(plan: CellPlan, settings: Settings) -> CellScore | None:
    """Score exactly the cell that was run, which may share its names with a newer one."""
    part = plan.downstream_part
    cell = find_cell(
        RecordStore(settings.results).of_task(plan.material.part.name),
        task=plan.material.part,
        upstream=(plan.upstream.name, plan.upstream_sha256),
        downstream=(part.name, part.sha256),
        protocol=plan.protocol,
    )
    if cell is None or not cell.complete:
        return None
    metric = cell.task.metrics[0]
    scores, interval = cell_scores(cell, metric), cell_interval(cell, metric)
    low, high = (interval.low, interval.high) if interval else (None, None)
    return CellScore(metric, scores.mean, scores.sd, low, high)


def _score(cell: CellPlan, unit: Unit, encoded: Encoded, registry: Registry, device: str) -> Scored | str:
    """Fit on train, select on dev, predict test once; the reason where the head fails."""
    started = time.perf_counter()
    try:
        head = registry.downstream(cell.downstream_name, device)
        train, dev, test = (_examples(cell, encoded, ids) for ids in (unit.fold.train, unit.fold.dev, unit.fold.test))
        # Of the target a head that adapts sees everything but its targets.
        more = {"adapt": _unlabelled(_examples(cell, encoded, unit.fold.adapt))} if head.adapts else {}
        selection = head.fit(train, dev, seed=unit.seed, **more)
        # A head sees of the test set everything but its targets.
        scores = np.asarray(head.predict(_unlabelled(test)), dtype=np.float64)
        dataset = cell.material.dataset
        clusters = [dataset.cluster(dataset.by_id[name]) for name in test.ids]
        by_speaker = _statistics_by_speaker(test, scores, clusters)
        selected, parameters = selection_part(selection), head.parameters()
    except Exception as error:  # a head is other people's code: whatever it raises is a failed unit, and is recorded
        return str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    return Scored(test, scores, by_speaker, selected, parameters, time.perf_counter() - started)


def _unlabelled(examples: Examples) -> Examples:
    return replace(examples, y=None, auxiliary=None)


def _examples(cell: CellPlan, encoded: Encoded, ids: Sequence[str]) -> Examples:
    dataset = cell.material.dataset
    utterances = [dataset.by_id[name] for name in ids]
    x: Any
    turns = None
    if dataset.task.context is not None:
        said = [[(number, name) for number, turn in enumerate(dataset.context[i]) for name in turn] for i in ids]
        x = tuple(np.stack([encoded.features[name] for _, name in before]) for before in said)
        turns = tuple(np.array([number for number, _ in before], dtype=np.int64) for before in said)
    else:
        x = LazySequence(encoded.features, ids)
        if cell.downstream.needs in ("mean", "statistics"):
            x = np.stack(list(x)) if ids else np.empty((0, *encoded.shape), np.float32)
    return Examples(
        ids=tuple(ids),
        x=x,
        y=dataset.targets(utterances),
        speakers=tuple(dataset.speaker(utterance) for utterance in utterances),
        outputs=dataset.task.outputs,
        kind=dataset.task.kind,
        metric=dataset.task.primary,
        turns=turns,
        auxiliary=dataset.auxiliary_targets(utterances),
        auxiliary_outputs=tuple(dataset.task.auxiliary.labels) if dataset.task.auxiliary else (),
    )


def _statistics_by_speaker(
    test: Examples, scores: NDArray[np.float64], clusters: Sequence[str]
) -> dict[str, NDArray[Any]]:
    if scores.shape != (len(test), len(test.outputs)):
        raise BenchError(f"the head gave scores of shape {scores.shape}, not {(len(test), len(test.outputs))}")
    truth, names = np.asarray(test.y), np.array(clusters)
    return {name: statistics(truth[names == name], scores[names == name], test.kind) for name in sorted(set(clusters))}


@contextmanager
def one_thread() -> Iterator[None]:
    """Fit heads in one thread.

    They are small: threads would cost more than they bring, many times more where another process keeps a core busy,
    and the order in which they add up would make numbers depend on how many cores there are.
    """
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    use_one_thread()
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


def use_one_thread() -> None:
    """Let torch compute in the calling thread alone; a thread that is started later needs it said again."""
    import torch

    torch.set_num_threads(1)


def resolve_device(device: str) -> str:
    """Turn "auto" into "cuda" where there is one, else "cpu", and make torch repeat its numbers exactly.

    Raises:
        MissingError: "cuda" is asked for and there is none.
    """
    # Read by cuBLAS when it is first used; without it matrix products on a GPU may differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.use_deterministic_algorithms(True)
    if device == "cuda" and not torch.cuda.is_available():
        raise MissingError("--device cuda: torch finds no CUDA device", "use --device cpu, or install torch for CUDA")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device
