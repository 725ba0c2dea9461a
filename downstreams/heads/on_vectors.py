"""Heads that are fitted once, on one vector of each utterance; what they have in common.

A subclass says what it learns of vectors and what it makes of others; which vector is read out of the layers, whether
dev is fitted on too, and what is refused is the same for all.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Downstream, HeadParams
from benchmark.errors import BenchError
from benchmark.types import Examples, Selection
from downstreams import checks as check
from downstreams.params.vectors import VectorParams


@dataclass(frozen=True)
class Fitted:
    """Utterances to fit on: vectors (n, 1, D), class indices (n,) or values (n, k), and the n speakers."""

    x: NDArray[np.float32]
    y: NDArray[Any]
    speakers: tuple[str, ...]

    def part(self, rows: NDArray[np.intp]) -> Fitted:
        """The utterances in some rows."""
        return Fitted(self.x[rows], self.y[rows], tuple(self.speakers[row] for row in rows))


class Model(Protocol):
    """What was learnt of vectors."""

    def predict(self, x: NDArray[np.float32], speakers: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n, K) or values (n, k) of vectors (n, 1, D) of n speakers."""

    def parameters(self) -> int:
        """Number of trained values."""


class OnVectors(Downstream):
    """Base of heads that are fitted once, on one vector of each utterance."""

    Params: ClassVar[type[HeadParams]] = VectorParams
    params: VectorParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        self._model: Model | None = None
        self._shape = (0, 0)  # (L, D) that the head was fitted on
        self._dev_fitted: frozenset[str] = frozenset()

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Fit on train, or on train and dev.

        Args:
            train: At least one example, with targets.
            dev: May be empty; joins train where the recipe says so, and is not looked at otherwise.
            seed: Not used.

        Raises:
            BenchError: Examples are not as they should be, a layer does not exist, or they do not suit the head.
        """
        self._model, selection = self._learn(self._join(train, dev), train)
        return selection

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Score utterances: (n, K) classes or (n, k) values, as the subclass says.

        Raises:
            BenchError: The head is not fitted, the features are not like those it was fitted on, or an utterance is
                one of dev that the head was fitted on.
        """
        if self._model is None:
            raise BenchError(f"the head {self.name} predicts before it is fitted", "call fit first")
        x = self._vectors(check.means(examples, "test", shape=self._shape))
        seen = sorted(self._dev_fitted.intersection(examples.ids))
        if seen:
            raise BenchError(
                f"the head {self.name} was fitted on {seen[0]!r} of dev and is to predict it now",
                "a protocol that tests on dev needs a recipe with fit_on: train",
            )
        return self._model.predict(x, examples.speakers)

    def parameters(self) -> int:
        """Number of trained values."""
        return 0 if self._model is None else self._model.parameters()

    @abstractmethod
    def _learn(self, data: Fitted, train: Examples) -> tuple[Model, Selection]:
        """Fit on vectors; `train` says of which kind the task is, its outputs and the metric that ranks."""

    def _join(self, train: Examples, dev: Examples) -> Fitted:
        x = check.means(train, "train")
        self._shape = (x.shape[1], x.shape[2])
        parts = [Fitted(self._vectors(x), check.targets(train, "train"), train.speakers)]
        self._dev_fitted = frozenset()
        if self.params.fit_on == "train+dev" and len(dev):
            x_dev = check.means(dev, "dev", shape=self._shape)
            parts.append(Fitted(self._vectors(x_dev), check.targets(dev, "dev"), dev.speakers))
            self._dev_fitted = frozenset(dev.ids)
        return Fitted(
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.y for part in parts]),
            tuple(itertools.chain.from_iterable(part.speakers for part in parts)),
        )

    def _vectors(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Read one vector (n, 1, D') out of (n, L, D)."""
        layer, layers = self.params.layer, x.shape[1]
        if layer == "mean":
            return np.asarray(x.mean(axis=1, keepdims=True, dtype=np.float64), dtype=np.float32)
        if layer == "all":
            return x.reshape(len(x), 1, -1)
        if layer == "last":
            return x[:, -1:]
        if layer >= layers:
            raise BenchError(f"the recipe reads layer {layer}", f"the upstream has {layers} layers: 0..{layers - 1}")
        return x[:, layer : layer + 1]
