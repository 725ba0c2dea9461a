"""The abstract upstream: what represents speech."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import UsageError
from benchmark.types import Features, Precision

if TYPE_CHECKING:
    from benchmark.base.trainable import Trainable


class Upstream(ABC):
    """Represents speech.

    A subclass sets `name` and `sample_rate` and implements `encode`. Nothing heavy happens before the first `encode`:
    a model is loaded there, so that a run whose features are stored never loads it.

    Attributes:
        name: The row on the leaderboard.
        version: Raised whenever its features change; what is published is told apart by it. None where none is
            declared: the digest of the code stands for it then.
        sample_rate: Rate at which `encode` wants its waveform [Hz].
        min_duration: Shortest waveform `encode` accepts [s]; a shorter utterance is an error before any encoding.
        layers: Declared number of layers; None leaves it to what `encode` returns.
        dim: Declared dimension; None leaves it to what `encode` returns.
        frame_rate: Declared frames a second [Hz]; None for one vector an utterance, and where it is not known before.
        hears: False where features are looked up by utterance id, and nothing is encoded.
        libraries: Distributions whose version decides the features; part of the identity.
        extra: The optional dependency group of this package that the upstream needs, if any.
        examine: "module:function" that says whether what it needs is well installed, where an import does not tell:
            it takes nothing and returns some `Condition` of `benchmark.types`. A literal, loaded by `bench doctor`.
        precisions: Lower precisions that the upstream can compute in; it heeds `precision` then.
        precision: Precision of the forward pass where it is not float32; part of the name and of the identity.
        batch_seconds: Audio that one call of `encode_batch` gets at most [s], the longest times their number.
        trained_on: Corpora of this benchmark with whose recordings the weights were trained.
        concurrent: Whether several threads may call `encode_batch` at once on a CPU, in each of its precisions: once it
            is ready, it changes nothing that they share. A run then encodes as many batches at once as there are cores.
        trains: Whether it lends its weights to a head that trains them, see `trainable`; it declares layers and dim.
        device: Where to compute, "cpu" or "cuda"; set by the run.
        components: The upstreams that it is made of, where it is made of others.
    """

    name: str
    version: ClassVar[int | None] = None
    sample_rate: int = 16_000
    min_duration: float = 0.0
    layers: int | None = None
    dim: int | None = None
    frame_rate: float | None = None
    hears: bool = True
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    extra: ClassVar[str | None] = None
    examine: ClassVar[str | None] = None
    precisions: ClassVar[tuple[Precision, ...]] = ()
    precision: Precision | None = None
    batch_seconds: float = 60.0
    trained_on: tuple[str, ...] = ()
    concurrent: bool = False
    trains: bool = False
    device: str = "cpu"
    components: tuple[Upstream, ...] = ()

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters that decide the features, as plain JSON values. No path of this machine."""
        return {}

    def weights_sha256(self) -> str | None:
        """Digest of the weights, computed without loading them; None for an upstream that has none."""
        return None

    def parameters(self) -> int:
        """Number of weights used in encoding; may load the model."""
        return 0

    def get_ready(self) -> None:
        """Load the model onto `device`, where that has not been done; a run calls it before it times the encoding."""
        for one in self.components:
            one.get_ready()

    @abstractmethod
    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Represent one utterance.

        Args:
            wave: (n,) float32 at `sample_rate`, mono, at least `min_duration` long, values in [-1, 1] by convention.
        """

    def encode_batch(self, waves: Sequence[NDArray[np.float32]]) -> list[Features]:
        """Represent several utterances; every result equals that of `encode` alone within 1e-5."""
        return [self.encode(wave) for wave in waves]

    def attention(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """Attention maps of one utterance; they are never stored.

        Args:
            wave: As for `encode`.

        Returns:
            (B, H, T, T) float32 for B blocks and H heads: how much frame t (third axis) takes of each frame (fourth
            axis); every row sums to 1.

        Raises:
            UsageError: The upstream has no attention.
        """
        del wave
        raise UsageError(f"the upstream {self.name!r} has no attention maps", "those of transformers have")

    def trainable(self) -> Trainable:
        """A module with the upstream's weights that nobody else has, and its forward pass.

        Raises:
            UsageError: The upstream cannot be trained.
        """
        raise UsageError(f"the upstream {self.name!r} cannot be trained", "those of transformers can")

    def lookup(self, ids: Sequence[str], corpus: Collection[str]) -> Mapping[str, Features]:
        """Features that were made elsewhere, for an upstream that does not hear the waveform.

        Args:
            ids: The utterances that are needed.
            corpus: Every utterance of the corpus they come from.

        Raises:
            BenchError: An utterance is missing, a feature belongs to none of the corpus, or is not finite.
            UsageError: The upstream hears, and encodes.
        """
        del ids, corpus
        raise UsageError(f"the upstream {self.name!r} looks nothing up", "it encodes waveforms")
