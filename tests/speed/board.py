"""How long `bench leaderboard` takes on a large board, and its memory: 20 tasks, 30 systems, 5 seeds, 24 speakers.

    python tests/speed/board.py
    python tests/speed/board.py --tasks 50 --systems 200 --corpora 25 --keep FOLDER

Run by hand. Prints one JSON line: seconds of the whole command, start of Python included, best of several, and the most
memory that a process took; then those of the same board after one more row, where other tasks are kept in the cache.
Records that are in FOLDER already are not made anew.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from records_factory import cell

from benchmark.records import pack
from benchmark.sufficient import MOMENTS

CLASSES, PER_CLASS, FOLDS, SPEAKERS = 4, 10, 5, 24
REGRESSION = {"task__kind": "regression", "task__outputs": ["arousal", "valence", "dominance"]}
LEVELS = 30  # how good systems are is spread over what so many of them would be
KIB = 1024  # of which `ru_maxrss` counts


def main() -> None:
    """Make the records, run the command, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--systems", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--corpora", type=int, default=1, help="that tasks test on; of five on, systems are tested over them"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--page", action="store_true", help="also the page")
    parser.add_argument("--keep", type=Path, help="where records are made, and kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        with concurrent.futures.ProcessPoolExecutor() as pool:
            write = functools.partial(
                _write, folder / "results", systems=given.systems, seeds=given.seeds, corpora=given.corpora
            )
            list(pool.map(write, range(given.tasks)))
        seconds, one_more = [], []
        for _ in range(given.repeats):
            with tempfile.TemporaryDirectory() as cache:
                seconds.append(_seconds(folder, cache, given.page))
                added = _write(
                    folder / "results", 0, systems=given.systems + 1, seeds=given.seeds, corpora=given.corpora
                )
                one_more.append(_seconds(folder, cache, given.page))
                added.unlink()
        sizes = {path.name: path.stat().st_size for path in (folder / "board").rglob("*") if path.is_file()}
    told = {
        "cells": given.tasks * given.systems,
        "pairs": given.tasks * given.systems * (given.systems - 1) // 2,
        "seeds": given.seeds,
        "speakers": SPEAKERS,
        "corpora": given.corpora,
        "page": given.page,
        "seconds": min(seconds),
        "one_more_s": min(one_more),
        "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KIB / 1e6,
        "bytes": sizes,
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _seconds(folder: Path, cache: str, page: bool) -> float:
    """What the command takes on the wall."""
    bench, options = str(Path(sys.executable).with_name("bench")), ["--page"] if page else []
    command = [bench, "leaderboard", "--results", str(folder / "results"), "--out", str(folder / "board"), *options]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"BENCH_CACHE": cache})
    return time.perf_counter() - started


def _write(folder: Path, task: int, *, systems: int, seeds: int, corpora: int) -> Path:
    """One file for each system, the last of which is returned; every fifth task has dimensions."""
    is_classes = task % 5 != 4
    names = {"task__name": f"task-{task:02}", "task__sha256": f"{task:064x}"}
    if corpora > 1:
        names["task__corpus__name"] = f"corpus-{task % corpora:02}"
    if not is_classes:
        names |= {**REGRESSION, "task__metrics": ["ccc", "rmse"], "primary": "ccc"}
    for system in range(systems):
        path = folder / f"task-{task:02}" / f"system-{system:02}--superb.json"
        if path.exists():
            continue

        def by_speaker(fold: str, seed: int, system: int = system) -> dict[str, np.ndarray]:
            level = system * LEVELS / max(LEVELS, systems)
            return {
                f"s{index:02}": _statistics(is_classes, task, system, level, seed, index)
                for index in range(int(fold), SPEAKERS, FOLDS)
            }

        records = cell(
            by_speaker,
            folds=map(str, range(FOLDS)),
            seeds=range(seeds),
            upstream__name=f"system-{system:02}",
            upstream__sha256=f"{system:064x}",
            **names,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pack(records))
    return path


def _statistics(is_classes: bool, task: int, system: int, level: float, seed: int, speaker: int) -> np.ndarray:
    rng = np.random.default_rng([task, system, seed, speaker])
    if is_classes:
        right = min(0.95, 0.4 + level / 100)
        shares = np.where(np.eye(CLASSES, dtype=bool), right, (1 - right) / (CLASSES - 1))
        return np.stack([rng.multinomial(PER_CLASS, share) for share in shares])
    truth = np.random.default_rng([task, speaker]).normal(4, 1, (CLASSES * PER_CLASS, 3))
    return MOMENTS.of(truth, truth + rng.normal(0, 2 - level / LEVELS, truth.shape))


if __name__ == "__main__":
    main()
