"""A world of another make, to attack what was chosen in those of `worlds`: how often equal systems are told apart.

    OMP_NUM_THREADS=1 python tests/simulations/outsider.py --draws 250

Recalls are beta-distributed and not normal, speakers say anything from one to fifty utterances of a class, errors fall
on any class, and systems are tilted towards speakers by Student's t or, lopsidedly, by an exponential distribution.
Both systems are drawn alike, so that they are equal by symmetry whatever the metric.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package of this checkout

import numpy as np
from scipy import special
from worlds import CLASSES, SimulatedCell, pattern

from benchmark.statistics import compare

METRICS = ("uar", "macro_f1", "wa")
SHARED = 0.7  # of an utterance's difficulty, which all systems and seeds share


def pair(rng: np.random.Generator, speakers: int, seeds: int, *, lopsided: bool) -> list[SimulatedCell]:
    """Two equal systems on a corpus."""
    sizes = rng.negative_binomial(3, 0.2, (speakers, CLASSES)) + 1
    easy = special.logit(rng.beta(6, 4, (speakers, CLASSES)))
    hardness = [[rng.random(size) for size in of_speaker] for of_speaker in sizes]
    cells = []
    for system in range(2):
        tilt = rng.exponential(0.6, (speakers, 1)) - 0.6 if lopsided else 0.5 * rng.standard_t(4, (speakers, 1))
        counts = np.zeros((seeds, 1, speakers, CLASSES, CLASSES))
        for seed in range(seeds):
            recall = special.expit(easy + tilt + rng.normal(0, 0.25) * (seeds > 1))
            for speaker, label in np.ndindex(speakers, CLASSES):
                size, others = sizes[speaker, label], [one for one in range(CLASSES) if one != label]
                difficulty = SHARED * hardness[speaker][label] + (1 - SHARED) * rng.random(size)
                hits = int((difficulty < recall[speaker, label]).sum())
                counts[seed, 0, speaker, label, label] = hits
                counts[seed, 0, speaker, label, others] = rng.multinomial(size - hits, np.full(3, 1 / 3))
        cells.append(SimulatedCell(pattern("uar"), f"system {system}", counts, f"{rng.integers(2**60):064x}"))
    return cells


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=250)
    draws = parser.parse_args().draws
    rng = np.random.default_rng(77)
    header = ["tilt", "speakers", "seeds", *(f"{metric}: below 0.05, below 0.005" for metric in METRICS)]
    sys.stdout.write(f"| {' | '.join(header)} |\n|{'---|' * len(header)}\n")
    for lopsided in (False, True):
        for speakers in (3, 4, 6, 12, 25):
            for seeds in (1, 3):
                p = np.ones((draws, len(METRICS)))
                for draw in range(draws):
                    cells = pair(rng, speakers, seeds, lopsided=lopsided)
                    found = [compare(*cells, metric).p for metric in METRICS]
                    p[draw] = [1.0 if one is None else one for one in found]
                shares = [f"{100 * (of < 0.05).mean():.1f}, {100 * (of < 0.005).mean():.1f}" for of in p.T]
                names = ["lopsided" if lopsided else "heavy", str(speakers), str(seeds) if seeds > 1 else "none"]
                sys.stdout.write(f"| {' | '.join([*names, *shares])} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
