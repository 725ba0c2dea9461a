"""Examples on which heads are held to their contract: easy ones, and ones from which nothing can be learnt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Downstream
from benchmark.types import Examples, Kind, Needs, Taught

CLASSES = ("angry", "happy", "sad")
DIMENSIONS = ("arousal", "valence")
LAYERS, DIM, TURNS = 3, 8, 4
RATE, HOP = 16_000, 320  # of waveforms [Hz], and samples in which every tone ends where it began
NAMED_LAYERS = 13  # of the networks whose layers some heads name, with their input
DIM_BESIDE = 3
PHONES = ("a", "i", "u")


def toy(
    needs: Needs,
    *,
    utterances: int,
    speakers: int,
    seed: int,
    sequences: bool = False,
    kind: Kind = "classification",
    noise: bool = False,
    frames: tuple[int, int] = (5, 20),
    layers: int = LAYERS,
    dim: int = DIM,
    upstream: str = "",
    beside: str | None = None,
) -> Examples:
    """Make examples of three classes: in every layer a centre each, with noise of speaker, utterance and frame.

    Args:
        needs: "mean" for x as (n, 3, 8) float32, "statistics" for (n, 3, 16), "frames" in 32 or 16 bits for n arrays
            (3, T, 8), "waveform" for n arrays (320 T,): eight tones, as loud as the sum of the layers.
        utterances: n.
        speakers: How many speakers they are spread over; each has every class.
        seed: Decides all but the centres, which are the same for every seed.
        sequences: Make x n arrays (S, 3, 8) of what was said before, in `TURNS` turns; of frames n tuples of S arrays.
        kind: "regression" for two dimensions in place of the classes: sums over values of x, on a scale about 4.
        noise: Leave out centres, so that features say nothing of the targets, which stay as they are.
        frames: Fewest and most frames T of an utterance.
        layers: In place of 3.
        dim: In place of 8.
        upstream: What its upstream is called.
        beside: What the second of two joined upstreams is called: the last `DIM_BESIDE` values of frames are then of
            it, one layer that stands beside all.
    """
    centres = np.random.Generator(np.random.PCG64(0)).standard_normal((len(CLASSES), layers, dim))
    generator = np.random.Generator(np.random.PCG64([1, seed]))
    speaker = np.arange(utterances) % speakers
    y = (np.arange(utterances) // speakers) % len(CLASSES)
    voices = 0.2 * generator.standard_normal((speakers, layers, dim))
    means = centres[y] + voices[speaker] + 0.4 * generator.standard_normal((utterances, layers, dim))
    targets = y.astype(np.int64) if kind == "classification" else _values(means)
    if noise:
        means = means - centres[y]
        if kind == "regression":
            means = generator.standard_normal(means.shape)
    x: Any = means.astype(np.float32)
    if needs == "statistics":
        deviations = 0.3 * generator.uniform(0.5, 1.5, means.shape)
        x = np.concatenate([means, deviations], axis=-1).astype(np.float32)
    elif needs == "waveform":
        lengths = generator.integers(frames[0], frames[1] + 1, utterances)
        x = tuple(
            np.float32(np.tile(mean.sum(axis=0) @ tones(), length) + 0.1 * generator.standard_normal(length * HOP))
            for mean, length in zip(means, lengths, strict=True)
        )
    elif needs != "mean":
        lengths = generator.integers(frames[0], frames[1] + 1, utterances)
        x = tuple(
            (mean[:, np.newaxis] + 0.3 * generator.standard_normal((layers, length, dim))).astype(np.float32)
            for mean, length in zip(means, lengths, strict=True)
        )
    if beside is not None:
        for features in x:
            features[:, :, -DIM_BESIDE:] = features[:1, :, -DIM_BESIDE:]
    turns = None
    if sequences:
        turns = tuple(np.sort(np.append(np.arange(TURNS), generator.integers(0, TURNS, 2))) for _ in range(utterances))
        said = tuple(
            (mean + 0.3 * generator.standard_normal((len(spoken), layers, dim))).astype(np.float32)
            for mean, spoken in zip(means, turns, strict=True)
        )
        x = said if needs == "mean" else tuple(_frames_of(one, generator, frames) for one in said)
    return Examples(
        ids=tuple(f"toy{seed}-{index:03d}" for index in range(utterances)),
        x=x,
        turns=turns,
        y=targets,
        speakers=tuple(f"speaker{seed}-{index}" for index in speaker),
        outputs=CLASSES if kind == "classification" else DIMENSIONS,
        kind=kind,
        metric="uar" if kind == "classification" else "ccc",
        upstream=upstream,
        parts=() if beside is None else (("toy", dim - DIM_BESIDE), (beside, DIM_BESIDE)),
    )


def tones() -> NDArray[np.float64]:
    """(8, HOP) samples of one hop of eight tones, at right angles to each other."""
    return np.sin(2 * np.pi * np.arange(1, DIM + 1)[:, np.newaxis] * 10 * np.arange(HOP) / HOP)


def toy_of(head: Downstream, **about: Any) -> Examples:
    """Examples of the form that a head takes; with what else `toy` takes."""
    if head.networks:
        about = {"upstream": f"{head.networks[0]}-toy", "layers": NAMED_LAYERS, **about}
    made = toy(head.needs, sequences=head.sequences, beside=head.upstream_beside, **about)
    if head.phones:
        made = replace(made, phones=_spoken(made), phone_names=PHONES)
    return made if head.teacher is None else replace(made, taught=_lesson(made, head))


def _lesson(examples: Examples, head: Downstream) -> Taught:
    """What a teacher says that knows the targets: random directions of each, as wide as the head's own embedding."""
    width = int(getattr(head.params, "embedding", DIM))
    values = np.asarray(examples.y, dtype=np.float64).reshape(len(examples), -1)
    directions = np.random.Generator(np.random.PCG64(3)).standard_normal((values.shape[1], width))
    return Taught(((values - 4) @ directions).astype(np.float32), values)


def _spoken(examples: Examples) -> tuple[NDArray[np.int64], ...]:
    """Phones of two frames each, one after another, of all but the last frame, whatever the features are."""
    lengths = [x.shape[1] - 1 for x in examples.x]
    return tuple(
        (np.arange(length, dtype=np.int64) // 2 + row) % (len(PHONES) + 1) - 1 for row, length in enumerate(lengths)
    )


def select(examples: Examples, rows: list[int]) -> Examples:
    """Some of the examples, in the order of `rows`, without their targets."""
    x = examples.x[rows] if isinstance(examples.x, np.ndarray) else tuple(examples.x[row] for row in rows)
    ids, speakers = (tuple(values[row] for row in rows) for values in (examples.ids, examples.speakers))
    turns = None if examples.turns is None else tuple(examples.turns[row] for row in rows)
    phones = None if examples.phones is None else tuple(examples.phones[row] for row in rows)
    return replace(examples, ids=ids, x=x, y=None, speakers=speakers, turns=turns, taught=None, phones=phones)


def layers_of(examples: Examples, needs: Needs) -> int:
    """How many layers the features of an utterance have, of sequences too."""
    first = examples.x[0][0] if isinstance(examples.x[0], tuple) else examples.x[0]
    return int(first.shape[0 if needs.startswith("frames") else -2])


def content(examples: Examples) -> bytes:
    """All numbers of some examples, by which a change is seen."""
    x = [examples.x] if isinstance(examples.x, np.ndarray) else list(examples.x)
    x = [array for one in x for array in (one if isinstance(one, tuple) else (one,))]
    y = [] if examples.y is None else [examples.y]
    return b"".join(array.tobytes() for array in (*x, *y, *(examples.turns or ())))


def _frames_of(
    said: NDArray[np.float32], generator: np.random.Generator, frames: tuple[int, int]
) -> tuple[NDArray[np.float32], ...]:
    """Frames (3, T, 8) of each utterance, around its mean."""
    lengths = generator.integers(frames[0], frames[1] + 1, len(said))
    return tuple(
        (mean[:, np.newaxis] + 0.3 * generator.standard_normal((len(mean), length, DIM))).astype(np.float32)
        for mean, length in zip(said, lengths, strict=True)
    )


def _values(means: NDArray[np.float64]) -> NDArray[np.float32]:
    """Two dimensions (n, 2): sums over the values of every layer, some of them taken with the other sign."""
    dim = means.shape[-1]
    signs = np.random.Generator(np.random.PCG64(2)).choice([-1.0, 1.0], (dim, len(DIMENSIONS)))
    return np.asarray(4 + means.sum(axis=1) @ signs / (10 * np.sqrt(dim / DIM)), dtype=np.float32)
