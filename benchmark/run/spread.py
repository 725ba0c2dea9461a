"""The experiment on several processes: encode in pieces, and fit a cell when the features that it needs are there.

The same plan as on one process, and the same records: a unit is its own, whoever makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.errors import BenchError, EncodingError, MissingError
from benchmark.features.views import check_space
from benchmark.io.settings import Settings
from benchmark.progress import Progress, Unheard
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run import jobs
from benchmark.run.engine import Engine, Finished, LostJobError
from benchmark.run.jobs import Briefing, FinishedUnit, Piece
from benchmark.run.outcomes import CellOutcome, Tally, interrupted, make_ready, outcomes
from benchmark.run.plan import CellPlan, Request, check_room, make_plan, setup_of
from benchmark.run.unit import PlannedUnit
from benchmark.run.worker import Worker
from benchmark.text import count

# What a job of encoding takes [s]: little is lost with a worker, and handing it over costs nothing beside it.
PIECE_S = 30.0
FIRST_PIECE_S = 60.0  # of audio, while it is not known how fast this upstream is [s]
# Pieces of one folder that are handed over at the same time, for each worker: one that is worked on, and the next.
AHEAD = 2


@dataclass
class Filling:
    """A folder of the feature store that is being filled.

    Attributes:
        cell: A cell that needs it.
        todo: Digest and duration of each recording that is left, the longest first.
        out: Pieces that are being encoded, by ticket.
        failed: What an upstream could not encode, by the number of the piece; the first one counts.
        done: Recordings that were encoded.
        seconds: Time of their encoding [s].
        audio_s: Their duration [s].
    """

    cell: CellPlan
    name: str
    todo: list[tuple[str, float]]
    out: dict[int, Piece] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    done: int = 0
    seconds: float = 0.0
    audio_s: float = 0.0

    @property
    def is_full(self) -> bool:
        """Whether nothing of it is left to do."""
        return not self.todo and not self.out

    def next_piece(self, workers: int) -> Piece:
        """Take the next recordings, as many as take about `PIECE_S`; towards the end less, so that all end together."""
        left = sum(duration for _, duration in self.todo)
        wanted = PIECE_S * self.audio_s / self.seconds if self.seconds else FIRST_PIECE_S
        most = min(wanted, left / (AHEAD * workers))
        keys, audio = list[str](), 0.0
        while self.todo and (not keys or audio + self.todo[0][1] <= most):
            key, duration = self.todo.pop(0)
            keys.append(key)
            audio += duration
        return Piece(self.cell.names, self.name, tuple(keys), audio)


def run_spread(
    request: Request, registry: Registry, settings: Settings, progress: Progress, engine: Engine, device: str = "auto"
) -> list[CellOutcome]:
    """Run every unit that was asked for and has no record yet, on the workers of an engine.

    Raises:
        BenchError: As `benchmark.run.loop.run`; or the workers have not all the same, or whoever hands out the jobs
            is gone. What is finished is kept.
    """
    make_ready(settings, progress)
    worker = Worker(setup_of(request, settings, registry.plugins, registry.changes), registry)
    cells: list[CellPlan] = []
    try:
        cells = make_plan(request, worker, progress)
        return _run_cells(cells, worker, engine, device, progress)
    except KeyboardInterrupt:
        engine.close()  # first, since jobs go on until then
        progress.problem(interrupted(cells, RecordStore(settings.results)))
        raise


def _run_cells(
    cells: Sequence[CellPlan], worker: Worker, engine: Engine, device: str, progress: Progress
) -> list[CellOutcome]:
    settings = worker.settings
    tallies = [Tally(cell, progress) for cell in cells]
    todo = [tally for tally in tallies if tally.cell.todo]
    if todo:
        check_space(settings.cache, [demand for cell in cells for demand in cell.demands])
        check_room(settings.cache, cells)
        if device == "cuda" and not engine.gpus:
            raise MissingError(
                "--device cuda: no worker has a GPU", "start workers with --resources GPU=1, or use --device cpu"
            )
        briefing = Briefing(worker.setup, str(Path.cwd()), jobs.versions_here(), device)
        check_alike(engine, briefing, [tally.cell for tally in todo], progress.note)
        _Spread(todo, worker, engine, briefing, progress).work()
    return outcomes(tallies, settings)


def by_fold(units: Sequence[PlannedUnit]) -> list[tuple[PlannedUnit, ...]]:
    """The units of a cell in jobs: the seeds of a fold together, since they share the search of a fold."""
    folds: dict[str, list[PlannedUnit]] = {}
    for unit in units:
        folds.setdefault(unit.fold, []).append(unit)
    return [tuple(seeds) for seeds in folds.values()]


def evened(folds: Sequence[tuple[PlannedUnit, ...]], workers: int, before: int) -> list[tuple[PlannedUnit, ...]]:
    """The last jobs of a run, with the seeds of some folds apart so that no worker is left without one.

    Of 29 folds on two workers the last one would be fitted by one of them alone. What is searched once for a fold is
    then searched by each of those that share it.

    Args:
        folds: The last ones, as `by_fold` gives them.
        workers: That work on them.
        before: Jobs that were handed over before and are not finished.

    Returns:
        The folds that all workers take a turn at; then the others, each in as many pieces as there are workers for it.
    """
    over = min((before + len(folds)) % workers, len(folds))
    pieces = workers // over if over else 1
    whole = len(folds) - over if pieces > 1 else len(folds)
    apart = [seeds[piece::pieces] for seeds in folds[whole:] for piece in range(pieces)]
    return [*folds[:whole], *filter(None, apart)]


def check_alike(engine: Engine, briefing: Briefing, cells: Sequence[CellPlan], tell: Callable[[str], None]) -> None:
    """Refuse workers that would compute other numbers than this process, or lack something.

    Args:
        engine: Of the workers.
        briefing: What they are told.
        cells: What they are to work on.
        tell: Is told what is being waited for.

    Raises:
        BenchError: The message has a line for each difference.
    """
    names = [cell.names for cell in cells]
    here = jobs.about(briefing, names)
    differences = [
        f"  {address}: {what} {there.get(what, 'unknown')} (here {value})"
        for address, there in sorted(engine.everywhere(jobs.about, briefing, names, tell=tell).items())
        for what, value in here.items()
        if there.get(what) != value
    ]
    if differences:
        raise BenchError("\n".join(["workers differ from this process:", *differences]), "make them alike")


class _Spread:
    """One run: what waits for what."""

    def __init__(
        self, tallies: Sequence[Tally], worker: Worker, engine: Engine, briefing: Briefing, progress: Progress
    ) -> None:
        self._worker, self._engine, self._briefing, self._progress = worker, engine, briefing, progress
        self._stores: dict[str, Filling] = {}
        self._fitting: dict[int, tuple[Tally, tuple[PlannedUnit, ...]]] = {}
        self._waiting: list[tuple[Tally, frozenset[str]]] = []
        for tally in tallies:
            needed = frozenset(self._store(tally.cell))
            self._waiting.append((tally, needed))

    def _store(self, cell: CellPlan) -> Iterator[str]:
        """The stores that a cell waits for; what another cell already asks of one is asked once."""
        material = self._worker.material(cell.names.task, self._progress)
        durations = {heard.sha256: heard.duration for heard in material.heard.values()}
        # As one process takes them (`form_batches`), so that of several recordings that fail the same one is named.
        first = {material.heard[name].sha256: name for name in sorted(material.heard, reverse=True)}
        for demand in cell.demands:
            if not demand.bytes:
                continue
            name = demand.folder.name
            asked = {key for store in self._stores.values() if store.name == name for key, _ in store.todo}
            keys = sorted(set(demand.bytes) - asked, key=lambda key: (-durations[key], first[key]))
            label = f"{name} for {cell.names.task}"
            if keys:
                self._stores[label] = Filling(cell, name, [(key, durations[key]) for key in keys])
            yield from (label for label, store in self._stores.items() if store.name == name)

    def work(self) -> None:
        """Encode and fit until nothing is left."""
        recordings = sum(len(store.todo) for store in self._stores.values())
        audio = sum(duration for store in self._stores.values() for _, duration in store.todo)
        units = sum(len(tally.cell.todo) for tally, _ in self._waiting)
        on = f"on {count(self._engine.workers, 'worker')}"
        with self._progress.stage(f"fit {on}", units) as fitted, ExitStack() as encoding:
            progress = self._progress if recordings else Unheard()
            encoded = encoding.enter_context(progress.encoding(f"encode {on}", recordings, audio))
            self._hand_over(fitted)
            for finished in self._engine.completed(self._progress.note):
                if finished.ticket in self._fitting:
                    self._take_units(finished, fitted)
                else:
                    piece = self._take_piece(finished)
                    encoded(len(piece.keys), piece.audio_s)
                    if all(store.is_full for store in self._stores.values()):
                        encoding.close()  # which tells how long it took, whatever is fitted yet
                self._hand_over(fitted)

    def _hand_over(self, fitted: Callable[[float], None]) -> None:
        """Give the engine what can be worked on now: some pieces of the first stores, and cells that wait no more."""
        places = AHEAD * self._engine.workers - sum(len(store.out) for store in self._stores.values())
        for store in self._stores.values():
            while store.todo and places > 0:
                piece = store.next_piece(self._engine.workers)
                ticket = self._engine.submit(jobs.encode, self._briefing, piece, gpu=self._on_gpu)
                store.out[ticket] = piece
                places -= 1
        for tally, needed in list(self._waiting):
            stores = [self._stores[label] for label in needed]
            if all(store.is_full for store in stores) and not self._trained_elsewhere(tally):
                self._waiting.remove((tally, needed))
                reasons = [store.failed[min(store.failed)] for store in stores if store.failed]
                if reasons:
                    self._fail(tally, tally.cell.todo, reasons[0], fitted)
                else:
                    self._fit(tally, stores)

    def _trained_elsewhere(self, tally: Tally) -> bool:
        """Whether units that are being fitted train weights that a cell needs too: each is trained once."""
        needs = self._worker.trainings(tally.cell.names)
        busy = [self._worker.trainings(other.cell.names) for other, _ in self._fitting.values() if other is not tally]
        return any(needs & one for one in busy)

    @property
    def _on_gpu(self) -> bool:
        return self._briefing.device == "cuda" or (self._briefing.device == "auto" and self._engine.gpus > 0)

    def _fit(self, tally: Tally, stores: Sequence[Filling]) -> None:
        tally.newly_encoded = max((store.done for store in stores), default=0)
        folds = by_fold(tally.cell.todo)
        names, on_gpu = tally.cell.names, self._briefing.device == "cuda"
        shared = self._worker.tuning.rows(names.upstream) or self._worker.teacher_of(names)
        if not self._waiting and not shared:
            folds = evened(folds, self._engine.gpus if on_gpu else self._engine.workers, len(self._fitting))
        for units in folds:
            ticket = self._engine.submit(jobs.fit, self._briefing, units, gpu=on_gpu)
            self._fitting[ticket] = tally, units

    def _take_piece(self, finished: Finished) -> Piece:
        """Note what was encoded, or why it could not be: then nothing more of that store is begun."""
        store = next(store for store in self._stores.values() if finished.ticket in store.out)
        piece = store.out.pop(finished.ticket)
        if isinstance(finished.error, EncodingError | LostJobError):
            where = f"encoding with {piece.names.upstream!r}: " if isinstance(finished.error, LostJobError) else ""
            store.failed[finished.ticket] = f"{where}{finished.error}"
            store.todo.clear()
        elif finished.error is not None:
            raise finished.error
        else:
            store.done += len(piece.keys)
            store.audio_s += piece.audio_s
            store.seconds += finished.value
        return piece

    def _take_units(self, finished: Finished, fitted: Callable[[float], None]) -> None:
        tally, units = self._fitting.pop(finished.ticket)
        if isinstance(finished.error, LostJobError):
            records = RecordStore(self._worker.settings.results)
            task = tally.cell.parts.task.name
            lost = [unit for unit in units if records.get(task, unit.id) is None]
            fitted(len(units) - len(lost))
            self._fail(tally, lost, str(finished.error), fitted)
            return
        if finished.error is not None:
            raise finished.error
        done: list[FinishedUnit] = finished.value
        for unit in done:
            tally.finished(unit.label, unit.reason)
            tally.encode_s, tally.fit_s = unit.encode_s, tally.fit_s + unit.fit_s
        fitted(len(done))

    def _fail(self, tally: Tally, units: Sequence[PlannedUnit], reason: str, fitted: Callable[[float], None]) -> None:
        """Record units that nobody could fit."""
        records = RecordStore(self._worker.settings.results)
        device = "cpu" if self._briefing.device == "auto" else self._briefing.device
        for unit in units:
            result = self._worker.failed(unit, reason, device, self._progress)
            records.write(result.record, result.predictions)
            tally.finished(unit.label, reason)
        fitted(len(units))
