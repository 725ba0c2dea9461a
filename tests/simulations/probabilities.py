"""How often the intervals of ECE, Brier score and NLL contain the truth: that of very many speakers.

    OMP_NUM_THREADS=1 python tests/simulations/probabilities.py --draws 200

A head sees logits that point to the true class, more or less clearly by speaker, and says the softmax of them,
sharpened: by 1 it is about right, by 3 far too sure. Speakers have 40 utterances of four classes; there is one seed.
The truth is what 4000 speakers give together. The ECE of few utterances lies above it, so it is also held against the
mean of ECEs of as many speakers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package of this checkout

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from worlds import CLASSES, SimulatedCell, pattern

from benchmark.metrics import METRICS
from benchmark.records import Record
from benchmark.records.parts import MEASURES
from benchmark.statistics import all_intervals
from benchmark.sufficient import CALIBRATION

UTTERANCES, MANY, SPEAKERS = 40, 4000, (4, 6, 10, 24, 60)
CLEAR, BETWEEN = 1.2, 0.8  # how clearly logits point to the truth, and its deviation between speakers


def sums(rng: np.random.Generator, speakers: int, sharpness: float) -> NDArray[np.float64]:
    """(1, 1, speakers, 3, 16) of a corpus."""
    found = []
    for clear in CLEAR + BETWEEN * rng.standard_normal(speakers):
        truth = rng.integers(0, CLASSES, UTTERANCES)
        logits = rng.standard_normal((UTTERANCES, CLASSES)) + clear * np.eye(CLASSES)[truth]
        found.append(CALIBRATION.of(truth, log_softmax(sharpness * logits, axis=1)))
    return np.array(found, dtype=np.float64)[None, None]


def of_probabilities() -> Record:
    """A record of a task whose cells hold sums of probabilities."""
    made = pattern("uar")
    return made.model_copy(
        update={"task": made.task.model_copy(update={"kind": CALIBRATION.kind, "metrics": list(MEASURES)})}
    )


def covered(speakers: int, sharpness: float, draws: int, seed: int = 0) -> dict[str, float]:
    """The share of intervals that contain the truth of each measure; "own ece": that of as many speakers."""
    rng = np.random.default_rng([seed, speakers, round(10 * sharpness)])
    whole = sums(rng, MANY, sharpness).sum(axis=(0, 1, 2))
    truth = {name: float(METRICS[name].compute(whole)) for name in MEASURES}
    cells = [SimulatedCell(of_probabilities(), "x", sums(rng, speakers, sharpness), "0" * 64) for _ in range(draws)]
    own = float(np.mean([METRICS["ece"].compute(cell.statistics().sum(axis=(0, 1, 2))) for cell in cells]))
    hits = dict.fromkeys((*MEASURES, "own ece"), 0)
    for cell in cells:
        for name, found in all_intervals(cell, MEASURES).items():
            if found is not None:
                hits[name] += found.low <= truth[name] <= found.high
                if name == "ece":
                    hits["own ece"] += found.low <= own <= found.high
    return {name: number / draws for name, number in hits.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    header = ["sharpness", "speakers", "ECE", "ECE of as many speakers", "Brier score", "NLL"]
    sys.stdout.write(f"| {' | '.join(header)} |\n|{'---:|' * len(header)}\n")
    for sharpness in (1.0, 3.0):
        for speakers in SPEAKERS:
            found = covered(speakers, sharpness, draws)
            shares = [f"{100 * found[name]:.1f}" for name in ("ece", "own ece", "brier", "nll")]
            sys.stdout.write(f"| {' | '.join([f'{sharpness:g}', str(speakers), *shares])} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
