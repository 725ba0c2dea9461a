"""Standardisation of per-layer means and of frames, computed in float64.

A standardisation is affine in every dimension, so it commutes with the mean over time: standardising means is the same
as standardising frames with the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Normalisation = Literal["global", "speaker", "none"]

# Features are float32: what varies by less than a few of its rounding steps is a constant with noise. Dividing by
# such a deviation would turn rounding into a feature.
RELATIVE_DEVIATION_OF_A_CONSTANT = 8 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Normaliser:
    """Standardises every dimension of every layer to mean 0 and standard deviation 1.

    Attributes:
        kind: "global": mean and deviation of the utterances it was fitted on. "speaker": those of the speaker's own
            utterances in whatever set they are, so at test the statistics of unlabelled test utterances are used
            (transductive); a speaker with a single utterance becomes all zeros. "none": features as they are.
        mean: (L, D) float64; None unless global.
        scale: (L, D) float64, positive; None unless global.
    """

    kind: Normalisation
    mean: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None

    @classmethod
    def fit(cls, kind: Normalisation, x: NDArray[np.float32]) -> Normaliser:
        """Measure what has to be known before unseen utterances can be standardised.

        Args:
            kind: What the recipe says.
            x: (n, L, D) of the utterances that the head is fitted on, n at least 1.
        """
        return cls(kind, *mean_and_scale(x)) if kind == "global" else cls(kind)

    def apply(self, x: NDArray[np.float32], speakers: Sequence[str]) -> NDArray[np.float32]:
        """Standardise utterances.

        Args:
            x: (n, L, D) float32.
            speakers: Their n speakers, used by "speaker" alone.

        Returns:
            (n, L, D) float32.
        """
        if self.mean is not None and self.scale is not None:
            return _standardise(x, self.mean, self.scale)
        if self.kind == "none":
            return x
        result = np.empty_like(x)
        names = np.asarray(speakers, dtype=object)
        for speaker in dict.fromkeys(speakers):
            own = names == speaker
            result[own] = _standardise(x[own], *mean_and_scale(x[own]))
        return result

    def shift_and_factor(self, dim: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What is to be subtracted from features and what they are then to be multiplied by.

        Args:
            dim: D.

        Returns:
            Two (L, D) float64 arrays; two (1, D), which change nothing, unless global.
        """
        if self.mean is None or self.scale is None:
            return np.zeros((1, dim)), np.ones((1, dim))
        return self.mean, 1 / self.scale


def mean_and_scale(x: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and population standard deviation over utterances, with 1 in place of the deviation of a constant.

    scikit-learn's `StandardScaler` gives the same figures, except that it takes a constant with float32 noise for a
    feature.

    Args:
        x: (n, L, D), n at least 1.

    Returns:
        Two (L, D) float64 arrays.
    """
    mean = np.empty(x.shape[1:])
    scale = np.empty(x.shape[1:])
    for layer in range(x.shape[1]):  # one at a time: the float64 copy of all layers can be large
        values = x[:, layer].astype(np.float64)
        mean[layer] = values.mean(axis=0)
        values -= mean[layer]
        scale[layer] = np.sqrt(np.einsum("ij,ij->j", values, values) / len(values))
    return mean, _without_constants(mean, scale)


class Moments:
    """Mean and population standard deviation of frames that come utterance by utterance.

    Pairwise updates: Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983).

    Args:
        shape: (L, D) of a frame in all layers.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.count = 0
        self._mean = np.zeros(shape)
        self._squares = np.zeros(shape)

    def add(self, x: NDArray[np.float32]) -> None:
        """Take the frames (L, T, D) of an utterance in, T at least 1."""
        values = x.astype(np.float64)
        mean = values.mean(axis=1)
        values -= mean[:, np.newaxis]
        self._add(values.shape[1], mean, np.einsum("ltd,ltd->ld", values, values))

    def join(self, other: Moments) -> None:
        """Take the frames of another set in."""
        self._add(other.count, other._mean, other._squares)

    def _add(self, count: int, mean: NDArray[np.float64], squares: NDArray[np.float64]) -> None:
        total = self.count + count
        apart = mean - self._mean
        self._squares += squares + apart**2 * (self.count * count / total)
        self._mean += apart * (count / total)
        self.count = total

    def mean_and_scale(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Two (L, D) float64 arrays, as `mean_and_scale` gives of utterances."""
        scale = np.sqrt(self._squares / max(1, self.count))
        return self._mean, _without_constants(self._mean, scale)


def standardise_frames(
    x: NDArray[np.float32], mean: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Frames (L, T, D) standardised by (L, D) figures, a copy."""
    values = x.astype(np.float64)
    values -= mean[:, np.newaxis]
    values /= scale[:, np.newaxis]
    return values.astype(np.float32)


def _without_constants(mean: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deviations (L, D), with 1 in place of that of a constant."""
    return np.where(scale <= RELATIVE_DEVIATION_OF_A_CONSTANT * np.abs(mean), 1.0, scale)


def _standardise(x: NDArray[np.float32], mean: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float32]:
    # A layer after the other in memory, as heads that learn weights of layers need it: that saves a copy.
    result = np.empty((x.shape[1], len(x), x.shape[2]), np.float32)
    for layer in range(x.shape[1]):
        values = x[:, layer].astype(np.float64)
        values -= mean[layer]
        values /= scale[layer]
        result[layer] = values
    utterances_first: NDArray[np.float32] = result.transpose(1, 0, 2)
    return utterances_first
