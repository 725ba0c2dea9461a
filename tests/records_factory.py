"""Records made up for tests: small, valid, and changed at will."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.files import digest
from benchmark.records import Record

CLASSES = ("angry", "happy", "neutral", "sad")
BASE: dict[str, Any] = {
    "schema": 1,
    "id": "",
    "status": "completed",
    "reason": None,
    "task": {
        "name": "toy",
        "version": 1,
        "sha256": "a" * 64,
        "title": "Toy, four emotions",
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
    },
    "upstream": {
        "name": "ears",
        "sha256": "e" * 64,
        "params": {},
        "weights_sha256": None,
        "sample_rate": 16000,
        "layers": 5,
        "dim": 384,
        "parameters": 8_208_384,
    },
    "downstream": {
        "name": "superb",
        "sha256": "f" * 64,
        "params": {"lr": 0.001},
        "parameters": 1234,
        "stochastic": True,
        "transductive": False,
    },
    "fold": "one",
    "seed": 0,
    "protocol": "official",
    "counts": {"train": 24, "dev": 6, "test": 24, "test_speakers": 2, "per_class": {}},
    "metrics": {},
    "primary": "uar",
    "by_speaker": {},
    "selection": None,
    "cost": {"encode_s": 1.0, "fit_s": 2.0, "peak_bytes": 3, "audio_s": 4.0, "device": "cpu"},
    "provenance": {
        "created": "2026-01-02T03:04:05+00:00",
        "version": "0.1.0",
        "code_sha256": "0" * 64,
        "git": None,
        "python": "3.12.0",
        "packages": {},
        "platform": "Linux",
        "command": "bench run",
    },
}

BySpeaker = Callable[[str, int], Mapping[str, NDArray[Any]]]


def record(by_speaker: Mapping[str, NDArray[Any]] | None = None, **changes: Any) -> Record:
    """A record. `task__name="x"` changes `task.name`; a failed one has no statistics; the id follows the content."""
    content = copy.deepcopy(BASE)
    if by_speaker is not None:
        content["by_speaker"] = {speaker: np.asarray(values).tolist() for speaker, values in by_speaker.items()}
    for path, value in changes.items():
        *parents, key = path.split("__")
        part = content
        for parent in parents:
            part = part[parent]
        if key not in part:
            raise KeyError(path)
        part[key] = value
    keys = ("task", "upstream", "downstream", "fold", "seed")
    content["id"] = changes.get("id", digest([content[key] for key in keys]))
    return Record.model_validate(content)


def failed(reason: str = "the head diverged", **changes: Any) -> Record:
    """A record of a failed unit."""
    return record(status="failed", reason=reason, **changes)


def decisions(rng: np.random.Generator, correct: float, per_class: int = 3) -> NDArray[np.int64]:
    """Confusion counts (4, 4) of a speaker: right with probability `correct`, else any other class."""
    wrong = (1 - correct) / 3
    return np.stack(
        [rng.multinomial(per_class, [correct if row == column else wrong for column in range(4)]) for row in range(4)]
    )


def cell(
    by_speaker: BySpeaker | None = None,
    folds: Iterable[str] = ("one", "two"),
    seeds: Iterable[int] = (0, 1, 2),
    **changes: Any,
) -> list[Record]:
    """The records of a complete cell: two new speakers in each fold unless `by_speaker(fold, seed)` says otherwise."""
    folds, seeds = list(folds), list(seeds)

    def made_up(fold: str, seed: int) -> Mapping[str, NDArray[Any]]:
        rng = np.random.default_rng([seed, folds.index(fold)])
        return {f"{fold}-{speaker}": decisions(rng, 0.6) for speaker in ("anna", "bela")}

    statistics = by_speaker or made_up
    return [
        record(statistics(fold, seed), fold=fold, seed=seed, task__folds=folds, task__seeds=seeds, **changes)
        for fold in folds
        for seed in seeds
    ]
