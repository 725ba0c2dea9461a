"""Weights that a run trains for an upstream: which training each fold takes them from, whom it has heard, and its file.

On the task that they were trained for, a fold takes those of its own training. On another task it takes those of the
fold of the same name, or else of the first one, whose training heard none of the speakers and recordings that this fold
tests. Where no training is so, the cell is refused. A recipe with seeds gives each seed weights of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.base import Downstream, Upstream
from benchmark.base.downstream import TrainingSize
from benchmark.base.tuned import Tuned, Weighted, tuned_in, with_weights
from benchmark.errors import BenchError, UsageError
from benchmark.io.files import digest, file_sha256
from benchmark.io.kept import homes, is_whole, read_kept, write_kept
from benchmark.progress import Progress
from benchmark.records import RecordStore, StepPart
from benchmark.records.cells import protocol_of
from benchmark.run.leash import Exposure, in_test, in_training
from benchmark.run.suiting import check_head, check_upstream
from benchmark.run.unit import Material, Names, PlannedUnit

if TYPE_CHECKING:
    from benchmark.run.worker import Worker

FOLDER = "tuned"  # in the cache


@dataclass(frozen=True)
class Step:
    """One training that a unit takes weights from.

    Attributes:
        row: What waits for the weights.
        unit: The training.
        before: The trainings of what it starts from.
    """

    row: Tuned
    unit: PlannedUnit
    before: tuple[Step, ...]

    @property
    def all(self) -> tuple[Step, ...]:
        """It with what was before it, in the order of time."""
        return (*(step for one in self.before for step in one.all), self)


def kept_path(cache: Path, unit_id: str) -> Path:
    """Where the best state of a unit lies that has trained an upstream."""
    return cache / FOLDER / f"{unit_id}.safetensors"


def keep(path: Path, head: Downstream, unit: PlannedUnit) -> str:
    """Keep what a head has learnt.

    Returns:
        The digest of the file.

    Raises:
        BenchError: Something in it cannot be kept.
    """
    write_kept(path, head.to_keep(), {"unit": unit.id, "fold": unit.fold, "seed": unit.seed}, homes(head))
    return file_sha256(path)


def take(path: Path, head: Downstream) -> None:
    """Give a new head what another one has learnt.

    Raises:
        BenchError: The file is not there, or damaged.
    """
    learnt: dict[str, Any]
    learnt, _ = read_kept(path, homes(head))
    head.from_kept(learnt)


class Tuning:
    """The trained weights of the upstreams of one worker's cells.

    Args:
        worker: Knows the cells, and who trains what they need.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._known: dict[tuple[str, str, str], Exposure] = {}
        self._last: tuple[tuple[str, ...], Upstream, tuple[StepPart, ...]] | None = None

    @property
    def _trainer(self) -> Worker:
        return self._worker.trainer

    def rows(self, upstream: str) -> tuple[Tuned, ...]:
        """What waits for weights in an upstream."""
        return tuple(tuned_in(self._worker.upstream(upstream)))

    def cell(self, row: Tuned) -> Names:
        """The cell that trains it."""
        return Names(row.training.task, row.training.upstream, row.training.downstream)

    def prepare(self, upstream: str, progress: Progress) -> None:
        """Read the tasks on which an upstream is trained.

        Raises:
            BenchError: A name is unknown, the recipe trains no upstream or does not suit the task, or the corpus of the
                training is not here.
        """
        for row in self.rows(upstream):
            cell, trainer = self.cell(row), self._trainer
            if trainer.registry.head_facts(cell.downstream).needs != "waveform":
                raise UsageError(
                    f"{row.name!r}: the downstream {cell.downstream!r} trains no upstream",
                    "finetune, lora and others do, see docs/fine-tuning.md",
                )
            if trainer.setup.folds_from is not None or trainer.setup.without_audio:
                raise UsageError(
                    f"{row.name!r} is trained on the folds of its task, by ear",
                    "leave --folds-from and --without-audio out",
                )
            start = trainer.upstream(cell.upstream)
            check_upstream(start, cell.downstream, trainer.registry)
            material = trainer.material(cell.task, progress, {start.name: start.min_duration}, (cell.downstream,))
            check_head(material.dataset.task, cell.downstream, trainer.registry)
            trainer.tuning.prepare(cell.upstream, progress)

    def tasks(self, upstream: str) -> tuple[str, ...]:
        """The tasks on which it is trained, step by step."""
        cells = [self.cell(row) for row in self.rows(upstream)]
        below = [task for cell in cells for task in self._trainer.tuning.tasks(cell.upstream)]
        return tuple(dict.fromkeys([*(cell.task for cell in cells), *below]))

    def missing(self, names: Names, units: Iterable[tuple[str, int]]) -> dict[str, TrainingSize]:
        """The trainings that some folds and seeds of a cell need and nobody has done: what each takes, by its unit.

        Raises:
            UsageError: One of them may not have any.
        """
        steps = [step for fold, seed in units for last in self.steps(names, fold, seed) for step in last.all]
        cells = {step.unit.id: step.unit.names for step in steps}
        return {
            unit: self._trainer.training_size(names)
            for unit, names in cells.items()
            if not is_whole(kept_path(self._worker.settings.cache, unit))
        }

    def is_seeded(self, upstream: str) -> bool:
        """Whether its weights depend on the seed."""
        return any(self._is_seeded(row) for row in self.rows(upstream))

    def _is_seeded(self, row: Tuned) -> bool:
        cell = self.cell(row)
        return self._trainer.registry.head_facts(cell.downstream).stochastic or self._trainer.tuning.is_seeded(
            cell.upstream
        )

    # -- which training a fold takes ----------------------------------------------------------------------------------

    def steps(self, names: Names, fold: str, seed: int) -> tuple[Step, ...]:
        """The trainings that a unit takes the weights of its upstream from, one for each that waits for some.

        Raises:
            UsageError: They have all heard whom it tests.
        """
        return tuple(self._step(row, names, fold, seed) for row in self.rows(names.upstream))

    def _step(self, row: Tuned, names: Names, fold: str, seed: int) -> Step:
        cell, trainer = self.cell(row), self._trainer
        here, there = self._worker.known(names.task), trainer.known(cell.task)
        chosen = seed if self._is_seeded(row) else there.dataset.task.seeds[0]
        folds = [one.name for one in there.dataset.folds]
        title = there.dataset.task.name
        is_own = protocol_of(here.part) == protocol_of(there.part)
        tested = self._listened(in_test, names.task, fold)
        met: list[tuple[str, str]] = []
        for candidate in [fold] if is_own else sorted(folds, key=lambda name: name != fold):
            try:
                before = trainer.tuning.steps(cell, candidate, chosen)
            except UsageError as error:
                met.append((candidate, error.message))
                continue
            heard = self._heard(before)
            if not is_own:
                heard |= self._listened(in_training, cell.task, candidate)
            if both := heard & tested:
                met.append((candidate, f"fold {candidate!r} of {title} has heard {both.words} of its test"))
                continue
            unit_id = trainer.parts(cell).unit_id(candidate, chosen)
            return Step(row, PlannedUnit(unit_id, cell, candidate, chosen, trainer.protocol(cell, chosen)), before)
        closest = dict(met).get(fold, met[0][1])
        raise UsageError(
            f"{row.name!r} may not be tested on fold {fold!r} of {here.dataset.task.name}: "
            + (closest if is_own else f"every training has heard some of it; {closest}"),
            "weights are tested on the fold that they were trained for, or on people and recordings they never heard",
        )

    def _listened(self, how: Callable[[Material, str], Exposure], task: str, fold: str) -> Exposure:
        """What `in_training` or `in_test` tells of a fold, found out once."""
        key = (how.__name__, task, fold)
        if key not in self._known:
            self._known[key] = how(self._worker.known(task), fold)
        return self._known[key]

    def _heard(self, steps: Sequence[Step]) -> Exposure:
        found = Exposure()
        for step in steps:
            found |= self._listened(in_training, step.unit.names.task, step.unit.fold)
            found |= self._trainer.tuning._heard(step.before)
        return found

    # -- the weights --------------------------------------------------------------------------------------------------

    def upstream(
        self, names: Names, fold: str, seed: int, device: str, progress: Progress
    ) -> tuple[Upstream, tuple[StepPart, ...]]:
        """The upstream of a unit with its weights, trained now where nobody has; and what the record says of them.

        Raises:
            BenchError: A training fails.
        """
        steps = self.steps(names, fold, seed)
        key = (names.upstream, *(step.unit.id for step in steps))
        if self._last is None or self._last[0] != key:
            self._last = None  # before others take its place in memory
            weighted = {id(step.row): self._weighted(step, device, progress) for step in steps}
            upstream = with_weights(self._worker.upstream(names.upstream), lambda row: weighted[id(row)][0])
            told = tuple(one for step in steps for one in weighted[id(step.row)][1])
            self._last = key, upstream, told
        return self._last[1], self._last[2]

    def _weighted(self, step: Step, device: str, progress: Progress) -> tuple[Upstream, tuple[StepPart, ...]]:
        unit, trainer = step.unit, self._trainer
        start, told = trainer.upstream(unit.names.upstream), tuple[StepPart, ...]()
        if step.before:
            start, told = trainer.tuning.upstream(unit.names, unit.fold, unit.seed, device, progress)
        path, task = kept_path(trainer.settings.cache, unit.id), trainer.known(unit.names.task).dataset.task.name
        head = trainer.registry.downstream(unit.names.downstream)
        head.upstream = start
        try:
            weights = file_sha256(path)
            if self._recorded(task, unit) not in (None, weights):
                raise BenchError(f"{path} is not what was recorded")
            take(path, head)
        except (OSError, BenchError):  # it is not there, or damaged
            self._train(unit, device, progress)
            head = trainer.registry.downstream(unit.names.downstream)
            head.upstream = start
            take(path, head)
            weights = file_sha256(path)
        row = step.row
        part = StepPart(
            start=row.title.upstream,
            downstream=row.title.downstream,
            task=task,
            fold=unit.fold,
            seed=unit.seed,
            unit=unit.id,
            weights_sha256=weights,
        )
        chain = [start.weights_sha256(), weights]
        return Weighted(head.tuned(), row, digest(chain)), (*told, part)

    def _recorded(self, task: str, unit: PlannedUnit) -> str | None:
        """The digest of what a training has learnt, as its record says; None where there is no record that says it."""
        try:
            record = RecordStore(self._trainer.settings.results).get(task, unit.id)
        except BenchError:  # it is damaged
            return None
        return None if record is None or record.weights is None else record.weights.trained_sha256

    def _train(self, unit: PlannedUnit, device: str, progress: Progress) -> None:
        """Do the unit that trains the weights, and record it."""
        names, trainer = unit.names, self._trainer
        progress.note(f"training {names.upstream} by {names.downstream} on {names.task}, {unit.label}")
        result = trainer.fit(unit, device, progress)
        RecordStore(trainer.settings.results).write(result.record, result.predictions)
        trainer.forget(unit)
        if result.record.reason is not None:
            raise BenchError(
                f"the training of {names.upstream} by {names.downstream} on {names.task}, {unit.label}, failed: "
                f"{result.record.reason}"
            )
