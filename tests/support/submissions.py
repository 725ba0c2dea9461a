"""Results made up for any registered task, as an honest run and `bench publish` would give them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.io.files import digest
from benchmark.metrics import METRICS
from benchmark.protocol.fold_schemes import Listed
from benchmark.protocol.folds import folds_digest, make_folds
from benchmark.protocol.task import CorpusUse, Task
from benchmark.records import Record, pack
from benchmark.records.identity import command_of
from benchmark.registry import known
from benchmark.submissions.publishing import published_path, shared
from benchmark.sufficient import STATISTICS
from benchmark.types import Fold, Utterance

SALT = "5a17" * 16
CREATED = "2026-01-02T03:04:05+00:00"


def made_up_corpus(task: Task, part: CorpusUse, prefix: str = "") -> tuple[list[Utterance], dict[str, str]]:
    """Utterances that fit what a task expects of a corpus, and their classes; a few dozen where it expects nothing."""
    number, expected = part.expect.utterances or (60 if task.few_shot is None else 160), part.expect.speakers
    scheme = task.folds
    names = [f"s{index:03d}" for index in range(7 if expected is None else expected)]
    sessions = [f"Ses{index:02d}" for index in range(1, 6)]
    ids = [f"u{index:05d}" for index in range(number)]
    if isinstance(scheme, Listed) and not (task.target and part is task.uses[0]):
        listed = sorted({name for fold in scheme.folds for name in (*fold.test, *fold.dev, *(fold.train or []))})
        listed = [name.removeprefix(prefix) for name in listed]
        if scheme.by == "speaker":
            names = listed + names[len(listed) :]
        elif scheme.by == "session":
            sessions = listed
        else:
            ids = listed + ids[len(listed) :]
    by_class = part.expect.per_class or dict.fromkeys(task.labels, 0)
    labels = [label for label, count in by_class.items() for _ in range(count)]
    # In another rhythm than the splits below, so that every class is in each of them.
    classes = task.labels or ()
    labels += [classes[index // 4 % len(classes)] for index in range(number - len(labels))] if classes else []
    utterances = [
        Utterance(
            id=prefix + name,
            file="",
            speaker=prefix + names[index % len(names)] if names and expected != 0 else None,
            session=sessions[index % len(names) % len(sessions)] if names else sessions[0],
            split=("train", "train", "dev", "test")[index % 4],
        )
        for index, name in enumerate(ids[:number])
    ]
    return utterances, dict(zip((one.id for one in utterances), labels, strict=bool(labels)))


def folds_of(task: Task, *, unknown: bool = False) -> tuple[list[Fold], dict[str, Utterance], dict[str, str]]:
    """The folds of a task on made-up corpora, with utterances and classes by id; `unknown`: nobody knows who speaks."""
    prefixes = [f"{part.corpus}:" if task.target else "" for part in task.uses]
    made = [made_up_corpus(task, part, prefix) for part, prefix in zip(task.uses, prefixes, strict=True)]
    if unknown:
        made = [([replace(one, speaker=None) for one in utterances], labels) for utterances, labels in made]
    labels = {name: label for _, some in made for name, label in some.items()}
    *source, target = [sorted(utterances, key=lambda one: one.id) for utterances, _ in made]
    folds = make_folds(task, target, labels, source[0] if source else None)
    return folds, {one.id: one for utterances, _ in made for one in utterances}, labels


def results(
    name: str, upstream: str = "logmel", *, unknown: bool = False, correct: float = 0.6, tag: int = 0
) -> list[Record]:
    """The local records of a complete cell of the task's default head."""
    task = known.tasks().read(name)
    folds, by_id, labels = folds_of(task, unknown=unknown)
    head = known.known_head(task.downstream)
    assert head is not None
    dummy = "0" * 64
    layers, dim = known.known_shape(upstream)
    base: dict[str, Any] = {
        "schema": 3,
        "status": "completed",
        "reason": None,
        "task": {
            "name": task.name,
            "version": task.version,
            "sha256": task.sha256,
            "title": task.title,
            "downstream": task.downstream,
            "corpus": {
                "name": " -> ".join(part.corpus for part in task.uses),
                "index_sha256": task.uses[0].expect.index_sha256 or "b" * 64,
                "audio_sha256": "c" * 64,
                "utterances": len(by_id),
                "synthetic": False,
            },
            "kind": task.kind,
            "outputs": list(task.outputs),
            "metrics": task.metrics,
            "pool": task.pool,
            "folds": [fold.name for fold in folds],
            "folds_sha256": folds_digest(folds),
            "seeds": task.seeds,
            "speaker_independent": task.speaker_independent,
            "dev": task.dev.scheme,
            "bridge": task.bridge,
        },
        "upstream": {
            "name": upstream,
            "version": "1",
            "sha256": hashlib.sha256(upstream.encode()).hexdigest(),
            "params": {},
            "weights_sha256": None,
            "sample_rate": 16000,
            "layers": layers or 1,
            "dim": dim or 7,
            "parameters": 0,
            "trained_on": [],
        },
        "downstream": {
            "name": task.downstream,
            "version": str(head.version),
            "sha256": "f" * 64,
            "needs": head.facts.needs,
            "params": {key: value for key, value in head.params.items() if key in head.recipe},
            "parameters": 1234,
            "stochastic": head.facts.stochastic,
            "transductive": head.facts.transductive,
        },
        "protocol": "official",
        "primary": task.primary,
        "selection": None,
        "cost": {"encode_s": 1.0, "fit_s": 2.0, "peak_bytes": 3, "audio_s": 4.0, "device": "cpu"},
        "provenance": {
            "created": CREATED,
            "version": "0.1.0",
            "code_sha256": dummy,
            "upstream": {"code_sha256": "1" * 64, "libraries": {"numpy": "2.4.6"}},
            "downstream": {"code_sha256": "2" * 64, "libraries": {"numpy": "2.4.6"}},
            "git": {"commit": "1" * 40, "dirty": False},
            "python": "3.12.0",
            "packages": {"numpy": "2.4.6"},
            "platform": "Linux x86_64",
            "command": "",
        },
    }
    records: list[Record] = []
    for fold in folds:
        unit = "utterance" if unknown else "speaker"
        clusters = clusters_of(fold.test, by_id, unit)
        for seed in task.seeds if head.facts.stochastic else task.seeds[:1]:
            by_speaker = _statistics(task, clusters, labels, np.random.default_rng([seed, tag, len(records)]), correct)
            total = np.sum(list(by_speaker.values()), axis=0)
            classes = Counter(labels.get(one) for one in fold.test)
            content = {
                **base,
                "id": dummy[:32],
                "fold": fold.name,
                "seed": seed,
                "counts": {
                    "train": len(fold.train),
                    "dev": len(fold.dev),
                    "test": len(fold.test),
                    "adapt": len(fold.adapt),
                    "test_speakers": len(clusters) if unit == "speaker" else 0,
                    "per_class": {label: classes[label] for label in task.labels},
                },
                "metrics": {metric: float(METRICS[metric].compute(total)) for metric in task.metrics},
                "clusters": {
                    "unit": unit,
                    "salt": SALT,
                    "salted": False,
                    "folds": task.folds.is_named_after_speakers,
                    "gender": {} if unknown else dict.fromkeys(sorted(clusters)[::2], "female"),
                },
                "by_speaker": {cluster: values.tolist() for cluster, values in by_speaker.items()},
            }
            records.append(with_id(Record.model_validate(content)))
    return records


def with_id(record: Record) -> Record:
    """The record with the id and the command that a run gives it."""
    task, corpus = record.task, record.task.corpus
    made = [part.model_dump() for part in (record.provenance.upstream, record.provenance.downstream) if part]
    parts = [task.sha256, corpus.index_sha256, corpus.audio_sha256, task.folds_sha256]
    parts += [record.upstream.name, record.upstream.sha256, record.downstream.name, record.downstream.sha256]
    command = command_of(record.upstream.name, record.downstream.name, task.name, record.fold, record.seed)
    return record.model_copy(
        update={
            "id": digest([*parts, *made, record.fold, record.seed])[:32],
            "provenance": record.provenance.model_copy(update={"command": command}),
        }
    )


def clusters_of(ids: Iterable[str], by_id: dict[str, Utterance], unit: str) -> dict[str, list[str]]:
    """Utterance ids by speaker, or by one of three groups."""
    found: dict[str, list[str]] = defaultdict(list)
    for number, name in enumerate(ids):
        speaker = by_id[name].speaker
        found[f"utterances-{number % 3:03d}" if unit == "utterance" else str(speaker)].append(name)
    return dict(sorted(found.items()))


def _statistics(
    task: Task, clusters: dict[str, list[str]], labels: dict[str, str], rng: np.random.Generator, correct: float
) -> dict[str, NDArray[Any]]:
    """Statistics of decisions that are right with a probability, or of values; the truth depends on the ids alone."""
    found, kind = {}, STATISTICS[task.kind]
    for cluster, ids in clusters.items():
        if task.kind == "classification":
            truth = np.array([task.labels.index(labels[name]) for name in ids])
            right = rng.random(len(ids)) < correct
            decided = np.where(right, truth, rng.integers(0, len(task.labels), len(ids)))
            found[cluster] = kind.of(truth, np.eye(len(task.labels))[decided])
        else:
            truth = np.array([[len(name) + int(hashlib.md5(name.encode()).hexdigest()[:4], 16) % 7] for name in ids])
            truth = np.repeat(truth, len(task.dimensions), axis=1).astype(float)
            found[cluster] = kind.of(truth, truth + rng.normal(0, 1, truth.shape))
    return found


def hidden(records: Sequence[Record]) -> list[Record]:
    """The records as they are published."""
    return shared(records)


def write(folder: Path, records: Sequence[Record]) -> Path:
    """Write records where a cell is published."""
    first = records[0]
    path = published_path(folder, first.task.name, first.upstream.name, first.downstream.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack(list(records)))
    return path
