"""Nearest neighbours as X-ARES computes them, which is not by cosine: for comparison with its published rows.

Source: jimbozhang/xares, src/xares/trainer.py. Utterances that are tested have unit length. Of those that vote each
*feature* is divided by its length over all of them, instead of each utterance by its own: what the similarity then is
depends on how many vote, and long vectors are near to everything. The head `knn` is the sound one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from benchmark.base import HeadParams
from benchmark.types import Examples, Selection
from downstreams.heads.on_vectors import Fitted, OnVectors
from downstreams.normalisation import Normaliser
from downstreams.params.xares_knn import XaresKNNParams

Array = NDArray[np.float64]
LEAST = 1e-12  # of a length: torch's `normalize` divides by no less


@dataclass(frozen=True)
class Voters:
    """Utterances that vote.

    Attributes:
        normaliser: How vectors are standardised.
        x: (n, D), each column of unit length.
        votes: (n, K) one-hot classes.
        neighbours: How many vote for an utterance.
        temperature: Of the softmax of similarities; None for votes that weigh the same.
    """

    normaliser: Normaliser
    x: Array
    votes: Array
    neighbours: int
    temperature: float | None

    def predict(self, x: NDArray[np.float32], speakers: Sequence[str]) -> Array:
        """Shares of the classes (n, K) in the weighted votes of the most similar; of equals the first."""
        tested = _unit(self.normaliser.apply(x, speakers)[:, 0].astype(np.float64), axis=1)
        # Row by row, so that no score depends on what else is tested.
        similarity = np.stack([self.x @ row for row in tested]) if len(tested) else np.empty((0, len(self.x)))
        rows = np.argsort(-similarity, axis=1, kind="stable")[:, : self.neighbours]
        nearest = np.take_along_axis(similarity, rows, axis=1)
        scaled = np.zeros_like(nearest) if self.temperature is None else nearest / self.temperature
        return np.asarray(np.einsum("nj,njk->nk", softmax(scaled, axis=1), self.votes[rows]))

    def parameters(self) -> int:
        """0: everything is kept and nothing learnt."""
        return 0


class XaresKNN(OnVectors):
    """Nearest neighbours on one vector an utterance, features scaled over those that vote."""

    name = "xares-knn"
    version = 1
    Params: ClassVar[type[HeadParams]] = XaresKNNParams
    params: XaresKNNParams

    def _learn(self, data: Fitted, train: Examples) -> tuple[Voters, Selection]:
        """Keep the vectors, their columns scaled."""
        normaliser = Normaliser.fit(self.params.normalisation, data.x)
        x = _unit(normaliser.apply(data.x, data.speakers)[:, 0].astype(np.float64), axis=0)
        number = min(self.params.neighbours, len(x))
        return Voters(normaliser, x, np.eye(len(train.outputs))[data.y], number, self.params.temperature), Selection()


def _unit(values: Array, axis: int) -> Array:
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=axis, keepdims=True), LEAST))
