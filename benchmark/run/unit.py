"""What travels from a plan to who works: plain values, the same in every process; and a task with its data here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.data.listening import Heard, audio_digest
from benchmark.io.files import digest
from benchmark.io.settings import Settings
from benchmark.protocol.dataset import Dataset
from benchmark.records import CodePart, CorpusPart, DownstreamPart, Protocol, TaskPart, UpstreamPart
from benchmark.records.identity import unit_id

NOTHING_HEARD = "0" * 64  # in place of the digest of the audio


@dataclass(frozen=True)
class Setup:
    """What a process must be told before it can work: plain values, the same for every process of a run.

    Attributes:
        settings: Where corpora, weights, cache and results are.
        plugins: Files or modules of other people's classes.
        allow_partial: Take a corpus that is not as the task expects it.
        folds_from: Folder of EmoBox folds that replace those of the tasks.
        stream: Encode frames whenever a head reads them, and store none.
        without_audio: Hear no recording.
        changes: "downstream.KEY=VALUE": values in place of those of every recipe.
        phones: Folder of phone alignments, for heads that read them.
        keep_heads: Keep what every head has learnt; of one that trains the upstream it is kept always.
    """

    settings: Settings
    plugins: tuple[str, ...] = ()
    allow_partial: bool = False
    folds_from: Path | None = None
    stream: bool = False
    without_audio: bool = False
    changes: tuple[str, ...] = ()
    phones: Path | None = None
    keep_heads: bool = False


@dataclass(frozen=True)
class Names:
    """One cell by its names, as they were asked for: a task and a head may be files, an upstream a path."""

    task: str
    upstream: str
    downstream: str


@dataclass(frozen=True)
class PlannedUnit:
    """One fold and seed of a cell: what travels to the process that fits it.

    Attributes:
        id: Digest of everything that decides its number.
        names: Of its cell.
        fold: Name of its fold.
        seed: Of its head.
        protocol: What its record says: "official", "modified" or "partial".
    """

    id: str
    names: Names
    fold: str
    seed: int
    protocol: Protocol

    @property
    def label(self) -> str:
        """Which unit of its cell it is, for people."""
        return f"fold {self.fold}, seed {self.seed}"


@dataclass(frozen=True)
class Parts:
    """What the records of a cell say of it before anything is computed, as plain values.

    Attributes:
        task: The protocol, with the digests of recordings and folds.
        upstream: The representation; its shape is known when it has encoded.
        downstream: The head.
        code: What computes the features, and what fits the head.
        changes: "downstream.KEY=VALUE": how the head differs from its recipe.
    """

    task: TaskPart
    upstream: UpstreamPart
    downstream: DownstreamPart
    code: tuple[CodePart, CodePart]
    changes: tuple[str, ...] = ()

    @property
    def cell_sha256(self) -> str:
        """Digest of the cell, but for its code: protocol, recordings as they are listed, folds and system."""
        data = [self.task.sha256, self.task.corpus.index_sha256, self.task.folds_sha256]
        return digest([*data, self.upstream.sha256, self.downstream.sha256])

    def unit_id(self, fold: str, seed: int) -> str:
        """The id of one of its units."""
        return unit_id(self.task, self.upstream, self.downstream, self.code, fold, seed)


@dataclass(frozen=True)
class Material:
    """A task with its data, listened to.

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


def task_part(dataset: Dataset, heard: Mapping[str, Heard]) -> TaskPart:
    """What records say of a task; that nothing was heard, where so it was asked."""
    task = dataset.task
    corpus = CorpusPart(
        name=dataset.corpus_name,
        index_sha256=dataset.index_sha256,
        audio_sha256=audio_digest(heard) if heard else NOTHING_HEARD,
        utterances=len(dataset.utterances),
        synthetic=dataset.synthetic,
    )
    return TaskPart(
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
        bridge=task.bridge,
    )
