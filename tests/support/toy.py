"""The toy corpus of tones that tests share, its protocol, and a plugin with an upstream and a head."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
SPEAKERS = ("anna", "bert", "cleo", "dora")
LABELS = ("high", "low")
TAKES = 5

TOY_TASK = {
    "name": "toy",
    "version": 1,
    "title": "Tones of four makers, high or low",
    "corpus": "csv",
    "kind": "classification",
    "labels": ["high", "low"],
    "label_map": {"high": "high", "low": "low"},
    "folds": {"scheme": "leave-one-group-out", "group": "speaker"},
    "dev": {"scheme": "next-fold"},
    "speaker_independent": True,
    "pool": "utterances",
    "metrics": ["uar", "wa"],
    "seeds": [0, 1],
    "downstream": "svm",
    "expect": {"utterances": 40, "speakers": 4, "per_class": {"high": 20, "low": 20}},
    "licence": "none",
    "citation": "none",
}

TONE_PLUGIN = '''
"""An upstream and a head for tests."""
import numpy as np
from benchmark import Downstream, Features, Selection, Upstream


class Spectrum(Upstream):
    """Energy in sixteen bands."""

    name = "spectrum"
    sample_rate = 16_000
    encoded = 0

    def encode(self, wave):
        type(self).encoded += 1
        bands = np.array_split(np.abs(np.fft.rfft(wave)), 16)
        values = np.log([band.mean() + 1e-3 for band in bands])
        return Features(np.float32(values)[None, None])


class Nearest(Downstream):
    """The class of the nearest class mean."""

    name = "nearest"

    def fit(self, train, dev, *, seed):
        noise = np.random.default_rng(seed).normal(0, 1e-3, train.x[0].size)
        flat = train.x.reshape(len(train), -1) + noise
        self.means = np.stack([flat[train.y == k].mean(axis=0) for k in range(len(train.outputs))])
        return Selection()

    def predict(self, examples):
        flat = examples.x.reshape(len(examples), -1)
        return -np.linalg.norm(flat[:, None] - self.means, axis=-1)
'''


def tone(frequency: float, seconds: float = 0.5, seed: int = 0) -> np.ndarray:
    """A noisy tone: (n,) float32 at 16 kHz."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.02, len(time))
    return np.float32(0.3 * np.sin(2 * np.pi * frequency * time) + noise)


def write_toy_corpus(root: Path, seed: int = 0) -> Path:
    """Write 4 speakers x 2 classes x 5 takes of noisy tones with their index; the seed decides the noise."""
    rows = []
    for number, speaker in enumerate(SPEAKERS):
        for label in LABELS:
            for take in range(TAKES):
                file = f"{speaker}/{label}{take}.wav"
                frequency = (600 if label == "low" else 2400) + 40 * number + 10 * take
                (root / speaker).mkdir(parents=True, exist_ok=True)
                soundfile.write(root / file, tone(frequency, seed=seed + len(rows)), RATE)
                rows.append({"file": file, "speaker": speaker, "label": label, "gender": "female"})
    with (root / "index.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return root
