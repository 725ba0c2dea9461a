"""Records made up for tests: small, valid, and changed at will."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import METRICS
from benchmark.records import CalibrationPart, Record
from benchmark.records.identity import id_of
from benchmark.sufficient import CALIBRATION, STATISTICS

CLASSES = ("angry", "happy", "neutral", "sad")
BASE: dict[str, Any] = {
    "schema": 3,
    "id": "",
    "status": "completed",
    "reason": None,
    "task": {
        "name": "toy",
        "version": 1,
        "sha256": "a" * 64,
        "title": "Toy, four emotions",
        "downstream": "superb",
        "corpus": {
            "name": "toys",
            "index_sha256": "b" * 64,
            "audio_sha256": "c" * 64,
            "utterances": 48,
            "synthetic": False,
        },
        "kind": "classification",
        "outputs": list(CLASSES),
        "metrics": ["uar", "wa", "macro_f1"],
        "pool": "utterances",
        "folds": ["one", "two"],
        "folds_sha256": "d" * 64,
        "seeds": [0, 1, 2],
        "speaker_independent": True,
        "dev": "random",
        "bridge": None,
    },
    "upstream": {
        "name": "ears",
        "version": "1",
        "sha256": "e" * 64,
        "params": {},
        "weights_sha256": None,
        "sample_rate": 16000,
        "layers": 5,
        "dim": 384,
        "parameters": 8_208_384,
        "trained_on": [],
    },
    "downstream": {
        "name": "superb",
        "version": "1",
        "sha256": "f" * 64,
        "needs": "mean",
        "params": {"lr": 0.001},
        "parameters": 1234,
        "stochastic": True,
        "transductive": False,
        "phones_sha256": None,
    },
    "fold": "one",
    "seed": 0,
    "protocol": "official",
    "counts": {"train": 24, "dev": 6, "test": 24, "test_speakers": 2, "per_class": {}},
    "metrics": {},
    "primary": "uar",
    "clusters": {"unit": "speaker", "salt": None, "salted": False, "folds": False, "gender": {}},
    "by_speaker": {},
    "selection": None,
    "cost": {"encode_s": 1.0, "fit_s": 2.0, "peak_bytes": 3, "audio_s": 4.0, "device": "cpu"},
    "provenance": {
        "created": "2026-01-02T03:04:05+00:00",
        "version": "0.1.0",
        "code_sha256": "0" * 64,
        "upstream": {"code_sha256": "1" * 64, "libraries": {"numpy": "2.4.0"}},
        "downstream": {"code_sha256": "2" * 64, "libraries": {"numpy": "2.4.0", "torch": "2.13.0"}},
        "git": None,
        "python": "3.12.0",
        "packages": {},
        "platform": "Linux",
        "command": "bench run",
    },
}

BySpeaker = Callable[[str, int], Mapping[str, NDArray[Any]]]


def record(by_speaker: Mapping[str, NDArray[Any]] | None = None, **changes: Any) -> Record:
    """A record. `task__name="x"` changes `task.name`; the id, counts and metrics follow the content.

    Without statistics a completed one has those of two speakers; statistics that cannot be leave counts and metrics be.
    """
    content = copy.deepcopy(BASE)
    for path, value in changes.items():
        *parents, key = path.split("__")
        part = content
        for parent in parents:
            part = part[parent]
        if key not in part:
            raise KeyError(path)
        part[key] = value
    if content["status"] == "completed":
        statistics = made_up(content) if by_speaker is None else by_speaker
        content["by_speaker"] = {speaker: np.asarray(values).tolist() for speaker, values in statistics.items()}
        content |= {key: value for key, value in _computed(content).items() if key not in changes}
    made = Record.model_validate(content)
    return made if "id" in changes else made.model_copy(update={"id": id_of(made)})


def _computed(content: dict[str, Any]) -> dict[str, Any]:
    """Counts and metrics of what the statistics hold, where they suit the task."""
    task, speakers = content["task"], content["by_speaker"]
    kind = STATISTICS[task["kind"]]
    if not speakers or {np.shape(values) for values in speakers.values()} != {kind.shape(len(task["outputs"]))}:
        return {}
    total = kind.total(speakers.values())
    counts = {
        **content["counts"],
        "test": int(kind.utterances(total)),
        "test_speakers": len(speakers.keys() - {"unknown"}) if content["clusters"]["unit"] == "speaker" else 0,
        "per_class": kind.per_class(total, task["outputs"]),
    }
    suited = [METRICS[name] for name in task["metrics"] if METRICS[name].kind == task["kind"]]
    metrics = {metric.name: float(metric.compute(total)) for metric in suited}
    return {"counts": counts, "metrics": metrics if np.isfinite(list(metrics.values())).all() else {}}


def failed(reason: str = "the head diverged", **changes: Any) -> Record:
    """A record of a failed unit."""
    return record(status="failed", reason=reason, **changes)


def made_up(content: dict[str, Any]) -> dict[str, NDArray[np.int64]]:
    """Two speakers of a fold, right in 60 % of 12 utterances each."""
    fold, folds = content["fold"], content["task"]["folds"]
    rng = np.random.default_rng([content["seed"], folds.index(fold) if fold in folds else len(folds)])
    return {f"{fold}-{speaker}": decisions(rng, 0.6) for speaker in ("anna", "bela")}


def decisions(rng: np.random.Generator, correct: float, per_class: int = 3) -> NDArray[np.int64]:
    """Confusion counts (4, 4) of a speaker: right with probability `correct`, else any other class."""
    wrong = (1 - correct) / 3
    return np.stack(
        [rng.multinomial(per_class, [correct if row == column else wrong for column in range(4)]) for row in range(4)]
    )


def calibrated(one: Record, sure: float = 0.8, temperature: float | None = 2.0) -> Record:
    """A completed record of classes with sums of probabilities: a head that is always that sure of what it decides.

    After, if there is a temperature, it is half as far above chance.
    """

    def sums(confidence: float) -> dict[str, list[list[int]]]:
        found = {}
        for speaker, counts in one.by_speaker.items():
            truth, decided = (
                np.repeat(axis.ravel(), np.ravel(counts).astype(int)) for axis in np.indices(np.shape(counts))
            )
            likely = np.full((len(truth), len(counts)), (1 - confidence) / (len(counts) - 1))
            likely[np.arange(len(truth)), decided] = confidence
            found[speaker] = CALIBRATION.of(truth, np.log(likely)).tolist()
        return found

    chance = 1 / len(one.task.outputs)
    part = {
        "before": sums(sure),
        "after": None if temperature is None else sums((sure + chance) / 2),
        "temperature": temperature,
        "on": None if temperature is None else "dev",
        "without": "fitted on dev" if temperature is None else None,
    }
    return one.model_copy(update={"calibration": CalibrationPart.model_validate(part)})


def cell(
    by_speaker: BySpeaker | None = None,
    folds: Iterable[str] = ("one", "two"),
    seeds: Iterable[int] = (0, 1, 2),
    **changes: Any,
) -> list[Record]:
    """The records of a complete cell: two new speakers in each fold unless `by_speaker(fold, seed)` says otherwise."""
    folds, seeds = list(folds), list(seeds)
    return [
        record(
            by_speaker and by_speaker(fold, seed), fold=fold, seed=seed, task__folds=folds, task__seeds=seeds, **changes
        )
        for fold in folds
        for seed in seeds
    ]
