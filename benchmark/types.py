"""The value types every package shares: plain values and numpy arrays, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError

Kind = Literal["classification", "regression"]
# Of statistics: those of a kind of task, or of how far the probabilities of classes can be believed.
StatisticsKind = Literal["classification", "regression", "calibration"]
# What the scores of classes are that a head gives: probabilities, or their natural logarithms.
Probabilities = Literal["plain", "log"]
# What a head needs of every utterance: per-layer means, means and deviations, or all frames, stored in 32 or 16 bits;
# or the waveform, of which nothing is encoded or stored, for a head that trains the upstream.
Needs = Literal["mean", "statistics", "frames", "frames-float16", "waveform"]
# Of the forward pass of an upstream, by autocast.
Precision = Literal["bf16", "fp16"]
# Stands for all utterances without a speaker, where others have one.
UNKNOWN_SPEAKER = "unknown"
# Utterance ids by turn, the oldest turn first.
Turns = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Utterance:
    """One labelled stretch of speech, as a corpus scanner reads it.

    Attributes:
        id: Unique within the corpus and the same on every machine.
        file: Audio file as a POSIX path relative to the corpus root.
        start: Start inside the file [s]; None is the beginning.
        end: End inside the file [s]; None is the end of the file.
        speaker: Who speaks; None where the corpus does not say.
        session: Recording session or dialogue group; None where there is none.
        gender: "female", "male" or what else the corpus says; None where it does not.
        language: BCP 47 tag such as "ur" or "zh-TW"; None where the corpus does not say.
        labels: The corpus's own labels: "emotion" (a word) and dimensions (numbers).
        split: The corpus's own split ("train", "dev", "test"), where it has one.
        extra: Whatever else the corpus knows (dialogue, turn, text, style).
    """

    id: str
    file: str
    start: float | None = None
    end: float | None = None
    speaker: str | None = None
    session: str | None = None
    gender: str | None = None
    language: str | None = None
    labels: Mapping[str, str | float] = field(default_factory=dict)
    split: str | None = None
    extra: Mapping[str, str | float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedSound:
    """What the recordings of a complete corpus, or one part of it, are as published.

    Attributes:
        hours: All of them together [h].
        shortest: [s].
        longest: [s].
        rates: Those that were published [Hz].
    """

    hours: float
    shortest: float
    longest: float
    rates: tuple[int, ...]


@dataclass(frozen=True)
class CorpusCounts:
    """What a complete corpus, or one part or release of it, holds.

    Attributes:
        utterances: Number of utterances.
        speakers: Number of speakers; None where the corpus does not tell them apart.
        per_class: Utterances of each of the corpus's own emotion labels; empty where they are not published.
        sound: What its recordings are, by the lists of EmoBox (Ma et al. 2024) or by the published files; None where
            nobody says.
    """

    utterances: int
    speakers: int | None
    per_class: Mapping[str, int] = field(default_factory=dict)
    sound: PublishedSound | None = None


@dataclass(frozen=True)
class Download:
    """One file that anybody may download to get an open corpus.

    Attributes:
        url: Where it lies.
        checksum: What it must be, as "md5:..." or "sha256:..."; published by its host.
        folder: Where it is unpacked, below the folder of the corpus; "" is that folder itself.
    """

    url: str
    checksum: str
    folder: str = ""


@dataclass(frozen=True)
class Fold:
    """One division of a task into disjoint tuples of utterance ids.

    Attributes:
        name: Unique within the task, for example the held-out speaker.
        train: The head is fitted on these.
        dev: The head is selected on these. Empty only where the protocol says `dev: none`; equal to
            `test` only where it says `dev: test`.
        test: Scored once.
        adapt: Unlabelled target-domain utterances for domain adaptation.
        inner: The inner folds of train, where the protocol selects by them instead of dev: what each holds out.
    """

    name: str
    train: tuple[str, ...]
    dev: tuple[str, ...]
    test: tuple[str, ...]
    adapt: tuple[str, ...] = ()
    inner: tuple[tuple[str, ...], ...] = ()

    def with_first_inner_as_dev(self) -> Fold:
        """The fold whose dev set is what its first inner fold holds out."""
        held_out = set(self.inner[0])
        return replace(
            self, train=tuple(name for name in self.train if name not in held_out), dev=self.inner[0], inner=()
        )


@dataclass(frozen=True)
class Features:
    """What an upstream returns for one utterance.

    Attributes:
        layers: (L, T, D) float32: L layers, T frames, D values a frame. An upstream that gives one vector
            an utterance has T = 1.
        frame_rate: Frames a second [Hz]; None for one vector an utterance.

    Raises:
        BenchError: `layers` is not a non-empty three-dimensional float32 array.
    """

    layers: NDArray[np.float32]
    frame_rate: float | None = None

    def __post_init__(self) -> None:
        """Refuse anything but a non-empty (L, T, D) float32 array."""
        shape, dtype = getattr(self.layers, "shape", None), getattr(self.layers, "dtype", None)
        if shape is None or len(shape) != 3 or 0 in shape or dtype != np.float32:
            raise BenchError(
                f"features have shape {shape} and dtype {dtype}",
                "an upstream returns a non-empty float32 array of shape (layers, frames, dimension)",
            )

    def mean(self) -> NDArray[np.float32]:
        """The mean over time of every layer: (L, D) float32, summed in float64."""
        return np.asarray(self.layers.mean(axis=1, dtype=np.float64), dtype=np.float32)

    def statistics(self) -> NDArray[np.float32]:
        """Mean, then population standard deviation over time, of every layer: (L, 2 D) float32, from float64 sums."""
        layers = self.layers.astype(np.float64)
        return np.concatenate([layers.mean(axis=1), layers.std(axis=1)], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Taught:
    """What a trained teacher says of utterances, from an upstream of its own.

    Attributes:
        embeddings: (n, E) float32.
        values: (n, K) float64 class scores, or values (n, k) of the dimensions.
    """

    embeddings: NDArray[np.float32]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Examples:
    """What a head sees: features of n utterances and, for fitting, their targets.

    Attributes:
        ids: The n utterance ids, in order.
        x: For heads that need "mean": (n, L, D) float32. For "statistics": (n, L, 2 D), means and then deviations. For
            "frames": n arrays (L, T_i, D), each read when it is asked for. For "waveform": n arrays (T_i,) of samples
            at the upstream's rate, each decoded when it is asked for. In a task with context: n arrays (S_i, L, D), the
            means of the S_i utterances that were said before; for "frames" n tuples of their frames, S_i arrays
            (L, T, D), each tuple read when it is asked for.
        y: Class indices (n,) int64, or values (n, k) float32 for k dimensions; None when predicting and for adapt.
        speakers: The n speakers ("unknown" where a corpus knows none).
        outputs: Names of the K classes, or of the k dimensions, in the order of y and of the scores.
        kind: "classification" or "regression".
        metric: The task's primary metric, on which a head selects.
        turns: In a task with context n arrays (S_i,) int64: the turn of each utterance in x, from 0, the oldest.
        auxiliary: Indices of auxiliary classes (n,) int64, -1 for none; None where the task has no such classes, and
            when predicting.
        auxiliary_outputs: Names of the auxiliary classes.
        inner: Of train, where the protocol has inner folds: which of them holds each example out, (n,) int64
            from 0; -1 for one that is in every fit, as few labelled ones of a target are.
        parts: Name and dimension of each upstream that was joined into one, in the order of the values of x; empty
            where there is a single one.
        upstream: Name of the upstream, for heads that know the layers of some.
        taught: What a teacher says of train, for heads that have one; never of dev or test.
        phones: For heads that read phones, of train and adapt: n arrays (F_i,) int64, which of `phone_names` is spoken
            in each frame, -1 for none of them. F_i is up to the last phone, and may be less or more than T_i.
        phone_names: Of those phones.
    """

    ids: tuple[str, ...]
    x: NDArray[np.float32] | Sequence[NDArray[np.float32]]
    y: NDArray[Any] | None
    speakers: tuple[str, ...]
    outputs: tuple[str, ...]
    kind: Kind
    metric: str
    turns: tuple[NDArray[np.int64], ...] | None = None
    auxiliary: NDArray[np.int64] | None = None
    auxiliary_outputs: tuple[str, ...] = ()
    inner: NDArray[np.int64] | None = None
    parts: tuple[tuple[str, int], ...] = ()
    upstream: str = ""
    taught: Taught | None = None
    phones: tuple[NDArray[np.int64], ...] | None = None
    phone_names: tuple[str, ...] = ()

    def part(self, rows: Sequence[int] | NDArray[np.intp]) -> Examples:
        """The examples in some rows, without inner folds."""

        def of(values: Any) -> Any:
            if values is None:
                return None
            positions = np.asarray(rows, dtype=np.intp)
            return values[positions] if isinstance(values, np.ndarray) else tuple(values[row] for row in positions)

        parts = {
            name: of(getattr(self, name)) for name in ("ids", "x", "y", "speakers", "turns", "auxiliary", "phones")
        }
        return replace(self, inner=None, **parts)

    def __len__(self) -> int:
        """The number of utterances."""
        return len(self.ids)


@dataclass(frozen=True)
class HeldOut:
    """What a head said of utterances of train that it was not fitted on, on the protocol's inner folds.

    Attributes:
        truth: (n,) class indices.
        scores: (n, K), as `Downstream.predict` gives them.
    """

    truth: NDArray[Any]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """One point of a learning curve.

    Attributes:
        when: Epochs, or optimiser steps, done.
        train_loss: Mean loss of the batches since the last evaluation; None where there was none.
        dev_loss: Loss on dev.
        dev_score: What selects on dev, higher is better.
    """

    when: int
    train_loss: float | None
    dev_loss: float
    dev_score: float


@dataclass(frozen=True)
class Selection:
    """How a head was chosen on dev.

    Attributes:
        on: What it was selected on, for example "dev uar"; None where nothing was selected.
        score: The dev score of the chosen state.
        epoch: The epoch (from 1), or optimiser step, of the chosen state.
        layer_weights: Weight of each layer, summing to one, where the head learns them.
        chosen: Hyper-parameters that were searched, with the values chosen.
        inner_folds: How many of the protocol's inner folds it was selected on: all of them, their held-out utterances
            pooled; or 1, the first as a dev set, by a head that is too dear for all. None without inner folds.
        above_chance: Whether what it was selected on is surely above chance; None where nobody looked.
        curve: Every evaluation on dev, where the head tells them.
    """

    on: str | None = None
    score: float | None = None
    epoch: int | None = None
    layer_weights: tuple[float, ...] | None = None
    chosen: Mapping[str, float | str] = field(default_factory=dict)
    inner_folds: int | None = None
    above_chance: bool | None = None
    curve: tuple[Evaluation, ...] = ()


@dataclass(frozen=True)
class Condition:
    """How something that a run may need is on this machine: one line of `bench doctor`.

    Attributes:
        status: "ok", "-" for something optional that is not here, "BROKEN" for what stops a run.
        what: The thing.
        found: Version, place, or what to do.
    """

    status: Literal["ok", "-", "BROKEN"]
    what: str
    found: str
