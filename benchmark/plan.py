"""The plan of a run: every name resolved, every corpus checked, every unit of work identified before any work."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmark.audit import audit
from benchmark.base import Downstream, Upstream
from benchmark.dataset import Dataset, load_dataset
from benchmark.emobox import with_emobox_folds
from benchmark.errors import MissingError, UsageError
from benchmark.files import digest
from benchmark.listening import Heard, audio_digest, listen
from benchmark.progress import Progress
from benchmark.protocol import Task
from benchmark.records import CorpusPart, DownstreamPart, Protocol, Record, RecordStore, TaskPart
from benchmark.registry import Registry, nearest
from benchmark.settings import Settings
from benchmark.sources import Source, open_source, total_bytes
from benchmark.store import Demand
from benchmark.types import Fold

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


@dataclass(frozen=True)
class Material:
    """A task with its data, listened to and audited.

    Attributes:
        dataset: Utterances and folds.
        heard: Digest and duration of each utterance.
        part: What records say of the task.
    """

    dataset: Dataset
    heard: Mapping[str, Heard]
    part: TaskPart

    @property
    def audio_s(self) -> float:
        """Duration of all utterances together [s]."""
        return sum(found.duration for found in self.heard.values())


@dataclass(frozen=True)
class Unit:
    """One fold and seed of a cell; `id` is the digest of everything that decides its number."""

    id: str
    fold: Fold
    seed: int
    protocol: Protocol


@dataclass(frozen=True)
class CellPlan:
    """The units of one (task, upstream, downstream).

    Attributes:
        material: The task with its data.
        upstream: The representation.
        upstream_sha256: Digest of its identity.
        downstream_name: As asked for.
        downstream: A head, to ask for its identity; every unit gets a new one.
        downstream_part: What records say of the head, before fitting.
        units: All that were asked for.
        todo: Those still to do.
        source: Gives the features.
        demands: What is not stored yet.
    """

    material: Material
    upstream: Upstream
    upstream_sha256: str
    downstream_name: str
    downstream: Downstream
    downstream_part: DownstreamPart
    units: tuple[Unit, ...]
    todo: tuple[Unit, ...]
    source: Source
    demands: tuple[Demand, ...]

    @property
    def to_encode(self) -> int:
        """Recordings without stored features."""
        return len({key for demand in self.demands for key in demand.bytes})

    @property
    def disk_bytes(self) -> float | None:
        """Disk that the features to be encoded will take; None where an upstream does not declare their shape."""
        return total_bytes(self.demands)

    @property
    def protocol(self) -> Protocol:
        """That of its units; "modified" where some are official and others not."""
        found = {unit.protocol for unit in self.units}
        return found.pop() if len(found) == 1 else "modified"

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain values, for `--dry-run --json`."""
        dataset = self.material.dataset
        return {
            "task": dataset.task.name,
            "upstream": self.upstream.name,
            "downstream": self.downstream_name,
            "utterances": len(dataset.utterances),
            "audio_s": round(self.material.audio_s, 3),
            "folds": len({unit.fold.name for unit in self.units}),
            "seeds": len({unit.seed for unit in self.units}),
            "units": len(self.units),
            "todo": len(self.todo),
            "to_encode": self.to_encode,
            "disk_bytes": self.disk_bytes,
        }


def make_plan(request: Request, registry: Registry, settings: Settings, progress: Progress) -> list[CellPlan]:
    """Resolve and check a request.

    Raises:
        BenchError: A name is unknown, something is missing, a corpus is not as expected, audio is unusable, or a
            split leaks. Nothing has been encoded or trained.
    """
    upstreams = [_upstream(name, registry, settings) for name in dict.fromkeys(request.upstreams)]
    identities = [_identity(upstream) for upstream in upstreams]
    records = RecordStore(settings.results)
    cells = []
    for task_name in dict.fromkeys(request.tasks):
        material = _material(task_name, request, registry, settings, upstreams, progress)
        task = material.dataset.task
        for upstream, upstream_sha256 in zip(upstreams, identities, strict=True):
            for downstream_name in dict.fromkeys(request.downstreams or (task.downstream,)):
                downstream = registry.downstream(downstream_name)
                part = DownstreamPart(
                    name=downstream_name,
                    sha256=_identity(downstream),
                    needs=downstream.needs,
                    params=downstream.params.model_dump(mode="json"),
                    parameters=None,
                    stochastic=downstream.stochastic,
                    transductive=downstream.transductive,
                )
                identity = [upstream.name, upstream_sha256, downstream_name, part.sha256]
                units = tuple(_units(request, material, identity, downstream.stochastic))
                todo = tuple(unit for unit in units if _is_todo(records.get(task.name, unit.id), request.rerun))
                source = open_source(settings.cache, upstream, downstream.needs, stream=request.stream)
                demands = source.demands(material.dataset, material.heard) if todo else []
                cells.append(
                    CellPlan(
                        material=material,
                        upstream=upstream,
                        upstream_sha256=upstream_sha256,
                        downstream_name=downstream_name,
                        downstream=downstream,
                        downstream_part=part,
                        units=units,
                        todo=todo,
                        source=source,
                        demands=tuple(demands),
                    )
                )
    return cells


def _upstream(name: str, registry: Registry, settings: Settings) -> Upstream:
    for entry, _ in registry.upstream_entries(name):
        if entry.extra is not None and importlib.util.find_spec(entry.extra) is None:
            raise MissingError(
                f"the upstream {entry.name!r} needs {entry.extra}", f"pip install 'serbench[{entry.extra}]'"
            )
    return registry.upstream(name, settings.find_weights)


def _identity(part: Upstream | Downstream) -> str:
    """Digest of an identity.

    Raises:
        UsageError: Other people's class gives one that is no plain value.
    """
    try:
        return digest(part.identity())
    except (TypeError, ValueError) as error:
        raise UsageError(f"the identity of {part.name!r} is not plain: {error}", "params are JSON values") from error


def check_head(task: Task, name: str, downstream: Downstream) -> None:
    """Refuse what cannot work, or would fit on test, before any work.

    Raises:
        UsageError: The head takes other examples than the task gives, or needs another dev rule.
    """
    if downstream.sequences != (task.context is not None):
        takes = "sequences of utterances" if downstream.sequences else "one utterance at a time"
        raise UsageError(
            f"the downstream {name!r} takes {takes}, unlike the task {task.name!r}",
            f"its own default is {task.downstream!r}",
        )
    if downstream.adapts and task.target is None:
        raise UsageError(
            f"the downstream {name!r} adapts to a target corpus, and the task {task.name!r} has none",
            "use it on a task between two corpora",
        )
    if task.dev.scheme == "none" and downstream.uses_dev == "select":
        raise UsageError(
            f"the downstream {name!r} selects on dev, and the task {task.name!r} has none", "use one that does not"
        )
    if task.dev.scheme == "test" and downstream.uses_dev == "fit":
        raise UsageError(
            f"the downstream {name!r} is fitted on dev, which is the test set in the task {task.name!r}",
            "use a recipe that is fitted on train alone",
        )


def _material(
    name: str,
    request: Request,
    registry: Registry,
    settings: Settings,
    upstreams: Sequence[Upstream],
    progress: Progress,
) -> Material:
    task = registry.task(name)
    for head in request.downstreams or (task.downstream,):
        registry.downstream_entry(head)
    dataset = load_dataset(task, registry.corpora_of(task), settings, allow_partial=request.allow_partial)
    if request.folds_from is not None:
        dataset = with_emobox_folds(dataset, request.folds_from)
        task = dataset.task
        progress.note(f"{task.name}: the folds of {request.folds_from.name} replace those of the protocol")
        listed = {name for fold in dataset.folds for name in (*fold.train, *fold.dev, *fold.test)}
        if len(listed) < len(dataset.utterances):
            progress.note(f"{task.name}: they leave {len(dataset.utterances) - len(listed)} utterances out")
    for head in request.downstreams or (task.downstream,):
        check_head(task, head, registry.downstream(head))
    if dataset.differences:
        progress.note(f"{task.name}: partial corpus, off the leaderboard: {', '.join(dataset.differences)}")
    needs = {upstream.name: upstream.min_duration for upstream in upstreams}
    with progress.stage(f"listen to {task.name}", len(dataset.recordings)) as advance:
        heard = listen(dataset, settings, needs, advance)
    report = audit(dataset, heard)
    report.stop_on_error(name)
    for finding in report.findings:
        if finding.severity == "warning":
            progress.note(f"{task.name}: {finding.text}")
    corpus = CorpusPart(
        name=dataset.corpus_name,
        index_sha256=dataset.index_sha256,
        audio_sha256=audio_digest(heard),
        utterances=len(dataset.utterances),
        synthetic=dataset.synthetic,
    )
    part = TaskPart(
        name=task.name,
        version=task.version,
        sha256=task.sha256,
        title=task.title,
        downstream=task.downstream,
        corpus=corpus,
        kind=task.kind,
        outputs=list(task.outputs),
        metrics=task.metrics,
        pool=task.pool,
        folds=[fold.name for fold in dataset.folds],
        folds_sha256=dataset.folds_sha256,
        seeds=task.seeds,
        speaker_independent=task.speaker_independent,
        dev=task.dev.scheme,
    )
    return Material(dataset, heard, part)


def _units(request: Request, material: Material, identity: Sequence[str], stochastic: bool) -> Iterator[Unit]:
    task, folds = material.dataset.task, {fold.name: fold for fold in material.dataset.folds}
    for name in request.folds:
        if name not in folds:
            raise UsageError(f"the task {task.name!r} has no fold {name!r}", nearest(name, folds))
    # A head that ignores the seed gives the same number for every seed: the first one stands for all.
    seeds = (list(request.seeds) or task.seeds) if stochastic else task.seeds[:1]
    part = material.part

    def protocol(seed: int) -> Protocol:
        if material.dataset.differences:
            return "partial"
        return "official" if seed in task.seeds and request.folds_from is None else "modified"

    data = [part.sha256, part.corpus.index_sha256, part.corpus.audio_sha256, part.folds_sha256]
    for seed in dict.fromkeys(seeds):
        for fold in (folds[name] for name in dict.fromkeys(request.folds or folds)):
            yield Unit(digest([*data, *identity, fold.name, seed])[:32], fold, seed, protocol(seed))


def _is_todo(record: Record | None, rerun: Rerun) -> bool:
    return record is None or rerun == "all" or (rerun == "failed" and record.status == "failed")
