"""An upstream whose weights a run has trained: `tuned:TASK/UPSTREAM/RECIPE`, other weights for each fold.

tuned:iemocap/wav2vec2-base/finetune
tuned:iemocap/wav2vec2-base-100h/finetune@last
tuned:demo/tuned:urdu/whisper-tiny/lora/finetune     # two steps: trained on urdu, then on demo
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base.combined import Fusion, LayersOf
from benchmark.base.upstream import Upstream
from benchmark.errors import UsageError
from benchmark.types import Features

PREFIX = "tuned:"


@dataclass(frozen=True)
class Training:
    """The cell that trains the weights, by its names: a task, the upstream that training starts from, a downstream."""

    task: str
    upstream: str
    downstream: str


class Tuned(Upstream):
    """Stands for the weights that a downstream has trained, until it is known for which fold.

    What it is made of is `start`, whatever that is: it may have been trained by another step.

    Args:
        training: The names.
        start: What `training.upstream` names.
        title: Its name on the leaderboard, where paths are names.
    """

    name = PREFIX  # and its title
    version = 1

    def __init__(self, training: Training, start: Upstream, title: Training | None = None) -> None:
        shown = title or Training(training.task, start.name, training.downstream)
        self.training, self.start, self.components = training, start, (start,)
        self.title = shown
        self.name = f"{PREFIX}{shown.task}/{shown.upstream}/{shown.downstream}"
        self.sample_rate, self.min_duration = start.sample_rate, start.min_duration
        self.layers, self.dim, self.frame_rate = start.layers, start.dim, start.frame_rate
        self.trained_on, self.trains = start.trained_on, start.trains
        self.precisions = start.precisions  # type: ignore[misc]

    @property
    def params(self) -> Mapping[str, Any]:
        """How the weights come about, by names."""
        return {"task": self.title.task, "start": dict(self.start.params), "recipe": self.title.downstream}

    def weights_sha256(self) -> str | None:
        """Digest of the weights that training starts from."""
        return self.start.weights_sha256()

    def parameters(self) -> int:
        """Number of weights."""
        return self.start.parameters()

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """It encodes only once it is known for which fold.

        Raises:
            UsageError: Always.
        """
        del wave
        raise UsageError(f"{self.name!r} has other weights for each fold", "bench export writes those of one")


class Weighted(Upstream):
    """An upstream with weights that were trained, under the name of the row.

    Args:
        upstream: What encodes.
        row: What it stands in for.
        weights: Digest of what was trained.
    """

    name = f"{PREFIX}weights"
    version = 1

    def __init__(self, upstream: Upstream, row: Tuned, weights: str) -> None:
        self._own, self._row, self._weights = upstream, row, weights
        self.components = (upstream,)
        self.name = row.name
        self.sample_rate, self.min_duration = upstream.sample_rate, upstream.min_duration
        self.layers, self.dim, self.frame_rate = upstream.layers, upstream.dim, upstream.frame_rate
        self.trained_on, self.trains = row.trained_on, upstream.trains
        self.precision = upstream.precision = row.precision or upstream.precision

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda"."""
        return self._own.device

    @device.setter
    def device(self, device: str) -> None:
        self._own.device = device

    @property
    def batch_seconds(self) -> float:  # type: ignore[override]
        """Audio in a batch at most [s], which may depend on the device."""
        return self._own.batch_seconds

    @property
    def params(self) -> Mapping[str, Any]:
        """As the row, and which weights."""
        return {**self._row.params, "model": self.name, "trained": self._weights}

    def weights_sha256(self) -> str | None:
        """Digest of what was trained."""
        return self._weights

    def parameters(self) -> int:
        """Number of weights."""
        return self._own.parameters()

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Represent one utterance."""
        return self._own.encode(wave)

    def encode_batch(self, waves: Any) -> list[Features]:
        """Represent several."""
        return self._own.encode_batch(waves)

    def attention(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """As the upstream that it is."""
        return self._own.attention(wave)

    def trainable(self) -> Any:
        """A module with these weights, to be trained further."""
        return self._own.trainable()


def is_tuned(name: str) -> bool:
    """Whether a name, also one of several upstreams, has one that a run has trained."""
    return any(part.startswith(PREFIX) for part in name.split("+"))


def tuned_in(upstream: Upstream) -> Iterator[Tuned]:
    """The upstreams in one that wait for weights of a fold; what they start from is theirs."""
    if isinstance(upstream, Tuned):
        yield upstream
        return
    for one in upstream.components:
        yield from tuned_in(one)


def with_weights(upstream: Upstream, give: Callable[[Tuned], Upstream]) -> Upstream:
    """The same upstream with weights in the place of what waits for them."""
    if isinstance(upstream, Tuned):
        return give(upstream)
    if isinstance(upstream, LayersOf):
        return LayersOf(with_weights(upstream.upstream, give), upstream.selection)
    if isinstance(upstream, Fusion):
        return Fusion([with_weights(one, give) for one in upstream.upstreams])
    return upstream
