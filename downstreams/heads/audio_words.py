"""Bags of audio words: codebooks learnt from frames, and how often an utterance says each word.

After openXBOW 1.3.1 (Schmitt and Schuller, JMLR 18(96), 2017), written anew from what its options mean. In two points
it does what its documentation says, and not what it computes:

- openXBOW counts the frames once for each codebook when it standardises, so that with several codebooks descriptors
  with a large mean get too large a deviation, and count for less. Here a deviation is that of the values.
- openXBOW multiplies a normalised bag by the number of words, so that a bag of -norm 3 does not have the Euclidean
  length 1 that its help promises. Here it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans, kmeans_plusplus

from benchmark.errors import BenchError
from downstreams.normalisation import mean_and_scale
from downstreams.params.boaw_svm import BoAWSVMParams

Frames = NDArray[np.float32]

MOST_ITERATIONS = 500  # of k-means, as openXBOW


@dataclass(frozen=True)
class Codebook:
    """The words of one part of a frame.

    Attributes:
        columns: Which values of a frame.
        offset: (d,) float64, taken from the values.
        unit: (d,) float64, which they are divided by.
        words: (W, d) float32, scaled.
    """

    columns: slice
    offset: NDArray[np.float64]
    unit: NDArray[np.float64]
    words: Frames

    def scaled(self, frames: Frames) -> Frames:
        """The part of frames (T, D) that it is about: (T, d)."""
        return np.asarray((frames[:, self.columns] - self.offset) / self.unit, dtype=np.float32)

    def counts(self, frames: Frames, nearest: int) -> NDArray[np.float64]:
        """How many frames (T, D) have each word among their nearest by Euclidean distance: (W,).

        Of words that are equally near the first counts.
        """
        distances = (self.words**2).sum(axis=1) - 2 * (self.scaled(frames) @ self.words.T)
        counts, rows = np.zeros(len(self.words)), np.arange(len(frames))
        for _ in range(nearest):
            found = distances.argmin(axis=1)
            counts += np.bincount(found, minlength=len(counts))
            distances[rows, found] = np.inf
        return counts


@dataclass(frozen=True)
class Bags:
    """What makes a vector of an utterance's frames.

    Attributes:
        codebooks: In the order of the parts.
        weights: (W,) of the terms, by inverse document frequency; ones without.
        params: How terms are counted.
    """

    codebooks: tuple[Codebook, ...]
    weights: NDArray[np.float64]
    params: BoAWSVMParams

    @classmethod
    def learn(cls, frames: Sequence[Frames], params: BoAWSVMParams, seed: int) -> Bags:
        """Learn codebooks, and the weights of terms.

        Args:
            frames: (T, D) of each utterance of train, read when they are asked for, several times.
            params: Of the recipe.
            seed: Decides what is drawn.

        Raises:
            BenchError: The parts are not those of a frame, or there are fewer different frames than words.
        """
        random = np.random.RandomState(seed)  # as scikit-learn takes it
        lengths = [len(one) for one in frames]
        chosen = _drawn(sum(lengths), params.codebook_frames, random)
        codebooks = []
        for columns in _columns(frames[0].shape[1], params.parts):
            values = _gathered(frames, lengths, chosen, columns)
            offset, unit = _scaling(values, params.scaling)
            values = np.asarray((values - offset) / unit, dtype=np.float32)
            codebooks.append(Codebook(columns, offset, unit, _words(values, params, random)))
        bags = cls(tuple(codebooks), np.ones(len(codebooks) * params.words), params)
        return cls(bags.codebooks, bags.inverse_frequencies(frames), params) if params.idf else bags

    def of(self, frames: Iterable[Frames]) -> Frames:
        """The bags of utterances: (n, 1, W) float32."""
        bags = [self._bag(one) for one in frames]
        return np.array(bags, dtype=np.float32).reshape(len(bags), 1, len(self.weights))

    def inverse_frequencies(self, frames: Sequence[Frames]) -> NDArray[np.float64]:
        """log10(utterances / utterances that have the word): (W,); 0 for a word that none has."""
        having = np.zeros(len(self.weights))
        for one in frames:
            having += self._counts(one) > 0
        return np.log10(len(frames) / np.where(having == 0, len(frames), having))

    def _counts(self, frames: Frames) -> NDArray[np.float64]:
        return np.concatenate([codebook.counts(frames, self.params.nearest) for codebook in self.codebooks])

    def _bag(self, frames: Frames) -> NDArray[np.float64]:
        counts = self._counts(frames)
        terms = (np.log10(counts + 1) if self.params.log else counts) * self.weights
        lengths: dict[str, Callable[[], float]] = {
            "none": lambda: 1.0,
            "frames": lambda: float(len(frames)),
            "terms": lambda: float(terms.sum()),
            "length": lambda: float(np.sqrt((terms**2).sum())),
        }
        # Where inverse frequencies leave nothing of a bag, its length is 0, and so it stays.
        return np.asarray(terms / (lengths[self.params.norm]() or 1.0))


def _columns(dim: int, parts: tuple[int, ...] | int) -> Iterator[slice]:
    sizes = parts if isinstance(parts, tuple) else (dim // parts,) * parts
    if sum(sizes) != dim or 0 in sizes:
        wanted = f"{parts} equal parts" if isinstance(parts, int) else f"parts of {', '.join(map(str, parts))} values"
        raise BenchError(
            f"the recipe takes frames of {wanted}, and the upstream's have {dim} values",
            "compare-lld gives 65 descriptors and 65 deltas; a recipe of your own says which parts yours have",
        )
    start = 0
    for size in sizes:
        yield slice(start, start + size)
        start += size


def _drawn(total: int, wanted: int | None, random: np.random.RandomState) -> NDArray[np.intp] | None:
    """The sorted numbers of frames that are drawn; None for all."""
    return None if wanted is None or wanted >= total else np.sort(random.choice(total, wanted, replace=False))


def _gathered(
    frames: Iterable[Frames], lengths: Sequence[int], chosen: NDArray[np.intp] | None, columns: slice
) -> Frames:
    """Some values of all frames, or of those chosen: (N, d), of which there is no second copy."""
    numbers = np.arange(sum(lengths)) if chosen is None else chosen
    gathered = np.empty((len(numbers), columns.stop - columns.start), np.float32)
    begin, filled = 0, 0
    for one, length in zip(frames, lengths, strict=True):
        end = int(np.searchsorted(numbers, begin + length))
        gathered[filled:end] = one[numbers[filled:end] - begin, columns]
        begin, filled = begin + length, end
    return gathered


def _scaling(values: Frames, scaling: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is taken from each of d values, and what it is then divided by: 1 for a constant."""
    if scaling == "standardise":
        mean, deviation = mean_and_scale(values[:, :, np.newaxis])  # one value at a time: it copies each as float64
        return mean[:, 0], deviation[:, 0]
    dim = values.shape[1]
    if scaling == "none":
        return np.zeros(dim), np.ones(dim)
    lowest, highest = values.min(axis=0).astype(np.float64), values.max(axis=0).astype(np.float64)
    return lowest, np.where(highest > lowest, highest - lowest, 1.0)


def _words(values: Frames, params: BoAWSVMParams, random: np.random.RandomState) -> Frames:
    """The words (W, d) of a codebook, of scaled values (N, d)."""
    if len(values) >= params.words:
        if params.codebook.endswith("++"):
            # One draw for each word, as openXBOW: scikit-learn would choose the best of several.
            words, _ = kmeans_plusplus(values, params.words, random_state=random, n_local_trials=1)
        else:
            words = values[random.choice(len(values), params.words, replace=False)]
        if len(np.unique(words, axis=0)) == params.words:
            return _centred(values, words, params)
    different = len(np.unique(values, axis=0))
    raise BenchError(
        f"a codebook of {params.words} words is drawn from {len(values)} frames of train, of which {different} differ",
        "a recipe with fewer words, or with codebook: random++, which seeks different ones",
    )


def _centred(values: Frames, words: Frames, params: BoAWSVMParams) -> Frames:
    if not params.codebook.startswith("kmeans"):
        return words
    means = KMeans(params.words, init=words, n_init=1, max_iter=MOST_ITERATIONS, tol=0, algorithm="lloyd").fit(values)
    return np.asarray(means.cluster_centers_, dtype=np.float32)
