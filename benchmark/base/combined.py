"""Upstreams made of others: some layers of one, and several side by side. Their names say how they are made.

hubert-base@last            one layer: first (0), last, or a number
wavlm-large@6-9,11          several layers
hubert-base@mean-last-4     the mean of the last four layers, one layer
hubert-base@bf16            computed in lower precision
hubert-base+egemaps         two upstreams, concatenated
hubert-base@bf16@last+egemaps-lld
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, UsageError
from benchmark.lazy import LazyMapping
from benchmark.types import Features, Precision

LAYERS = "layers are first, last, mean-last-4, or numbers from 0 such as 3 or 3,7,11 or 6-9"
PRECISIONS = f"precisions are {', '.join(get_args(Precision))}"
_MEAN_LAST = re.compile(r"mean-last-([1-9]\d{0,3})")
_NUMBER = r"(0|[1-9]\d{0,3})"  # written in one way, because it is in the name of a row
_NUMBERS = re.compile(f"{_NUMBER}(-{_NUMBER})?(,{_NUMBER}(-{_NUMBER})?)*")
# Frames of two upstreams that begin together may end so many frames, or s, apart: each may gain or lose an analysis
# window there.
END_SLACK, END_TIME_SLACK = 4, 0.1


@dataclass(frozen=True)
class Name:
    """A name without what follows its "@".

    Attributes:
        base: The upstream.
        precision: Lower precision, or None.
        layers: What is selected of its layers, or None for all.
    """

    base: str
    precision: Precision | None = None
    layers: str | None = None

    @classmethod
    def parse(cls, name: str) -> Name:
        """Take what is known after the last "@" signs off a name; what is not known is left to its base.

        Raises:
            UsageError: Two precisions or two selections.
        """
        base, precision, layers = name, None, None
        while True:
            rest, at, word = base.rpartition("@")
            if not at or not rest:
                break
            if word in get_args(Precision):
                if precision is not None:
                    raise UsageError(f"{name!r} names two precisions", "name one")
                precision = word
            elif word in ("first", "last") or _MEAN_LAST.fullmatch(word) or _NUMBERS.fullmatch(word):
                if layers is not None:
                    raise UsageError(f"{name!r} selects layers twice", "list them: 3,7,11")
                layers = word
            else:
                break
            base = rest
        return cls(base, precision, layers)  # type: ignore[arg-type]


def meant_word(word: str) -> str | None:
    """The precision or selection of layers that a word is nearly, if any."""
    known = ("first", "last", "mean-last-4", *get_args(Precision))
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), None)


def unknown_word(name: str, word: str) -> UsageError:
    """The error for what follows an "@" and is nothing.

    Args:
        name: The whole name.
        word: What follows.
    """
    close = meant_word(word)
    meant = "" if close is None else f"did you mean {close!r}? "
    return UsageError(
        f"{name!r}: {word!r} is neither a precision nor a selection of layers",
        f"{meant}{LAYERS}; {PRECISIONS}",
    )


class LayersOf(Upstream):
    """Some layers of another upstream.

    Args:
        upstream: The other.
        selection: As in a name.

    Raises:
        UsageError: It has no such layer, or a layer is listed twice.
    """

    name = ""  # that of the other, and the selection
    version = 1

    def __init__(self, upstream: Upstream, selection: str) -> None:
        self.upstream = upstream
        self.components = (upstream,)
        self.selection = selection
        self.name = f"{upstream.name}@{selection}"
        self.sample_rate, self.min_duration = upstream.sample_rate, upstream.min_duration
        self.dim, self.frame_rate = upstream.dim, upstream.frame_rate
        self.trained_on = upstream.trained_on
        self.hears = upstream.hears
        self.is_mean = selection.startswith("mean-")
        if upstream.layers is not None:
            self.layers = layers_after(self.name, selection, upstream.layers)

    @property
    def device(self) -> str:
        """Where the other upstream computes: "cpu" or "cuda"."""
        return self.upstream.device

    @device.setter
    def device(self, device: str) -> None:
        self.upstream.device = device

    @property
    def batch_seconds(self) -> float:  # type: ignore[override]
        """Audio in a batch of the other upstream at most [s], which may depend on the device."""
        return self.upstream.batch_seconds

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters of the other upstream, and the selection of layers."""
        return {**self.upstream.params, "layers": self.selection}

    def weights_sha256(self) -> str | None:
        """Digest of the other upstream's weights; None where it has none."""
        return self.upstream.weights_sha256()

    def parameters(self) -> int:
        """Number of the other upstream's weights."""
        return self.upstream.parameters()

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Represent one utterance by the chosen layers: (chosen, T, D)."""
        return self.of(self.upstream.encode(wave))

    def encode_batch(self, waves: Sequence[NDArray[np.float32]]) -> list[Features]:
        """Represent several utterances by the chosen layers."""
        return [self.of(features) for features in self.upstream.encode_batch(waves)]

    def attention(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """Attention maps of every block of the other upstream: (B, H, T, T)."""
        return self.upstream.attention(wave)

    def lookup(self, ids: Sequence[str], corpus: Collection[str]) -> Mapping[str, Features]:
        """Look features up in the other upstream and keep the chosen layers."""
        found = self.upstream.lookup(ids, corpus)
        return LazyMapping(tuple(found), lambda name: self.of(found[name]))

    def of(self, features: Features) -> Features:
        """Features (L, T, D) of all layers, reduced to the chosen ones."""
        return Features(self.select(features.layers), features.frame_rate)

    def select(self, layers: NDArray[np.float32]) -> NDArray[np.float32]:
        """An array (L, ...) of all layers, reduced to the chosen ones, or to their mean (1, ...), in float32."""
        chosen = layers[chosen_layers(self.name, self.selection, len(layers))]
        return np.asarray(chosen.mean(axis=0, keepdims=True, dtype=np.float64) if self.is_mean else chosen, np.float32)


def chosen_layers(name: str, selection: str, count: int) -> list[int]:
    """The layers of a selection, as numbers from 0.

    Args:
        name: The whole name, for the error.
        selection: What follows the "@".
        count: How many layers there are.

    Raises:
        UsageError: It has no such layer, or a layer is listed twice.
    """
    if selection in ("first", "last"):
        return [0 if selection == "first" else count - 1]
    mean = _MEAN_LAST.fullmatch(selection)
    if mean is not None:
        if int(mean[1]) > count:
            raise UsageError(f"{name!r}: there are {count} layers", LAYERS)
        return list(range(count - int(mean[1]), count))
    chosen: list[int] = []
    for part in selection.split(","):
        first, dash, last = part.partition("-")
        if dash and int(first) >= int(last):
            raise UsageError(f"{name!r}: {part!r} is no range of layers", LAYERS)
        chosen += range(int(first), int(last or first) + 1)
    if not chosen or max(chosen) >= count or len(set(chosen)) < len(chosen):
        what = f"{name!r} lists a layer twice, or none" if chosen and max(chosen) < count else None
        raise UsageError(what or f"{name!r}: the layers are 0 to {count - 1}", LAYERS)
    return chosen


def layers_after(name: str, selection: str | None, count: int) -> int:
    """How many layers are left of so many; an error as of `chosen_layers`."""
    if selection is None:
        return count
    chosen = chosen_layers(name, selection, count)
    return 1 if _MEAN_LAST.fullmatch(selection) else len(chosen)


def layers_beside(name: str, counts: Sequence[int]) -> int:
    """How many layers upstreams side by side have: as many as each, where one alone stands beside every layer.

    Raises:
        UsageError: They have several numbers of them.
    """
    several = {count for count in counts if count != 1}
    if len(several) > 1:
        raise UsageError(
            f"{name!r} joins upstreams of {' and '.join(map(str, counts))} layers",
            "select as many of each, as in A@last+B@last",
        )
    return several.pop() if several else 1


class Fusion(Upstream):
    """Several upstreams side by side: their values are concatenated, in every layer.

    Where all have frames, the faster ones are averaged to the frames of the slowest; where one has a vector for an
    utterance, the others are averaged over the utterance too. A head that needs means gets those of each one's own
    frames. The layers of all must be as many, or one, which then stands beside every layer.

    Args:
        upstreams: At least two.

    Raises:
        UsageError: Two are the same, or differ in layers or in sample rate.
    """

    name = ""  # theirs, joined by "+"
    version = 1

    def __init__(self, upstreams: Sequence[Upstream]) -> None:
        self.upstreams = self.components = tuple(upstreams)
        self.name = "+".join(upstream.name for upstream in upstreams)
        if len({upstream.name for upstream in upstreams}) < len(upstreams):
            raise UsageError(f"{self.name!r} names an upstream twice", "name each once")
        rates = {upstream.sample_rate for upstream in upstreams if upstream.hears}
        if len(rates) > 1:
            raise UsageError(f"{self.name!r} joins upstreams of {sorted(rates)} Hz", "one sample rate is needed")
        self.sample_rate = rates.pop() if rates else upstreams[0].sample_rate
        self.min_duration = max(upstream.min_duration for upstream in upstreams)
        self.hears = all(upstream.hears for upstream in upstreams)
        self.trained_on = tuple(dict.fromkeys(name for upstream in upstreams for name in upstream.trained_on))
        counts = [upstream.layers for upstream in upstreams if upstream.layers is not None]
        dims = [upstream.dim for upstream in upstreams if upstream.dim is not None]
        if len(counts) == len(upstreams):
            self.layers = layers_beside(self.name, counts)
        if len(dims) == len(upstreams):
            self.dim = sum(dims)
        frame_rates = [upstream.frame_rate for upstream in upstreams if upstream.frame_rate is not None]
        self.frame_rate = min(frame_rates) if len(frame_rates) == len(upstreams) else None

    @property
    def device(self) -> str:
        """Where the upstreams compute, which is the same for all: "cpu" or "cuda"."""
        return self.upstreams[0].device

    @device.setter
    def device(self, device: str) -> None:
        for upstream in self.upstreams:
            upstream.device = device

    @property
    def batch_seconds(self) -> float:  # type: ignore[override]
        """Audio in a batch at most [s]: the least that one of the upstreams takes."""
        return min(upstream.batch_seconds for upstream in self.upstreams)

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters of each upstream, by its name."""
        return {upstream.name: dict(upstream.params) for upstream in self.upstreams}

    def weights_sha256(self) -> str | None:
        """Digest of the digests of all upstreams' weights; None where none has any."""
        from benchmark.io.files import digest

        sums = [upstream.weights_sha256() for upstream in self.upstreams]
        return digest(sums) if any(sums) else None

    def parameters(self) -> int:
        """Number of weights of all upstreams together."""
        return sum(upstream.parameters() for upstream in self.upstreams)

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Represent one utterance by all upstreams, joined: (L, T, sum of D)."""
        return self.aligned([upstream.encode(wave) for upstream in self.upstreams])

    def encode_batch(self, waves: Sequence[NDArray[np.float32]]) -> list[Features]:
        """Represent several utterances by all upstreams, joined."""
        encoded = [upstream.encode_batch(waves) for upstream in self.upstreams]
        return [self.aligned(features) for features in zip(*encoded, strict=True)]

    def beside(self, arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Concatenate values (L, ..., D) of each along the last axis; a single layer stands beside every layer."""
        count = layers_beside(self.name, [len(array) for array in arrays])
        return np.concatenate([np.broadcast_to(array, (count, *array.shape[1:])) for array in arrays], axis=-1)

    def aligned(self, features: Sequence[Features]) -> Features:
        """Bring features of one utterance to one rate and concatenate them.

        Raises:
            BenchError: One is much longer than another.
        """
        rates = [one.frame_rate for one in features]
        slowest = min((rate for rate in rates if rate is not None), default=None)
        if slowest is None or None in rates:
            return Features(self.beside([one.mean()[:, np.newaxis] for one in features]))
        averaged = [at_rate(one, slowest) for one in features]
        lengths = [layers.shape[1] for layers in averaged]
        if max(lengths) - min(lengths) > max(END_SLACK, END_TIME_SLACK * slowest):
            raise BenchError(
                f"{self.name!r} gives {lengths} frames at {slowest:g} Hz for one utterance",
                "frames of both begin and end with the utterance",
            )
        return Features(self.beside([layers[:, : min(lengths)] for layers in averaged]), slowest)


def at_rate(features: Features, rate: float) -> NDArray[np.float32]:
    """Average frames to those of a slower rate: (L, T', D).

    Frame t of the result is the mean of the frames that begin in [t / rate, (t + 1) / rate).

    Args:
        features: With frames.
        rate: At most theirs [Hz].
    """
    layers, own = features.layers, features.frame_rate
    if own is None or own == rate:
        return layers
    begins = np.floor(np.arange(layers.shape[1]) * (rate / own) + 1e-6).astype(int)
    first = np.flatnonzero(np.diff(begins, prepend=-1))
    counts = np.diff(first, append=layers.shape[1])
    sums = np.add.reduceat(layers, first, axis=1, dtype=np.float64)
    return np.asarray(sums / counts[np.newaxis, :, np.newaxis], dtype=np.float32)


def fuse(upstreams: Sequence[Upstream]) -> Upstream:
    """One upstream of several; itself where there is only one."""
    return upstreams[0] if len(upstreams) == 1 else Fusion(upstreams)


def joined(pieces: Sequence[str], is_known: Any) -> list[str]:
    """Undo a split at "+" where a piece is no upstream and follows one that takes an argument, such as a path."""

    def add(names: list[str], piece: str) -> list[str]:
        if names and ":" in names[-1] and not is_known(piece):
            return [*names[:-1], f"{names[-1]}+{piece}"]
        return [*names, piece]

    return reduce(add, pieces, [])
