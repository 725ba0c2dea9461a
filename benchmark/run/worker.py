"""One process that works: from the plain values of a plan to features and records, whatever process made the plan."""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from benchmark.alignments import Alignments
from benchmark.base import Downstream, Upstream
from benchmark.base.downstream import TrainingSize, unheard
from benchmark.base.tuned import Tuned
from benchmark.errors import BenchError, MissingError
from benchmark.features.store import Encoded
from benchmark.features.views import FeatureView, open_view
from benchmark.progress import Progress
from benchmark.records import Protocol, StepPart, WeightsPart
from benchmark.registry.registry import Registry
from benchmark.run.aligning import alignments_of
from benchmark.run.describing import parts_of
from benchmark.run.fitted import head_path
from benchmark.run.fitting import fit_and_score
from benchmark.run.reading import read_material
from benchmark.run.recording import Result, record_of, result_of
from benchmark.run.teaching import lesson
from benchmark.run.tuning import Tuning, keep, kept_path
from benchmark.run.unit import Material, Names, PlannedUnit, Setup
from benchmark.types import Needs

CHECKPOINTS = "checkpoints"  # folder in the cache


class Worker:
    """One process that works. It resolves names by itself, and keeps what it has loaded.

    Args:
        setup: What it is told.
        registry: Where the plug-ins of the setup are imported already.
    """

    def __init__(self, setup: Setup, registry: Registry | None = None) -> None:
        self.setup = setup
        self.settings = setup.settings
        self.registry = registry or Registry(setup.plugins, setup.changes)
        self._materials: dict[str, Material] = {}
        self._encoded: tuple[object, Encoded] | None = None  # the last one asked for
        self.lock = threading.RLock()  # held while what units share is made: they are fitted in threads
        self.upstream = functools.cache(self._upstream)
        self.alignments = functools.cache(self._alignments)
        self.parts = functools.cache(functools.partial(parts_of, self))
        self.training_size = functools.cache(self._training_size)

    # -- what names stand for -----------------------------------------------------------------------------------------

    def _upstream(self, name: str) -> Upstream:
        """An upstream, whose model is loaded when it first encodes.

        Raises:
            MissingError: A package that it needs is not installed.
        """
        for entry, _ in self.registry.upstream_entries(name):
            if entry.extra is not None and importlib.util.find_spec(entry.extra) is None:
                raise MissingError(
                    f"the upstream {entry.name!r} needs {entry.extra}", f"pip install 'serbench[{entry.extra}]'"
                )
        return self.registry.upstream(name, self.settings.find_weights)

    def material(
        self,
        name: str,
        progress: Progress,
        min_durations: Mapping[str, float] | None = None,
        heads: tuple[str, ...] = (),
    ) -> Material:
        """A task with its data, checked, listened to and audited; once for each task.

        Args:
            name: A registered name or a YAML file.
            progress: Told what is done, and what a reader should know of the data.
            min_durations: Shortest duration that each upstream accepts [s].
            heads: Names of downstreams that the task must suit.

        Raises:
            BenchError: The corpus is not as expected, audio is unusable, or a split leaks.
        """
        with self.lock:
            if name not in self._materials:
                self._materials[name] = read_material(
                    name, self.registry, self.setup, progress, min_durations or {}, heads
                )
            return self._materials[name]

    def _alignments(self, task: str) -> Alignments:
        """The phones of all that heads of a task are fitted on or adapt to; it is material already.

        Raises:
            BenchError: An utterance has no alignment, or one is not as it should be.
        """
        if self.setup.phones is None:
            raise MissingError(f"phone alignments of {task} are needed, and none are given", "--phones FOLDER")
        material = self._materials[task]
        read = {name for fold in material.dataset.folds for name in (*fold.train, *fold.adapt)}
        return alignments_of(material, read, self.setup.phones)

    # -- work ---------------------------------------------------------------------------------------------------------

    def view(self, names: Names) -> FeatureView:
        """Where the features of a cell come from."""
        return open_view(
            self.settings.cache, self.upstream(names.upstream), self._needs(names), stream=self.setup.stream
        )

    def _needs(self, names: Names) -> Needs:
        return self.registry.declared_head(names.downstream).facts.needs

    def views(self, names: Names) -> list[FeatureView]:
        """Where the features of a cell come from, and those of its teacher if it has one.

        Where weights are trained for each fold, nobody knows yet: none.
        """
        teacher = self.teacher_of(names)
        views = [] if self.waits(names) else [self.view(names)]
        return views if teacher is None or self.waits(teacher) else [*views, self.trainer.view(teacher)]

    def waits(self, names: Names) -> bool:
        """Whether the upstream of a cell has other weights for each fold, which a run trains."""
        return bool(self.tuning.rows(names.upstream))

    def trainings(self, names: Names) -> frozenset[Names]:
        """The cells whose weights the units of a cell train, or take: its own, and those of its upstream."""
        own = [names] if self._needs(names) == "waveform" else []
        below = [self.trainer.trainings(self.tuning.cell(row)) for row in self.tuning.rows(names.upstream)]
        return frozenset(own).union(*below)

    def encode(
        self, names: Names, device: str, progress: Progress, fold: str | None = None, seed: int | None = None
    ) -> Encoded:
        """The features of a cell, encoding what is not stored; those of the last cell are kept.

        Args:
            names: Of the cell.
            device: Where to compute.
            progress: Told what is read, trained and encoded.
            fold: For which fold, where each has other weights.
            seed: For which seed, likewise.

        Raises:
            EncodingError: The upstream fails on an utterance.
        """
        with self.lock:
            return self._encode(names, device, progress, fold, seed)

    def _encode(self, names: Names, device: str, progress: Progress, fold: str | None, seed: int | None) -> Encoded:
        unit = (fold, seed) if self.waits(names) else ()
        key = (names.task, names.upstream, self._needs(names), device, unit)
        if self._encoded is not None and self._encoded[0] == key:
            return self._encoded[1]
        self._encoded = None  # before others take their place in memory
        upstream = self.upstream(names.upstream)
        if unit:
            if fold is None or seed is None:
                raise BenchError(f"{upstream.name!r} has other weights for each fold", "say which fold and seed")
            upstream, _ = self.tuning.upstream(names, fold, seed, device, progress)
        upstream.device = device
        material, needs = self.material(names.task, progress), self._needs(names)
        view = open_view(self.settings.cache, upstream, needs, stream=self.setup.stream)
        loaded = view.load(material.dataset, material.heard, progress)
        found = replace(loaded, upstream=upstream.name)
        self._encoded = key, replace(found, newly_encoded=0)
        return found

    def fit(
        self, unit: PlannedUnit, device: str, progress: Progress, report: Callable[[float], None] = unheard
    ) -> Result:
        """The record of a unit, with its predictions; one that fails alone gives a record that says why.

        Args:
            unit: Fold and seed of a cell.
            device: Where to compute.
            progress: Told what is read and encoded.
            report: Told what share of the unit is done, as far as the head says.

        Raises:
            BenchError: Here the unit would be another one: code, weights or data are not those of the plan.
        """
        material = self.material(unit.names.task, progress)
        self.tuning.prepare(unit.names.upstream, progress)
        parts = self.parts(unit.names)
        if parts.unit_id(unit.fold, unit.seed) != unit.id:
            raise BenchError(
                f"fold {unit.fold!r}, seed {unit.seed} of {unit.names.task} / {unit.names.upstream} / "
                f"{unit.names.downstream} is another unit here than in the plan",
                "code, weights, recordings and versions must be the same wherever a run works",
            )
        upstream, steps = self.upstream(unit.names.upstream), tuple[StepPart, ...]()
        heads = list[Downstream]()
        try:
            if self.waits(unit.names):
                with self.lock:
                    upstream, steps = self.tuning.upstream(unit.names, unit.fold, unit.seed, device, progress)
            encoded = self.encode(unit.names, device, progress, unit.fold, unit.seed)
        except BenchError as error:
            if not self.waits(unit.names):
                raise
            return self.failed(unit, error.message, device, progress)

        def head() -> Downstream:
            made = self.registry.downstream(unit.names.downstream, device)
            made.report = report
            made.checkpoint = self.checkpoint(unit)
            if made.needs == "waveform":
                made.upstream = upstream
            heads.append(made)
            return made

        teach = None if head().teacher is None else lambda: lesson(self, unit, device, progress)
        alignments = self.alignments(unit.names.task) if head().phones else None
        scored = fit_and_score(material.dataset, encoded, head, unit.fold, unit.seed, teach, alignments)
        kept = None
        if not isinstance(scored, str) and (heads[-1].needs == "waveform" or self.setup.keep_heads):
            try:
                kept = keep(self.kept(unit), heads[-1], unit)
            except BenchError as error:  # a head of other people may hold anything: its score counts all the same
                progress.note(f"{unit.label}: the head is not kept: {error}")
        result = result_of(material, parts, unit, scored, encoded, device)
        trained = kept if heads[-1].needs == "waveform" else None
        if not steps and trained is None:
            return result
        weights = WeightsPart(steps=list(steps), trained_sha256=trained)
        return replace(result, record=result.record.model_copy(update={"weights": weights}))

    def kept(self, unit: PlannedUnit) -> Path:
        """Where what a unit has learnt is kept: large and soon made again with an upstream, beside its record else."""
        if self.is_training(unit.names):
            return kept_path(self.settings.cache, unit.id)
        task = self.known(unit.names.task).dataset.task.name
        return head_path(self.settings.results, task, unit.id)

    def is_training(self, names: Names) -> bool:
        """Whether the units of a cell train its upstream."""
        return self._needs(names) == "waveform"

    def _training_size(self, names: Names) -> TrainingSize:
        """What a unit of a cell that trains its upstream takes; nothing of it where the head does not say.

        Raises:
            BenchError: The upstream cannot be loaded, or the recipe does not suit it.
        """
        head = self.registry.downstream(names.downstream)
        head.upstream = self.upstream(names.upstream)
        while isinstance(head.upstream, Tuned):  # what was trained is of the shape of what it started from
            head.upstream = head.upstream.start
        size = head.training_size(len(self.known(names.task).dataset.task.outputs))
        return size or TrainingSize(0, 0, 0)

    def known(self, task: str) -> Material:
        """A task that is read already."""
        return self._materials[task]

    def protocol(self, names: Names, seed: int) -> Protocol:
        """What the records of a cell say that is read already: whether the task was done as it says."""
        material, setup = self.known(names.task), self.setup
        if material.dataset.differences:
            return "partial"
        is_modified = seed not in material.dataset.task.seeds or setup.folds_from is not None or setup.without_audio
        is_other = is_modified or setup.changes or material.dataset.not_as_published(material.heard)
        return "modified" if is_other else "official"

    def checkpoint(self, unit: PlannedUnit) -> Path:
        """Where the fit of a unit may keep how far it is."""
        return self.settings.cache / CHECKPOINTS / f"{unit.id}.safetensors"

    def forget(self, unit: PlannedUnit) -> None:
        """Remove what the fit of a unit kept, now that its record is written."""
        self.checkpoint(unit).unlink(missing_ok=True)

    @functools.cached_property
    def trainer(self) -> Worker:
        """Who trains what this one needs, teachers and upstreams: apart, so that features of both are at hand.

        `changes` are of the head that was asked for alone.
        """
        setup = replace(self.setup, changes=(), keep_heads=False)
        trainer = Worker(setup, None if self.setup.changes else self.registry)
        trainer._materials = self._materials
        return trainer

    @functools.cached_property
    def tuning(self) -> Tuning:
        """The weights that are trained for upstreams."""
        return Tuning(self)

    def teacher_of(self, names: Names) -> Names | None:
        """The cell of the teacher from which the head of a cell learns."""
        teacher = self.registry.declared_head(names.downstream).facts.teacher
        return None if teacher is None else Names(names.task, *teacher)

    def failed(self, unit: PlannedUnit, reason: str, device: str, progress: Progress) -> Result:
        """The record of a unit whose features cannot be had."""
        material = self.material(unit.names.task, progress)
        return Result(record_of(material, self.parts(unit.names), unit, reason, None, device), None)
