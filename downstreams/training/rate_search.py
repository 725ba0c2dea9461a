"""What was found for a fold, remembered while other seeds of the fold are fitted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from downstreams.normalisation import Normaliser
from downstreams.training.gradients import Data
from downstreams.training.loop import Split
from downstreams.training.losses import Loss
from downstreams.training.selection import Judge, State
from downstreams.training.targets import Targets

Features = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class FoldData:
    """What a fold's heads are trained on.

    Attributes:
        normaliser: Of the heads that predict.
        targets: Likewise.
        data: What they are fitted on.
        splits: What the search fits, and what judges it: train and dev, or the inner folds of train.
        judge: Of the search.
        inner: Whether the splits are inner folds: then heads are fitted again on all of train.
        shape: Layers, dimension and outputs of a head.
        loss: What is minimised.
    """

    normaliser: Normaliser
    targets: Targets
    data: Data
    splits: tuple[Split, ...]
    judge: Judge
    inner: bool
    shape: tuple[int, int, int]
    loss: Loss


@dataclass(frozen=True)
class Found:
    """A search, and the data that was prepared for it.

    Attributes:
        fold: The data.
        best: The best state of each learning rate; None where it diverged before its first evaluation.
        ranking: Those that did not, the best first; at least one.
    """

    fold: FoldData
    best: tuple[State | None, ...]
    ranking: tuple[int, ...]


class _Entry:
    """A search and the features that it was made for, which its lock guards."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.features: Features | None = None
        self.found: Found | None = None

    def holds(self, features: Features) -> bool:
        """Whether the search was made for the very same bits."""
        return self.features is not None and all(
            np.array_equal(own.view(np.int32), given.view(np.int32))
            for own, given in zip(self.features, features, strict=True)
        )


class Searches:
    """Searches by what decides them, so that the seeds of a fold share one.

    A search gives the same bytes whenever it is made, so remembering one saves time and changes nothing. A thread
    keeps its latest search alive and no other, and a thread that ends keeps none: memory holds at most one search
    a thread, with two copies of the features of its train and dev set, and what is held out in float64.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: WeakValueDictionary[Hashable, _Entry] = WeakValueDictionary()
        self._of_thread = threading.local()

    def get(self, key: Hashable, features: Features, search: Callable[[Features], Found]) -> Found:
        """Give what was found, by a search now where none is remembered.

        A thread that asks for what another one is searching waits for it.

        Args:
            key: All that decides the search but the features: equal keys are equal searches.
            features: (n, L, D) of train and dev, compared value by value: that takes a fraction of the time of a
                digest.
            search: Makes the search from a copy of the features, which it may keep.
        """
        with self._lock:
            entry = self._known.get(key)
            if entry is None:
                entry = self._known[key] = _Entry()
        self._of_thread.latest = entry
        with entry.lock:
            if entry.found is None or not entry.holds(features):
                entry.found = None
                entry.features = (features[0].copy(), features[1].copy())
                entry.found = search(entry.features)
            return entry.found
