"""Where the features of an upstream come from: its store, those of its parts, a file, or a model at every reading.

A head that trains the upstream reads waveforms; nothing is encoded for it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.base.combined import Fusion, LayersOf
from benchmark.data.listening import Heard
from benchmark.errors import BenchError
from benchmark.features.alike import Alike
from benchmark.features.encoding import Recording, encode_batch, read_wave
from benchmark.features.pooling import POOLINGS, pool
from benchmark.features.store import Demand, Encoded, FeatureStore, refuse_beyond, shape_of
from benchmark.lazy import LazyMapping
from benchmark.progress import Progress
from benchmark.protocol.dataset import Dataset
from benchmark.types import Features, Needs


class FeatureView(ABC):
    """Gives the features of a task's utterances."""

    @abstractmethod
    def demands(self, dataset: Dataset, heard: Mapping[str, Heard]) -> list[Demand]:
        """What would have to be encoded and stored.

        Raises:
            BenchError: The features cannot be had.
        """

    @abstractmethod
    def load(self, dataset: Dataset, heard: Mapping[str, Heard], progress: Progress) -> Encoded:
        """The features, encoding what is not stored.

        Raises:
            EncodingError: The upstream fails on an utterance.
            BenchError: Something that concerns more than one upstream is wrong.
        """

    @abstractmethod
    def stores(self) -> list[FeatureStore]:
        """The stores that the features are kept in, or parts of them."""


def open_view(cache: Path, upstream: Upstream, needs: Needs, *, stream: bool = False) -> FeatureView:
    """Say where the features of an upstream come from.

    What is common to several upstreams is encoded once: layers of an upstream and fusions with it are taken of its own
    features, wherever that gives the same numbers.

    Args:
        cache: The cache folder.
        upstream: Any.
        needs: What the head needs.
        stream: Encode frames whenever they are read, and store none.
    """
    if needs == "waveform":
        return _Waveforms(cache, upstream)
    if isinstance(upstream, Fusion):
        parts = [open_view(cache, part, needs, stream=stream) for part in upstream.upstreams]
        return _Fused(upstream, parts, needs)
    is_frames = needs.startswith("frames")
    if isinstance(upstream, LayersOf) and not is_frames and (needs == "mean" or not upstream.is_mean):
        # Taking layers commutes with pooling, but for deviations of a mean of layers. Frames are too many to keep all.
        return _Selected(upstream, open_view(cache, upstream.upstream, needs))
    return _Plain(cache, upstream, needs, stream=stream and is_frames)


class _Plain(FeatureView):
    """An upstream's own: from its store, looked up, or encoded at every reading."""

    def __init__(self, cache: Path, upstream: Upstream, needs: Needs, *, stream: bool) -> None:
        self._cache = cache
        self._upstream = upstream
        self._needs: Needs = needs
        self._stream = stream

    def demands(self, dataset: Dataset, heard: Mapping[str, Heard]) -> list[Demand]:
        if not self._upstream.hears:
            self._found(dataset)  # what is wrong with the features is told before any work
            return []
        return [store.demand(heard) for store in self.stores()]

    def load(self, dataset: Dataset, heard: Mapping[str, Heard], progress: Progress) -> Encoded:
        if not self._upstream.hears:
            found = self._found(dataset)
            return self._encoded(dataset, tuple(found), lambda name: found[name])
        if self._stream:
            return self._streamed(dataset, heard)
        return FeatureStore(self._cache, self._upstream, self._needs).load(dataset, heard, progress)

    def stores(self) -> list[FeatureStore]:
        is_stored = self._upstream.hears and not self._stream
        return [FeatureStore(self._cache, self._upstream, self._needs)] if is_stored else []

    def _found(self, dataset: Dataset) -> Mapping[str, Features]:
        return self._upstream.lookup([utterance.id for utterance in dataset.recordings], dataset.scanned)

    def _streamed(self, dataset: Dataset, heard: Mapping[str, Heard]) -> Encoded:
        lock = threading.Lock()  # heads may read in several threads, and a model works on one utterance at a time

        def encode(name: str) -> Features:
            utterance = dataset.by_id[name]
            recording = Recording(utterance, heard[name].sha256, heard[name].duration)
            wave = read_wave(dataset, recording, self._upstream.sample_rate, self._cache)
            with lock:
                (features,) = encode_batch(self._upstream, [recording], [wave])
            return Features(np.asarray(pool(self._upstream.name, self._needs, features, utterance), np.float32))

        return self._encoded(dataset, tuple(utterance.id for utterance in dataset.recordings), encode)

    def _encoded(self, dataset: Dataset, names: Sequence[str], features_of: Callable[[str], Features]) -> Encoded:
        alike = Alike(self._upstream.name, self._needs)

        def pooled(name: str) -> NDArray[np.float32]:
            features = np.asarray(POOLINGS[self._needs](features_of(name)), np.float32)
            alike.check(features.shape, dataset.by_id[name].file)
            return features

        is_small = not self._needs.startswith("frames")  # and is read by every head
        features = {name: pooled(name) for name in names} if is_small else LazyMapping(names, pooled)
        return Encoded(
            features=features,
            shape=shape_of(features),
            frame_rate=features_of(names[0]).frame_rate,
            seconds=None,
            newly_encoded=0,
            parameters=self._upstream.parameters(),
            device=self._upstream.device,
        )


class _Waveforms(FeatureView):
    """The waveforms themselves, decoded at every reading."""

    def __init__(self, cache: Path, upstream: Upstream) -> None:
        self._cache = cache
        self._upstream = upstream

    def demands(self, dataset: Dataset, heard: Mapping[str, Heard]) -> list[Demand]:
        return []

    def load(self, dataset: Dataset, heard: Mapping[str, Heard], progress: Progress) -> Encoded:
        upstream = self._upstream
        if upstream.layers is None or upstream.dim is None:
            raise BenchError(f"the upstream {upstream.name!r} declares no layers and dim", "one that is trained does")

        def read(name: str) -> NDArray[np.float32]:
            recording = Recording(dataset.by_id[name], heard[name].sha256, heard[name].duration)
            return read_wave(dataset, recording, upstream.sample_rate, self._cache)

        return Encoded(
            features=LazyMapping(tuple(utterance.id for utterance in dataset.recordings), read),
            shape=(upstream.layers, upstream.dim),
            frame_rate=upstream.frame_rate,
            seconds=None,
            newly_encoded=0,
            parameters=upstream.parameters(),
            device=upstream.device,
        )

    def stores(self) -> list[FeatureStore]:
        return []


class _Selected(FeatureView):
    """Some layers of what another view gives."""

    def __init__(self, upstream: LayersOf, view: FeatureView) -> None:
        self._upstream = upstream
        self._view = view

    def demands(self, dataset: Dataset, heard: Mapping[str, Heard]) -> list[Demand]:
        return self._view.demands(dataset, heard)

    def load(self, dataset: Dataset, heard: Mapping[str, Heard], progress: Progress) -> Encoded:
        every = self._view.load(dataset, heard, progress)
        selected = LazyMapping(tuple(every.features), lambda name: self._upstream.select(every.features[name]))
        return replace(every, features=selected, shape=shape_of(selected))

    def stores(self) -> list[FeatureStore]:
        return self._view.stores()


class _Fused(FeatureView):
    """What several views give, side by side."""

    def __init__(self, upstream: Fusion, views: Sequence[FeatureView], needs: Needs) -> None:
        self._upstream = upstream
        self._views = views
        self._needs = needs

    def demands(self, dataset: Dataset, heard: Mapping[str, Heard]) -> list[Demand]:
        return [demand for view in self._views for demand in view.demands(dataset, heard)]

    def load(self, dataset: Dataset, heard: Mapping[str, Heard], progress: Progress) -> Encoded:
        parts = [view.load(dataset, heard, progress) for view in self._views]
        join = {"mean": self._means, "statistics": self._statistics}.get(self._needs, self._frames)
        features = LazyMapping(tuple(parts[0].features), lambda name: join(name, parts))
        seconds = [part.seconds for part in parts if part.seconds is not None]
        parameters = [part.parameters for part in parts if part.parameters is not None]
        rates = [part.frame_rate for part in parts if part.frame_rate is not None]
        return Encoded(
            features=features,
            shape=shape_of(features),
            frame_rate=min(rates) if len(rates) == len(parts) else None,
            seconds=sum(seconds) if len(seconds) == len(parts) else None,
            newly_encoded=max(part.newly_encoded for part in parts),
            parameters=sum(parameters) if len(parameters) == len(parts) else None,
            device="+".join(sorted({part.device for part in parts})),
            parts=tuple((one.name, self._dim(part)) for one, part in zip(self._upstream.upstreams, parts, strict=True)),
        )

    def stores(self) -> list[FeatureStore]:
        return [store for view in self._views for store in view.stores()]

    def _dim(self, part: Encoded) -> int:
        """Dimension of a part, of which statistics are twice as many."""
        return part.shape[-1] // (2 if self._needs == "statistics" else 1)

    def _means(self, name: str, parts: Sequence[Encoded]) -> NDArray[np.float32]:
        return self._upstream.beside([part.features[name] for part in parts])

    def _statistics(self, name: str, parts: Sequence[Encoded]) -> NDArray[np.float32]:
        halves = [np.split(part.features[name], 2, axis=-1) for part in parts]
        return np.concatenate([self._upstream.beside(half) for half in zip(*halves, strict=True)], axis=-1)

    def _frames(self, name: str, parts: Sequence[Encoded]) -> NDArray[np.float32]:
        return self._upstream.aligned([Features(part.features[name], part.frame_rate) for part in parts]).layers


def _union(demands: Iterable[Demand]) -> dict[tuple[Path, str], float | None]:
    """By folder and recording, because what several heads and tasks need is encoded once."""
    return {(demand.folder, key): size for demand in demands for key, size in demand.bytes.items()}


def total_bytes(demands: Iterable[Demand]) -> float | None:
    """Disk that all demands together will take; None where that is not known of one."""
    sizes = _union(demands).values()
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def check_space(cache: Path, demands: Iterable[Demand]) -> None:
    """Refuse, before anything is encoded, what does not fit on the disk, as far as sizes are declared.

    Raises:
        BenchError: It does not; the message has both figures.
    """
    needed = sum(size for size in _union(demands).values() if size is not None)
    refuse_beyond(cache, needed, "the features to be encoded need")


def total_encodings(demands: Iterable[Demand]) -> int:
    """How often a recording will be encoded for all demands together."""
    return len(_union(demands))
