"""How long `bench leaderboard` takes on a large board: 20 tasks, 30 systems, 5 folds, 5 seeds, 24 speakers.

    python tests/speed/board.py

Run by hand. Prints one JSON line: seconds of the whole command, start of Python included, best of several.
"""

from __future__ import annotations

import argparse
import json
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


def main() -> None:
    """Make the records, run the command, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--systems", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--page", action="store_true", help="also the page")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for task in range(given.tasks):
            _write(Path(folder) / "results", task, given.systems, given.seeds)
        seconds = []
        for _ in range(given.repeats):
            out = Path(folder) / "board"
            command = [
                str(Path(sys.executable).with_name("bench")),
                "leaderboard",
                "--results",
                f"{folder}/results",
                "--out",
                str(out),
            ]
            started = time.perf_counter()
            subprocess.run([*command, *(["--page"] if given.page else [])], check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - started)
        sizes = {path.name: path.stat().st_size for path in out.rglob("*") if path.is_file()}
    cells = given.tasks * given.systems
    shape = {"cells": cells, "pairs": given.tasks * given.systems * (given.systems - 1) // 2, "seeds": given.seeds}
    sys.stdout.write(
        json.dumps({**shape, "speakers": SPEAKERS, "page": given.page, "seconds": min(seconds), "bytes": sizes})
    )
    sys.stdout.write("\n")


def _write(folder: Path, task: int, systems: int, seeds: int) -> None:
    """One file for each system; every fifth task has dimensions."""
    is_classes = task % 5 != 4
    names = {"task__name": f"task-{task:02}", "task__sha256": f"{task:064x}"}
    if not is_classes:
        names |= {**REGRESSION, "task__metrics": ["ccc", "rmse"], "primary": "ccc"}
    for system in range(systems):

        def by_speaker(fold: str, seed: int, system: int = system) -> dict[str, np.ndarray]:
            return {
                f"s{index:02}": _statistics(is_classes, task, system, seed, index)
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
        path = folder / f"task-{task:02}" / f"system-{system:02}--superb.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pack(records))


def _statistics(is_classes: bool, task: int, system: int, seed: int, speaker: int) -> np.ndarray:
    rng = np.random.default_rng([task, system, seed, speaker])
    if is_classes:
        right = min(0.95, 0.4 + system / 100)
        shares = np.where(np.eye(CLASSES, dtype=bool), right, (1 - right) / (CLASSES - 1))
        return np.stack([rng.multinomial(PER_CLASS, share) for share in shares])
    truth = np.random.default_rng([task, speaker]).normal(4, 1, (CLASSES * PER_CLASS, 3))
    return MOMENTS.of(truth, truth + rng.normal(0, 2 - system / 30, truth.shape))


if __name__ == "__main__":
    main()
