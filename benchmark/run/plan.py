"""The plan of a run: every name resolved, every corpus checked, every unit identified before any work. Plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmark.base.downstream import TrainingSize
from benchmark.errors import BenchError, UsageError
from benchmark.features.store import Demand, refuse_beyond
from benchmark.features.views import total_bytes
from benchmark.io.kept import is_whole
from benchmark.io.settings import Settings
from benchmark.progress import Progress
from benchmark.records import Protocol, Record, RecordStore
from benchmark.run.fitted import parts_lost
from benchmark.run.namesakes import namesakes, told_apart
from benchmark.run.suiting import check_head, check_phones, check_upstream
from benchmark.run.unit import Names, Parts, PlannedUnit, Setup
from benchmark.run.worker import Worker
from benchmark.text import nearest, some

Rerun = Literal["missing", "failed", "all"]


@dataclass(frozen=True)
class Request:
    """What the user asks for.

    Attributes:
        upstreams: Names.
        tasks: Names or YAML files.
        downstreams: Names; empty for each task's default.
        seeds: Empty for the task's.
        folds: Names of folds; empty for all.
        rerun: "missing" does what has no record, "failed" also what failed, "all" everything.
        allow_partial: Take a corpus that is not as the task expects it; records are marked as partial.
        folds_from: Folder of EmoBox folds that replace those of the tasks; records are marked as modified.
        stream: Encode frames whenever a head reads them, and store none.
        without_audio: Hear no recording, as features made elsewhere need none; records are marked as modified, and the
            digest of their audio is `NOTHING_HEARD`.
        phones: Folder of phone alignments, for heads that read them.
        keep_heads: Keep what every head has learnt, and do units again of which it is not kept.
    """

    upstreams: Sequence[str]
    tasks: Sequence[str]
    downstreams: Sequence[str] = ()
    seeds: Sequence[int] = ()
    folds: Sequence[str] = ()
    rerun: Rerun = "missing"
    allow_partial: bool = False
    folds_from: Path | None = None
    stream: bool = False
    without_audio: bool = False
    phones: Path | None = None
    keep_heads: bool = False


@dataclass(frozen=True)
class CellPlan:
    """The units of one (task, upstream, downstream).

    Attributes:
        names: As asked for.
        parts: What its records will say of it.
        utterances: Examples of the task.
        audio_s: Duration of all that is heard [s].
        concurrent: Whether several heads may be fitted in threads at once.
        units: All that were asked for.
        todo: Those still to do.
        failed: Reason of each unit that failed in an earlier run and is not to be tried again, by fold and seed.
        demands: What is not stored yet.
        trainings: What each training of its upstream takes that nobody has done, by its unit.
        training: What each unit trains of the upstream, and keeps; None where it trains nothing of it.
    """

    names: Names
    parts: Parts
    utterances: int
    audio_s: float
    concurrent: bool
    units: tuple[PlannedUnit, ...]
    todo: tuple[PlannedUnit, ...]
    failed: Mapping[str, str]
    demands: tuple[Demand, ...]
    trainings: Mapping[str, TrainingSize] = field(default_factory=dict)
    training: TrainingSize | None = None

    @property
    def weights(self) -> dict[str, TrainingSize]:
        """What each unit takes that trains weights: those of its upstream first, then its own; by their ids."""
        own = {} if self.training is None else {unit.id: self.training for unit in self.todo}
        return {**self.trainings, **own}

    @property
    def kept_bytes(self) -> int:
        """Disk that the best states of all units to do will take that train the upstream."""
        return 0 if self.training is None else self.training.kept_bytes * len(self.todo)

    @property
    def to_encode(self) -> int:
        """Recordings without stored features."""
        return len({key for demand in self.demands for key in demand.bytes})

    @property
    def disk_bytes(self) -> float | None:
        """Disk that features and weights will take; None where an upstream does not declare the shape of its features.

        Of an upstream that is to be trained for each fold nobody has planned the features.
        """
        features = total_bytes(self.demands)
        return None if features is None else features + weights_bytes([self])[0]

    @property
    def protocol(self) -> Protocol:
        """The protocol that the units follow, those that are ranked where some are and others not."""
        found = {unit.protocol for unit in self.units}
        return "official" if "official" in found else found.pop() if len(found) == 1 else "modified"

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain values, for `--dry-run --json`."""
        return {
            "task": self.parts.task.name,
            "upstream": self.parts.upstream.name,
            "downstream": self.parts.downstream.name,
            "utterances": self.utterances,
            "audio_s": round(self.audio_s, 3),
            "folds": len({unit.fold for unit in self.units}),
            "seeds": len({unit.seed for unit in self.units}),
            "units": len(self.units),
            "todo": len(self.todo),
            "failed_earlier": len(self.failed),
            "to_encode": self.to_encode,
            "disk_bytes": self.disk_bytes,
            "to_train": len(self.trainings),
            "trained_parameters": None if self.training is None else self.training.parameters,
            "kept_bytes": self.kept_bytes,
            "checkpoint_bytes": None if self.training is None else self.training.checkpoint_bytes,
        }


def setup_of(request: Request, settings: Settings, plugins: Sequence[str], changes: Sequence[str] = ()) -> Setup:
    """What every process of a run must be told."""
    return Setup(
        settings=settings,
        plugins=tuple(plugins),
        allow_partial=request.allow_partial,
        folds_from=request.folds_from,
        stream=request.stream,
        without_audio=request.without_audio,
        changes=tuple(changes),
        phones=request.phones,
        keep_heads=request.keep_heads,
    )


def make_plan(request: Request, worker: Worker, progress: Progress) -> list[CellPlan]:
    """Resolve and check a request.

    Raises:
        BenchError: A name is unknown, something is missing, a corpus is not as expected, audio is unusable, or a
            split leaks. Nothing has been encoded or trained.
    """
    upstreams = told_apart(worker, request)
    hearing = [name for name in upstreams if request.without_audio and worker.upstream(name).hears]
    if hearing:
        raise UsageError(
            f"--without-audio, and {some(hearing, 3)} hears", "it is for features that are there: precomputed:FILE"
        )
    shortest = {upstream.name: upstream.min_duration for upstream in map(worker.upstream, upstreams)}
    heads_of = {
        task: tuple(dict.fromkeys(request.downstreams or (worker.registry.task(task).downstream,)))
        for task in request.tasks
    }
    for task, heads in heads_of.items():
        for head in heads:
            check_head(worker.registry.task(task), head, worker.registry)
    check_phones(dict.fromkeys(name for heads in heads_of.values() for name in heads), request.phones, worker.registry)
    for head in dict.fromkeys(name for heads in heads_of.values() for name in heads):
        for upstream in upstreams:
            check_upstream(worker.upstream(upstream), head, worker.registry)
    records = RecordStore(worker.settings.results)
    cells: list[CellPlan] = []
    for task, heads in heads_of.items():
        material = worker.material(task, progress, shortest, heads)
        first = len(cells)
        if any(worker.registry.head_facts(head).phones for head in heads):
            for remark in worker.alignments(task).remarks:
                progress.note(f"{material.dataset.task.name}: {remark}")
        for upstream in upstreams:
            for head in heads:
                names = Names(task, upstream, head)
                worker.tuning.prepare(upstream, progress)
                parts = worker.parts(names)
                units = tuple(_units(request, worker, names, parts))
                known = {unit: _found(records, parts.task.name, unit) for unit in units}
                todo = tuple(
                    unit for unit in units if _is_todo(known[unit], request.rerun) or _lacks(unit, known[unit], worker)
                )
                # Whom weights have heard is told before any work.
                trainings = worker.tuning.missing(names, ((unit.fold, unit.seed) for unit in todo))
                kept = {unit: known[unit] for unit in units if unit not in todo}
                failed = {unit.label: reason for unit, found in kept.items() if (reason := _reason(found)) is not None}
                views = worker.views(names) if todo else []
                demands = [one for view in views for one in view.demands(material.dataset, material.heard)]
                cells.append(
                    CellPlan(
                        names=names,
                        parts=parts,
                        utterances=len(material.dataset.utterances),
                        audio_s=material.audio_s,
                        concurrent=worker.registry.declared_head(head).facts.concurrent,
                        units=units,
                        todo=todo,
                        failed=failed,
                        demands=tuple(demands),
                        trainings=trainings,
                        training=worker.training_size(names) if todo and worker.is_training(names) else None,
                    )
                )
        for note in namesakes(cells[first:], records):
            progress.note(note)
    return cells


def check_room(cache: Path, cells: Sequence[CellPlan]) -> None:
    """Refuse, before anything is trained, weights that do not fit on the disk.

    Raises:
        BenchError: They do not; the message has both figures.
    """
    kept, meanwhile = weights_bytes(cells)
    if meanwhile:
        refuse_beyond(cache, kept + meanwhile, "the weights to be trained need")


def weights_bytes(cells: Sequence[CellPlan]) -> tuple[int, int]:
    """Disk that the weights to be trained take: those that are kept, each once, and the largest while it is trained."""
    sizes = {unit: size for cell in cells for unit, size in cell.weights.items()}.values()
    return sum(size.kept_bytes for size in sizes), max((size.checkpoint_bytes for size in sizes), default=0)


def _units(request: Request, worker: Worker, names: Names, parts: Parts) -> Iterator[PlannedUnit]:
    material = worker.known(names.task)
    task, folds = material.dataset.task, [fold.name for fold in material.dataset.folds]
    for name in request.folds:
        if name not in folds:
            raise UsageError(f"the task {task.name!r} has no fold {name!r}", nearest(name, folds))
    # A head that ignores the seed gives the same number for every seed: the first one stands for all.
    seeds = (list(request.seeds) or task.seeds) if parts.downstream.stochastic else task.seeds[:1]
    for seed in dict.fromkeys(seeds):
        protocol = worker.protocol(names, seed)
        for fold in dict.fromkeys(request.folds or folds):
            yield PlannedUnit(parts.unit_id(fold, seed), names, fold, seed, protocol)


def _found(records: RecordStore, task: str, unit: PlannedUnit) -> Record | str | None:
    """The record of a unit; why it cannot be read, or None where there is none."""
    try:
        return records.get(task, unit.id)
    except BenchError as error:
        return str(error)


def _reason(found: Record | str | None) -> str | None:
    """Why a unit has no result, though there is something in its place."""
    return found.reason if isinstance(found, Record) else found


def _lacks(unit: PlannedUnit, found: Record | str | None, worker: Worker) -> bool:
    """Whether a completed unit is to be done again for what it has learnt.

    With `keep_heads` it is where anything is missing that predicts with it, or is not what was recorded; else only
    where the state of a unit that trains the upstream was cut off.
    """
    if not isinstance(found, Record) or found.status != "completed":
        return False
    own = worker.kept(unit)
    if worker.setup.keep_heads:
        return bool(parts_lost(found, own, worker.settings.cache))
    return found.downstream.needs == "waveform" and own.is_file() and not is_whole(own)


def _is_todo(found: Record | str | None, rerun: Rerun) -> bool:
    return found is None or rerun == "all" or (rerun == "failed" and _reason(found) is not None)
