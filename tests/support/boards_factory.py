"""Boards made up for tests of the page: a small one with everything on it, a hostile one, and a large one."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from records_factory import calibrated, cell, decisions, failed

from benchmark.io.files import digest
from benchmark.records import Record
from benchmark.sufficient import MOMENTS
from leaderboard.board import Board, board

SPEAKERS = 8
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "javascript:alert(3)",
    "</script><script>alert(4)</script>",
    "<!--<script>",
    "</style></title></template></dialog>",
    "safe\u202egnp.exe\u2028\u2066x",
    "{{ 7 * 7 }} ${7*7} $x^2$",
    "x" * 10_000,
)


def system(name: str, correct: float, downstream: str = "superb", **changes: Any) -> list[Record]:
    """A complete cell of a task with four classes, on which so many decisions are right, about."""

    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([seed, len(fold), round(1000 * correct)])
        return {f"{fold}-{index}": decisions(rng, correct, per_class=10) for index in range(SPEAKERS)}

    return cell(by_speaker, **named(name, downstream), **changes)


def alike(name: str, accuracy: float, n: int = 6, **changes: object):
    """A complete cell of twelve speakers who are all about that accurate."""

    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        found = {}
        for index in range(n):
            right = round(20 * accuracy) + index % 2
            found[f"{fold}{index}"] = right * np.eye(4) + (20 - right) * np.roll(np.eye(4), 1, axis=1)
        return found

    return cell(by_speaker, upstream__name=name, upstream__sha256=f"{sum(map(ord, name)):064x}", **changes)


def rated(name: str, noise: float, **changes: Any) -> list[Record]:
    """A complete cell of a task with one dimension, with an error of that size, about."""

    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        made = {}
        for index in range(SPEAKERS):
            truth = np.random.default_rng([len(fold), index]).uniform(1, 7, (20, 1))
            added = np.random.default_rng([seed, len(fold), index, round(1000 * noise)]).normal(0, noise, (20, 1))
            made[f"{fold}-{index}"] = MOMENTS.of(truth, truth + added)
        return made

    dimension = {"task__kind": "regression", "task__outputs": ["arousal"], "task__metrics": ["ccc", "rmse"]}
    return cell(by_speaker, **named(name), **dimension, **changes)


def named(upstream: str, downstream: str = "superb") -> dict[str, Any]:
    """Fields of a record for a system of that name, with an identity of its own."""
    return {
        "upstream__name": upstream,
        "upstream__sha256": digest(upstream),
        "downstream__name": downstream,
        "downstream__sha256": digest(downstream),
    }


def task(name: str, corpus: str, **changes: Any) -> dict[str, Any]:
    """Fields of a record for a task of that name."""
    known = ("name", "index_sha256", "audio_sha256", "utterances", "synthetic")
    part = dict(zip(known, (corpus, digest(corpus), digest([corpus]), 640, False), strict=True))
    return {"task__name": name, "task__sha256": digest([name]), "task__corpus": part} | {
        f"task__{key}": value for key, value in changes.items()
    }


@functools.cache
def small_board() -> Board:
    """Three tasks: one as it should be, one whose speakers are in train, one of somebody's own with a dimension."""
    good = task("urdu", "urdu", title="Four emotions, leave one speaker out")
    records = [
        *system("mfcc", 0.4, **good),
        *system("whisper-tiny", 0.9, **good),
        *system("egemaps", 0.85, **good),
        *system("egemaps", 0.7, "svm", **good),
        *[failed("out of memory", **named("wavlm-base"), **good, task__folds=["one", "two"], fold="one")],
        *system("mfcc", 0.8, **task("urdu-random", "urdu", speaker_independent=False)),
        *system("whisper-tiny", 0.95, **task("urdu-random", "urdu", speaker_independent=False)),
        *rated("mfcc", 2.0, **task("mine-dims", "mine")),
        *rated("my-own", 0.5, **task("mine-dims", "mine")),
    ]
    return board(records)


@functools.cache
def sure_board() -> Board:
    """One task whose systems say how sure they are: after a temperature, without one, and not at all."""
    told = {"mfcc": 2.5, "egemaps": None}
    records = [calibrated(one, sure=0.9, temperature=told[name]) for name in told for one in system(name, 0.6)]
    return board([*records, *system("egemaps", 0.7, "svm"), *system("logmel", 0.5)])


@functools.cache
def hostile_board() -> Board:
    """Systems and tasks whose names try to become something else."""
    records = [record for index, name in enumerate(HOSTILE) for record in system(name, 0.3 + 0.06 * index)]
    for name in HOSTILE:
        records += system(name, 0.6, name, **task(name, name, title=name, dev=name))
    return board(records)


def large_board(tasks: int = 20, systems: int = 30) -> Board:
    """As large as the leaderboard may become."""
    records = []
    for number in range(tasks):
        fields = task(f"task-{number}", f"corpus-{number}")
        for index in range(systems):
            records += system(f"system-{index}", 0.3 + 0.02 * index, **fields)
    return board(records)
