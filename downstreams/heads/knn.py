"""Nearest neighbours by cosine similarity, after standardisation: a probe that trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.neighbors import NearestNeighbors

from benchmark.base import HeadParams
from benchmark.types import Examples, Selection
from downstreams.heads.on_vectors import Fitted, OnVectors
from downstreams.normalisation import Normaliser
from downstreams.params.knn import KNNParams


@dataclass(frozen=True)
class Neighbours:
    """Utterances that vote.

    Attributes:
        normaliser: How vectors are standardised.
        index: scikit-learn's, over the n standardised vectors.
        votes: (n, K) one-hot classes, or (n, k) values.
        temperature: Of the softmax of similarities; None for votes that weigh the same.
    """

    normaliser: Normaliser
    index: Any
    votes: NDArray[np.float64]
    temperature: float | None

    def predict(self, x: NDArray[np.float32], speakers: Sequence[str]) -> NDArray[np.float64]:
        """The weighted mean of the votes of the most similar: shares of classes (n, K), or values (n, k)."""
        distances, rows = self.index.kneighbors(self.normaliser.apply(x, speakers)[:, 0].astype(np.float64))
        if self.temperature is None:
            return np.asarray(self.votes[rows].mean(axis=1))
        weights = softmax((1 - distances) / self.temperature, axis=1)
        return np.asarray(np.einsum("nj,njk->nk", weights, self.votes[rows]))

    def parameters(self) -> int:
        """0: everything is kept and nothing learnt."""
        return 0


class KNN(OnVectors):
    """Nearest neighbours by cosine similarity on one standardised vector an utterance."""

    name = "knn"
    version = 1
    Params: ClassVar[type[HeadParams]] = KNNParams
    params: KNNParams

    def _learn(self, data: Fitted, train: Examples) -> tuple[Neighbours, Selection]:
        """Keep the standardised vectors. A vector of zeros is as similar to all others: 0."""
        normaliser = Normaliser.fit(self.params.normalisation, data.x)
        x = normaliser.apply(data.x, data.speakers)[:, 0].astype(np.float64)
        index = NearestNeighbors(n_neighbors=min(self.params.neighbours, len(x)), algorithm="brute", metric="cosine")
        votes = np.eye(len(train.outputs))[data.y] if train.kind == "classification" else data.y
        return Neighbours(normaliser, index.fit(x), votes, self.params.temperature), Selection()
