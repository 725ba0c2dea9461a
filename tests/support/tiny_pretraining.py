"""A pre-training that takes a second: a recipe of a tiny network, and a folder of audio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from sound_files import voice
from toy import RATE

from benchmark.io.yamls import validate
from benchmark.registry.changes import changed
from upstreams.pretraining.pretrain import Request
from upstreams.pretraining.recipe import PretrainingRecipe, read_recipe
from upstreams.pretraining.speech import Source

# 3 heads have slopes that are no series, and kernels of positions an even width.
TINY: dict[tuple[str, ...], Any] = {
    ("model", "convolutions"): [[8, 10, 5], [8, 3, 2], [8, 3, 2], [8, 3, 2], [8, 3, 2], [8, 2, 2], [8, 2, 2]],
    ("model", "dim"): 24,
    ("model", "heads"): 3,
    ("model", "prenet"): 1,
    ("model", "trunk"): 2,
    ("model", "positions"): {"width": 8, "groups": 4, "depth": 2},
    ("model", "tokens"): 3,
    ("model", "decoder"): {"layers": 2, "dim": 16, "kernel": 3, "groups": 4},
    ("dropout", "blocks"): 0.2,
    ("masking", "copies"): 2,
    ("audio", "shortest"): 0.3,
    ("audio", "longest"): 0.6,
    ("batch", "tokens"): 20_000,
    ("batch", "micro_batches"): 2,
    ("schedule", "steps"): 4,
    ("schedule", "warm_up"): 1,
    ("targets", "blocks"): 2,
    ("precision",): None,
    ("log_every",): 2,
}
# Tables 8 to 11 of the paper: what each ablation changes of emotion2vec.
ABLATIONS: dict[str, dict[str, Any]] = {
    "emotion2vec-cold": {"start": "cold"},
    "emotion2vec-data2vec": {
        "start": "data2vec",
        "model.alibi": False,
        "model.decoder": None,
        "masking.copies": 1,
        "masking.masked": "replaced",
    },
    "emotion2vec-utterance-only": {"frame_loss.weight": 0.0},
    "emotion2vec-frame-only": {"utterance_loss.weight": 0.0},
    "emotion2vec-token": {"model.tokens": 1, "utterance_loss.method": "token"},
    "emotion2vec-global": {"model.tokens": 0, "utterance_loss.method": "global"},
    "emotion2vec-alpha-0.1": {"utterance_loss.weight": 0.1},
    "emotion2vec-alpha-10": {"utterance_loss.weight": 10.0},
}
SMALL = "emotion2vec-small"


def tiny(changes: dict[str, Any] | None = None, name: str = SMALL) -> PretrainingRecipe:
    """A recipe.

    Args:
        changes: By dotted keys.
        name: Whose values are taken where nothing is said.
    """
    wanted = {tuple(key.split(".")): value for key, value in (changes or {}).items()}
    content = read_recipe(name).model_dump(mode="json")
    return validate(PretrainingRecipe, changed(changed(content, TINY, name), wanted, name), name)


def as_changes(changes: dict[str, Any] | None = None) -> tuple[str, ...]:
    """The same as --set of the command line."""
    every = {**{".".join(key): value for key, value in TINY.items()}, **(changes or {})}
    return tuple(f"{key}={json.dumps(value)}" for key, value in every.items())


def write_audio(folder: Path, recordings: int = 9) -> Path:
    """A folder of recordings of several lengths, one at another rate, some in a folder below."""
    (folder / "more").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for number in range(recordings):
        rate = 22_050 if number == 0 else RATE
        sound = voice(0.45 + 0.03 * number, rate) * (0.5 + number / 20)
        sound = sound + random.normal(0, 0.02, len(sound))
        soundfile.write(folder / ("more" if number % 2 else ".") / f"{number}.wav", np.float32(sound), rate)
    return folder


def request(
    audio: Path, out: Path, changes: dict[str, Any] | None = None, start: str | None = None, name: str = SMALL
) -> Request:
    """What `bench pretrain` asks for."""
    return Request(name, as_changes(changes), start, (Source(audio.name, folder=audio),), out, "cpu")
