"""How alike layers represent speech: by cosine between two corpora, by CKA and SVCCA between two upstreams."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError

Array = NDArray[np.float64]
# The share of the variance that SVCCA keeps: Raghu et al. (2017).
KEPT = 0.99


def cosine_by_class(
    source: Array, target: Array, classes: tuple[Sequence[str], Sequence[str]], names: Sequence[str]
) -> Array:
    """The cosine of an utterance of one corpus and one of another, by class and layer: the mean over all pairs.

    Upadhyay, Busso and Lee, "A layer-anchoring strategy for enhancing cross-lingual speech emotion recognition", figure
    1. The paper does not say what is averaged before the cosine: here nothing is, so that classes of many alike
    utterances and of few different ones are told apart. It is the product of the mean directions.

    Args:
        source: (n, L, D) utterance means of one corpus.
        target: (m, L, D) of the other.
        classes: The class of each of the n, and of each of the m utterances.
        names: K classes that both have.

    Returns:
        (K, L).

    Raises:
        BenchError: A class has no utterance in one of them.
    """
    directions = []
    for values, labels, which in ((source, classes[0], "first"), (target, classes[1], "second")):
        lengths = np.linalg.norm(np.asarray(values, np.float64), axis=-1, keepdims=True)
        units, own = values / np.maximum(lengths, np.finfo(np.float64).tiny), np.asarray(labels)
        for name in names:
            if name not in labels:
                raise BenchError(f"the {which} corpus has no utterance of {name!r} in train")
        directions.append(np.stack([units[own == name].mean(axis=0) for name in names]))
    return np.asarray((directions[0] * directions[1]).sum(axis=-1))


def most_similar(similarity: Array, number: int) -> tuple[int, ...]:
    """The places of the largest of L similarities, in order; of equals the first, and all where L is less."""
    return tuple(sorted(np.argsort(-similarity, kind="stable")[:number].tolist()))


def cka(x: Array, y: Array) -> float:
    """Linear centred kernel alignment of two representations of the same utterances: in [0, 1].

    Source: Kornblith, Norouzi, Lee and Hinton (2019), "Similarity of neural network representations revisited", ICML,
    section 3. It is biased upwards where there are fewer utterances than dimensions.

    Args:
        x: (n, D).
        y: (n, E).

    Returns:
        NaN where one of them is the same for all utterances.
    """
    x, y = _centred(x), _centred(y)
    norms = [
        float(np.linalg.norm(one.T @ one) if one.shape[1] <= len(one) else np.linalg.norm(one @ one.T))
        for one in (x, y)
    ]
    both = float(np.linalg.norm(y.T @ x) ** 2)
    return both / (norms[0] * norms[1]) if all(norms) else float("nan")


def svcca(x: Array, y: Array) -> float:
    """The mean canonical correlation of the directions that hold 99 % of the variance: in [0, 1].

    Source: Raghu, Gilmer, Yosinski and Sohl-Dickstein (2017), "SVCCA: singular vector canonical correlation analysis
    for deep learning dynamics and interpretability", NeurIPS.

    Args:
        x: (n, D).
        y: (n, E) of the same utterances.

    Returns:
        NaN where one of them is the same for all utterances, or where the directions of both are as many as the
        utterances: something correlates perfectly then, whatever they are.
    """
    bases = [_directions(_centred(one)) for one in (x, y)]
    sizes = [one.shape[1] for one in bases]
    if not all(sizes) or sum(sizes) >= len(x):
        return float("nan")
    correlations = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    return float(np.clip(correlations, 0, 1).mean())


def pairwise(measure: Callable[[Array, Array], float], a: Array, b: Array) -> Array:
    """A measure of every layer of one upstream with every layer of another.

    Args:
        measure: `cka` or `svcca`.
        a: (n, L, D) utterance means.
        b: (n, M, E) of the same utterances.

    Returns:
        (L, M).
    """
    return np.array([[measure(a[:, i], b[:, j]) for j in range(b.shape[1])] for i in range(a.shape[1])])


def _centred(values: Array) -> Array:
    values = np.asarray(values, dtype=np.float64)
    return np.asarray(values - values.mean(axis=0))


def _directions(values: Array) -> Array:
    """An orthonormal basis (n, d) of the largest singular directions that hold enough of the variance."""
    left, sizes, _ = np.linalg.svd(values, full_matrices=False)
    variance = sizes**2
    if variance.sum() <= 0:
        return left[:, :0]
    kept = int(np.searchsorted(np.cumsum(variance) / variance.sum(), KEPT)) + 1
    return np.asarray(left[:, :kept])
