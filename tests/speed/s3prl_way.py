"""How long the same evaluation takes by s3prl's way, which encodes the audio at every step, against this benchmark's.

The evaluation is SUPERB's emotion recognition on a corpus of IEMOCAP's size: 5531 utterances of 4.5 s on average, five
sessions, a frozen wav2vec 2.0 of base size (random weights), s3prl's head and recipe. By s3prl's way each of 30 000
optimiser steps encodes 32 utterances in 8 micro-batches of 4, and every 1000 steps dev and test are encoded too. Here
every utterance is encoded once and the head is trained from per-layer means, which is the same computation.

Both ways are measured in turn, over the same generated audio, and extrapolated: s3prl's by a bare loop that does what
its recipe says and nothing more, this benchmark's by its own upstream and its own head `superb-s3prl`. Of several
repeats the fastest counts, for each figure by itself, since other work on the machine only makes it slower. Reading
and resampling of audio, which s3prl repeats at every step as well, are on neither side. On a machine that is never
quiet, `--clock cpu --threads 1` counts the seconds of the processor in place of those on the wall. Prints one line of
JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
UTTERANCES = 5531
MEAN_SECONDS = 4.5
SHORTEST, LONGEST = 0.6, 34.0  # s
SPREAD = 0.6  # standard deviation of the logarithm of a duration
# Train, dev and test utterances of each fold; recipe: s3prl/downstream/emotion/config.yaml and runner.py of 0.4.18.
FOLDS = ((3556, 890, 1085), (3606, 902, 1023), (3504, 876, 1151), (3600, 900, 1031), (3432, 858, 1241))
STEPS = 30_000
EVALUATE_EVERY = 1000
MICRO_BATCH, ACCUMULATE = 4, 8
HIDDEN, CLASSES = 256, 4
LEARNING_RATE, CLIP = 1e-4, 1.0
Clock = Callable[[], float]
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True)
class Measured:
    """The fastest of several repeats.

    Attributes:
        step: One optimiser step by s3prl's way [s].
        forward: The part of it that encodes, for one utterance [s]; what its evaluations cost.
        encode: Our encoding of one utterance of mean duration, with the means over time [s].
        head: Our head, one optimiser step with its share of evaluation on dev [s].
    """

    step: float
    forward: float
    encode: float
    head: float


def durations() -> list[float]:
    """Durations of the corpus [s], sorted: quantiles of a log-normal distribution, cut off and scaled to the mean."""
    normal = NormalDist(0, SPREAD)
    drawn = [math.exp(normal.inv_cdf((i + 0.5) / UTTERANCES)) for i in range(UTTERANCES)]
    scale = MEAN_SECONDS * UTTERANCES / sum(drawn)
    for _ in range(20):  # what is cut off moves the mean a little
        found = [min(max(scale * value, SHORTEST), LONGEST) for value in drawn]
        scale *= MEAN_SECONDS * UTTERANCES / sum(found)
    return found


def sample(count: int) -> list[float]:
    """Durations of some utterances that stand for the corpus: the middles of equal parts of it."""
    every = durations()
    return [every[int((i + 0.5) * UTTERANCES / count)] for i in range(count)]


def evaluated_utterances() -> int:
    """Utterances that s3prl encodes in its evaluations on dev and test, all folds together."""
    return STEPS // EVALUATE_EVERY * sum(dev + test for _, dev, test in FOLDS)


def trained_utterances() -> int:
    """Utterances that s3prl encodes in its optimiser steps, all folds together."""
    return len(FOLDS) * STEPS * MICRO_BATCH * ACCUMULATE


def extrapolate(measured: Measured) -> dict[str, Any]:
    """Seconds of the whole evaluation by both ways, and their ratio."""
    encoded = trained_utterances() + evaluated_utterances()
    theirs = len(FOLDS) * STEPS * measured.step + evaluated_utterances() * measured.forward
    encode, heads = UTTERANCES * measured.encode, len(FOLDS) * STEPS * measured.head
    return {
        "ratio": round(theirs / (encode + heads), 1),
        "s3prl": {
            "seconds": round(theirs),
            "days": round(theirs / 86_400, 2),
            "seconds_per_step": round(measured.step, 4),
            "seconds_per_utterance": round(measured.forward, 5),
            "steps": len(FOLDS) * STEPS,
            "encoded_utterances": encoded,
            "times_the_corpus": round(encoded / UTTERANCES, 1),
        },
        "ours": {
            "seconds": round(encode + heads, 1),
            "encode_seconds": round(encode, 1),
            "head_seconds": round(heads, 1),
            "seconds_per_utterance": round(measured.encode, 5),
            "real_time_factor": round(measured.encode / MEAN_SECONDS, 5),
            "seconds_per_head_step": round(measured.head, 6),
            "encoded_utterances": UTTERANCES,
        },
        "corpus": {"utterances": UTTERANCES, "hours": round(sum(durations()) / 3600, 2)},
    }


# -- s3prl's way ------------------------------------------------------------------------------------------------------


class Reencoding:
    """A frozen encoder and s3prl's head: weighted sum of layers, linear, mean over valid frames, linear.

    Args:
        folder: The encoder, as transformers saves it.
        device: Where to compute.
        clock: What tells the seconds.
    """

    def __init__(self, folder: Path, device: str, clock: Clock) -> None:
        import torch

        transformers: Any = importlib.import_module("transformers")
        self.device, self.clock = device, clock
        self.encoder: Any = transformers.Wav2Vec2Model.from_pretrained(folder).eval().to(device)
        layers, dim = self.encoder.config.num_hidden_layers + 1, self.encoder.config.hidden_size
        self.weights = torch.nn.Parameter(torch.zeros(layers, device=device))
        self.project = torch.nn.Linear(dim, HIDDEN).to(device)
        self.output = torch.nn.Linear(HIDDEN, CLASSES).to(device)
        self.parameters = [self.weights, *self.project.parameters(), *self.output.parameters()]
        self.optimiser = torch.optim.Adam(self.parameters, lr=LEARNING_RATE)

    def step(self, waves: Sequence[NDArray[np.float32]]) -> float:
        """Take one optimiser step over the utterances, in micro-batches; the seconds of it that encode."""
        import torch

        spent = 0.0
        for first in range(0, len(waves), MICRO_BATCH):
            batch = waves[first : first + MICRO_BATCH]
            started = self.clock()
            states, frames = self._encode(batch)
            self._wait()
            spent += self.clock() - started
            mixed = (torch.softmax(self.weights, 0).view(-1, 1, 1, 1) * states).sum(0)
            projected = self.project(mixed)
            valid = torch.arange(projected.shape[1], device=self.device) < frames[:, None]
            pooled = (projected * valid[..., None]).sum(1) / frames[:, None]
            labels = torch.arange(len(batch), device=self.device) % CLASSES
            loss = torch.nn.functional.cross_entropy(self.output(pooled), labels) / ACCUMULATE
            torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self._wait()
        return spent

    def _encode(self, batch: Sequence[NDArray[np.float32]]) -> tuple[Any, Any]:
        """All hidden states (L, B, T, D) of a padded micro-batch, and how many frames of each are valid (B,)."""
        import torch

        padded = np.zeros((len(batch), max(map(len, batch))), np.float32)
        for row, wave in zip(padded, batch, strict=True):
            row[: len(wave)] = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
        lengths = torch.tensor([len(wave) for wave in batch])
        with torch.no_grad():
            output = self.encoder(torch.from_numpy(padded).to(self.device), output_hidden_states=True)
            frames = self.encoder._get_feat_extract_output_lengths(lengths).to(self.device)
            return torch.stack(output.hidden_states), frames

    def _wait(self) -> None:
        import torch

        if self.device != "cpu":
            torch.cuda.synchronize()


def time_reencoding(way: Reencoding, waves: Sequence[NDArray[np.float32]], per_step: int) -> tuple[float, float]:
    """Seconds of one optimiser step, and of encoding one utterance in it, on average over the waves."""
    started, forward = way.clock(), 0.0
    for first in range(0, len(waves), per_step):
        forward += way.step(waves[first : first + per_step])
    return (way.clock() - started) / (len(waves) / per_step), forward / len(waves)


# -- our way ----------------------------------------------------------------------------------------------------------


def time_encoding(upstream: Any, waves: Sequence[NDArray[np.float32]], clock: Clock) -> float:
    """Seconds of encoding an utterance of mean duration once: batches by length, means over time."""
    longest_first = sorted(waves, key=len, reverse=True)
    started = clock()
    for first in range(0, len(longest_first), 8):
        for features in upstream.encode_batch(longest_first[first : first + 8]):
            features.mean()
    elapsed = clock() - started
    return elapsed / (sum(map(len, waves)) / RATE) * MEAN_SECONDS


def time_head(steps: int, layers: int, dim: int, device: str, clock: Clock, number: int) -> float:
    """Seconds of one optimiser step of `superb-s3prl` on the means of the first fold, evaluation on dev included.

    `number` makes other means in each repeat: of the same ones the head would remember how its training went.
    """
    from benchmark.registry.registry import Registry
    from benchmark.threads import threads
    from benchmark.types import Examples

    recipe = Registry().downstream("superb-s3prl", device)
    changes = {"maximum": steps, "evaluate_every": min(steps, EVALUATE_EVERY)}
    head = type(recipe)(recipe.params.model_copy(update=changes), device)
    generator = np.random.default_rng(number)

    def examples(n: int) -> Examples:
        return Examples(
            ids=tuple(map(str, range(n))),
            x=generator.standard_normal((n, layers, dim), dtype=np.float32),
            y=np.arange(n) % CLASSES,
            speakers=("unknown",) * n,
            outputs=("neutral", "happy", "angry", "sad"),
            kind="classification",
            metric="wa",
        )

    train, dev = examples(FOLDS[0][0]), examples(FOLDS[0][1])
    with threads(1):
        started = clock()
        head.fit(train, dev, seed=0)
        return (clock() - started) / steps


# -- the measurement --------------------------------------------------------------------------------------------------


def save_encoder(folder: Path, size: str) -> Any:
    """Save a wav2vec 2.0 with random weights and return its configuration."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    small = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    make = transformers.Wav2Vec2Config
    config = make() if size == "base" else make(**small, conv_dim=[32] * 7)
    transformers.Wav2Vec2Model(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return config


def measure(options: argparse.Namespace, folder: Path) -> tuple[Measured, list[dict[str, float]]]:
    """Measure both ways in turn; the fastest, and every repeat."""
    from benchmark.contracts.upstream import probe
    from upstreams.pretrained.huggingface import HuggingFace

    config = save_encoder(folder, options.size)
    lengths = sample(options.steps * MICRO_BATCH * ACCUMULATE)
    random.Random(0).shuffle(lengths)
    waves = [probe(duration, RATE, seed) for seed, duration in enumerate(lengths)]
    clock = CLOCKS[options.clock]
    theirs, ours = Reencoding(folder, options.device, clock), HuggingFace(str(folder))
    ours.device = options.device
    theirs.step(waves[:MICRO_BATCH])  # what is slow only once, on both sides
    ours.encode(waves[0]).mean()
    repeats = []
    for number in range(options.repeats):
        step, forward = time_reencoding(theirs, waves, MICRO_BATCH * ACCUMULATE)
        encode = time_encoding(ours, waves, clock)
        layers, dim = config.num_hidden_layers + 1, config.hidden_size
        head = time_head(options.head_steps, layers, dim, options.device, clock, number)
        repeats.append(Measured(step, forward, encode, head))
        sys.stderr.write(f"{number + 1} of {options.repeats}: {repeats[-1]}\n")

    def fastest(value: Callable[[Measured], float]) -> float:
        return min(map(value, repeats))

    best = Measured(
        fastest(lambda m: m.step), fastest(lambda m: m.forward), fastest(lambda m: m.encode), fastest(lambda m: m.head)
    )
    return best, [asdict(repeat) for repeat in repeats]


def positive(text: str) -> int:
    """A positive whole number of the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive whole number")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, extrapolate and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=positive, default=2, help="optimiser steps of s3prl's way in a repeat (2)")
    parser.add_argument("--repeats", type=positive, default=3, help="of which the fastest counts (3)")
    parser.add_argument("--head-steps", type=positive, default=2000, help="steps of our head in a repeat (2000)")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--threads", type=positive, help="threads of torch; default: its own choice")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="whose seconds count (wall)")
    parser.add_argument("--size", choices=["base", "tiny"], default="base", help="tiny only tries the script")
    options = parser.parse_args(arguments)
    if options.clock == "cpu" and options.device != "cpu":
        parser.error("--clock cpu does not see what a GPU does")

    import torch
    import transformers

    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        best, repeats = measure(options, Path(folder))
    about = {
        "measure": "s3prl_way",
        **extrapolate(best),
        "size": options.size,
        "device": options.device if options.device == "cpu" else torch.cuda.get_device_name(),
        "threads": torch.get_num_threads(),
        "load_average": round(os.getloadavg()[0], 1),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "options": {key: getattr(options, key) for key in ("steps", "repeats", "head_steps", "clock")},
        "repeats": [{key: round(value, 6) for key, value in repeat.items()} for repeat in repeats],
    }
    sys.stdout.write(f"{json.dumps(about)}\n")


if __name__ == "__main__":
    main()
