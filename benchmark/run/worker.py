"""One process that works: from the plain values of a plan to features and records, whatever process made the plan."""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections.abc import Mapping
from dataclasses import replace

from benchmark.audit import audit
from benchmark.base import Downstream, Upstream
from benchmark.base.code import code_sha256
from benchmark.base.identity import Code, code_of, identity_sha256, version_of
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.features import encoding
from benchmark.features.encoding import encoding_code
from benchmark.features.store import Encoded
from benchmark.features.views import FeatureView, open_view
from benchmark.io.files import digest
from benchmark.progress import Progress
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.protocol.emobox import with_emobox_folds
from benchmark.protocol.hearing import listen
from benchmark.protocol.targets import targets_of
from benchmark.protocol.task import Task
from benchmark.records import CodePart, DownstreamPart, UpstreamPart
from benchmark.records.cells import MIN_SEEDS
from benchmark.registry.registry import Registry
from benchmark.run import fitting
from benchmark.run.fitting import fit_and_score
from benchmark.run.recording import Result, record_of, result_of
from benchmark.run.unit import Material, Names, Parts, Setup, Unit, task_part
from benchmark.text import count

# From the store to the counts of a head: what opens features, makes targets, fits and scores. The division is data.
FEEDING = (open_view, Dataset, targets_of, fit_and_score)


class Worker:
    """One process that works. It resolves names by itself, and keeps what it has loaded.

    Args:
        setup: What it is told.
        registry: Where the plug-ins of the setup are imported already.
    """

    def __init__(self, setup: Setup, registry: Registry | None = None) -> None:
        self.setup = setup
        self.settings = setup.settings
        self.registry = registry or Registry(setup.plugins)
        self._materials: dict[str, Material] = {}
        self._encoded: tuple[object, Encoded] | None = None  # the last one asked for
        self._lock = threading.RLock()  # units are fitted in threads
        self.upstream = functools.cache(self._upstream)
        self.parts = functools.cache(self._parts)

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
        with self._lock:
            if name not in self._materials:
                self._materials[name] = self._material(name, progress, min_durations or {}, heads)
            return self._materials[name]

    def _material(
        self, name: str, progress: Progress, min_durations: Mapping[str, float], heads: tuple[str, ...]
    ) -> Material:
        task, setup = self.registry.task(name), self.setup
        for head in heads:
            self.registry.downstream_entry(head)
        corpora = self.registry.corpora_of(task)
        dataset = load_dataset(task, corpora, self.settings, allow_partial=setup.allow_partial)
        if setup.folds_from is not None:
            dataset = with_emobox_folds(dataset, setup.folds_from)
            progress.note(f"{task.name}: the folds of {setup.folds_from.name} replace those of the protocol")
            listed = {i for fold in dataset.folds for i in (*fold.train, *fold.dev, *fold.test)}
            if len(listed) < len(dataset.utterances):
                progress.note(f"{task.name}: they leave {len(dataset.utterances) - len(listed)} utterances out")
        for head in heads:
            check_head(dataset.task, head, self.registry.downstream(head))
        if dataset.differences:
            progress.note(f"{task.name}: partial corpus, off the leaderboard: {', '.join(dataset.differences)}")
        with progress.stage(f"listen to {task.name}", len(dataset.recordings)) as advance:
            heard = listen(dataset, self.settings, min_durations, advance)
        report = audit(dataset, heard)
        report.stop_on_error(name)
        for finding in report.findings:
            if finding.severity == "warning":
                progress.note(f"{task.name}: {finding.text}")
        return Material(dataset, heard, task_part(dataset, heard))

    def _parts(self, names: Names) -> Parts:
        """What the records of a cell say of it; its task is material already.

        Raises:
            UsageError: The identity of other people's class is no plain value.
        """
        upstream, head = self.upstream(names.upstream), self.registry.downstream(names.downstream)
        head_name = self.registry.downstream_entry(names.downstream).name  # also of a recipe in a file of one's own
        encoded, fitted = encoding_code(upstream, head.needs), fitting_code(head)
        return Parts(
            task=self._materials[names.task].part,
            upstream=UpstreamPart(
                name=upstream.name,
                version=version_of(upstream),
                sha256=identity_sha256(upstream.name, upstream, encoding.VERSION),
                params=dict(upstream.params),
                weights_sha256=upstream.weights_sha256(),
                sample_rate=upstream.sample_rate,
                layers=None,
                dim=None,
                parameters=None,
                trained_on=list(upstream.trained_on),
            ),
            downstream=DownstreamPart(
                name=head_name,
                version=version_of(head),
                sha256=identity_sha256(head_name, head, fitting.VERSION),
                needs=head.needs,
                params=head.params.model_dump(mode="json"),
                parameters=None,
                stochastic=head.stochastic,
                transductive=head.transductive,
            ),
            code=(CodePart.model_validate(encoded.as_dict()), CodePart.model_validate(fitted.as_dict())),
        )

    # -- work ---------------------------------------------------------------------------------------------------------

    def view(self, names: Names) -> FeatureView:
        """Where the features of a cell come from."""
        needs = self.registry.downstream(names.downstream).needs
        return open_view(self.settings.cache, self.upstream(names.upstream), needs, stream=self.setup.stream)

    def encode(self, names: Names, device: str, progress: Progress) -> Encoded:
        """The features of a cell, encoding what is not stored; those of the last cell are kept.

        Raises:
            EncodingError: The upstream fails on an utterance.
        """
        with self._lock:
            return self._encode(names, device, progress)

    def _encode(self, names: Names, device: str, progress: Progress) -> Encoded:
        key = (names.task, names.upstream, self.registry.downstream(names.downstream).needs, device)
        if self._encoded is not None and self._encoded[0] == key:
            return self._encoded[1]
        self._encoded = None  # before others take their place in memory
        self.upstream(names.upstream).device = device
        material = self.material(names.task, progress)
        found = self.view(names).load(material.dataset, material.heard, progress)
        self._encoded = key, replace(found, newly_encoded=0)
        return found

    def fit(self, unit: Unit, device: str, progress: Progress) -> Result:
        """The record of a unit, with its predictions; one that fails alone gives a record that says why.

        Raises:
            BenchError: Here the unit would be another one: code, weights or data are not those of the plan.
        """
        material = self.material(unit.names.task, progress)
        parts = self.parts(unit.names)
        if parts.unit_id(unit.fold, unit.seed) != unit.id:
            raise BenchError(
                f"fold {unit.fold!r}, seed {unit.seed} of {unit.names.task} / {unit.names.upstream} / "
                f"{unit.names.downstream} is another unit here than in the plan",
                "code, weights, recordings and versions must be the same wherever a run works",
            )
        encoded = self.encode(unit.names, device, progress)
        head = functools.partial(self.registry.downstream, unit.names.downstream, device)
        scored = fit_and_score(material.dataset, encoded, head, unit.fold, unit.seed)
        return result_of(material, parts, unit, scored, encoded, device)

    def failed(self, unit: Unit, reason: str, device: str, progress: Progress) -> Result:
        """The record of a unit whose features cannot be had."""
        material = self.material(unit.names.task, progress)
        return Result(record_of(material, self.parts(unit.names), unit, reason, None, device), None)


def fitting_code(head: Downstream) -> Code:
    """The code and libraries that decide a unit beside its features: the head's, and what feeds and scores it here."""
    own = code_of(head)
    return Code(digest([own.sha256, code_sha256(*FEEDING)]), own.libraries)


def check_head(task: Task, name: str, downstream: Downstream) -> None:
    """Refuse what cannot work, or would fit on test, before any work.

    Raises:
        UsageError: The head takes other examples than the task gives, or needs another dev rule; or it is the task's
            own and has seeds, of which the task gives too few.
    """
    if name == task.downstream and downstream.stochastic and len(task.seeds) < MIN_SEEDS:
        raise UsageError(
            f"the task {task.name!r} has {count(len(task.seeds), 'seed')}, and its downstream {name!r} depends on them",
            f"give at least {MIN_SEEDS}: how much new seeds would change cannot be told from fewer",
        )
    if downstream.sequences != (task.context is not None):
        takes = "sequences of utterances" if downstream.sequences else "one utterance at a time"
        raise UsageError(
            f"the downstream {name!r} takes {takes}, unlike the task {task.name!r}",
            f"its own default is {task.downstream!r}",
        )
    if task.kind not in downstream.kinds:
        raise UsageError(
            f"the downstream {name!r} is for {' and '.join(downstream.kinds)}, and the task {task.name!r} is "
            f"{task.kind}",
            "bench list downstreams shows the kinds that each takes",
        )
    if downstream.adapts and task.target is None:
        raise UsageError(
            f"the downstream {name!r} adapts to a target corpus, and the task {task.name!r} has none",
            "use it on a task between two corpora",
        )
    if not task.dev.takes_some and downstream.uses_dev == "select":
        raise UsageError(
            f"the downstream {name!r} selects on dev, and the task {task.name!r} has none", "use one that does not"
        )
    if task.dev.is_test and downstream.uses_dev == "fit":
        raise UsageError(
            f"the downstream {name!r} is fitted on dev, which is the test set in the task {task.name!r}",
            "use a recipe that is fitted on train alone",
        )
