"""What the measurements share: models of published size with random weights, speech, and the clock."""

from __future__ import annotations

import json
import struct
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

SECONDS_OF_SPEECH = 100.0
RATE = 16_000


def base_model(folder: Path) -> str:
    """Save a wav2vec 2.0 of base size with random weights; its name for the registry."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    torch.manual_seed(0)
    Wav2Vec2Model(Wav2Vec2Config()).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return f"hf:{folder}"


class Recordings:
    """Recordings of noise in 16 bits at 16 kHz, each with samples of its own, as long as is asked for.

    Args:
        longest_s: Of them [s].
        seed: Of the noise.
    """

    def __init__(self, longest_s: float, seed: int) -> None:
        import numpy as np

        self._generator = np.random.default_rng(seed)
        self._noise = self._generator.normal(0, 3000, 8 * round(longest_s * RATE)).astype("<i2")

    def lengths(self, count: int, shortest_s: float, longest_s: float, mean_s: float) -> Any:
        """Seconds of so many turns: a density of the form 1 / t, as of speech, many short ones; and of that mean."""
        import numpy as np

        seconds = np.exp(self._generator.uniform(np.log(shortest_s), np.log(longest_s), count))
        return seconds * (mean_s / seconds.mean())

    def write(self, path: Path, number: int, seconds: float) -> None:
        """Write one; its number decides its first samples."""
        count = round(seconds * RATE)
        start = self._generator.integers(len(self._noise) - count)
        own = struct.pack("<I", number + (1 << 24)) + self._noise[start : start + count - 2].tobytes()
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
        body = b"WAVE" + form + struct.pack("<4sI", b"data", len(own)) + own
        path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)


class Quiet:
    """Progress that nobody sees."""

    @contextmanager
    def stage(self, *about: object):
        """A stage."""
        yield lambda *done: None

    encoding = stage

    def problem(self, text: str) -> None:
        self.note(text)

    def note(self, text: str) -> None:
        """Nothing."""


def speech(task: str, seconds: float | None) -> tuple[Any, Any, Any]:
    """Some utterances of a task, spread over all lengths: dataset, what was heard, and settings.

    Args:
        task: Its name; the corpus is found as in every run.
        seconds: How much to take; None for all.
    """
    from benchmark.io.settings import load_settings
    from benchmark.protocol.dataset import load_dataset
    from benchmark.protocol.hearing import listen
    from benchmark.registry.registry import Registry

    registry, settings = Registry(), load_settings()
    protocol = registry.task(task)
    dataset = load_dataset(protocol, registry.corpora_of(protocol), settings)
    heard = listen(dataset, settings, {}, lambda count: None)
    if seconds is not None:
        every = max(1, round(sum(one.duration for one in heard.values()) / seconds))
        by_length = sorted(dataset.utterances, key=lambda u: heard[u.id].duration)[::every]
        dataset = replace(dataset, utterances=tuple(by_length), context_only=(), folds=())
    return dataset, {u.id: heard[u.id] for u in dataset.recordings}, settings


def seconds_of(work: Callable[[], object]) -> float:
    """How long something takes [s]."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def tell(**figures: object) -> None:
    """Print one line of JSON, numbers with four digits."""
    shown = {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in figures.items()}
    sys.stdout.write(json.dumps(shown) + "\n")
