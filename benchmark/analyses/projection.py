"""Representations in a plane, and numbers that say of the whole space what the picture seems to."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError, MissingError

Array = NDArray[np.float64]
Method = Literal["tsne", "umap"]
NEIGHBOURS = 10
# t-SNE's own default; with few utterances less, since it must be below their number.
PERPLEXITY = 30.0
FEWEST = 5


@dataclass(frozen=True)
class Neighbours:
    """How well a label parts utterances in some space.

    Attributes:
        label: What the label is, such as "emotion".
        silhouette: Mean silhouette of the utterances, in [-1, 1]; None where all have one label, or each its own.
        purity: Share of the 10 nearest neighbours that have the same label, the mean over utterances.
        elsewhere: Likewise, among utterances of other speakers alone; None for the label "speaker".
        chance: What `purity` would be if neighbours were drawn at random.
    """

    label: str
    silhouette: float | None
    purity: float
    elsewhere: float | None
    chance: float


def standardised(values: Array) -> Array:
    """Each dimension with mean 0 and standard deviation 1; one that is the same for all is 0."""
    values = np.asarray(values, dtype=np.float64)
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def plane(values: Array, method: Method = "tsne", *, seed: int = 0) -> Array:
    """Project representations onto a plane: (n, 2) of (n, D), standardised by dimension.

    Args:
        values: Of n utterances.
        method: "tsne": scikit-learn's, started from the principal components; "umap": that of umap-learn.
        seed: Of the method.

    Raises:
        BenchError: There are fewer than five utterances.
        MissingError: umap-learn is not installed.
    """
    n = len(values)
    if n < FEWEST:
        raise BenchError(f"{n} utterances are too few to be projected", f"at least {FEWEST}")
    known = standardised(values)
    if method == "umap":
        try:
            umap = importlib.import_module("umap")
        except ImportError as error:
            raise MissingError(
                "UMAP needs umap-learn, which is not installed", 'pip install "serbench[umap]"'
            ) from error
        return np.asarray(
            umap.UMAP(n_neighbors=min(15, n - 1), random_state=seed, n_jobs=1).fit_transform(known), float
        )
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (n - 1) / 3)
    return np.asarray(TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(known), dtype=np.float64)


def neighbours(values: Array, labels: Sequence[str], speakers: Sequence[str], *, label: str) -> Neighbours:
    """Say how well labels part utterances, by Euclidean distance.

    Args:
        values: (n, D), or (n, 2) of a projection.
        labels: Of the n utterances.
        speakers: Of the n utterances.
        label: What the labels are.
    """
    from sklearn.metrics import pairwise_distances, silhouette_score

    names, voices = np.asarray(labels), np.asarray(speakers)
    n, kinds = len(names), len(set(labels))
    distances = pairwise_distances(np.asarray(values, dtype=np.float64))
    np.fill_diagonal(distances, np.inf)
    same = names[:, None] == names[None]
    k = min(NEIGHBOURS, n - 1)
    apart = np.where(voices[:, None] == voices[None], np.inf, distances)
    elsewhere = None
    if label != "speaker" and np.isfinite(apart).any(axis=1).all():
        elsewhere = float(np.mean([_purity(apart[i], same[i], k) for i in range(n)]))
    return Neighbours(
        label=label,
        silhouette=float(silhouette_score(values, names)) if 1 < kinds < n else None,
        purity=float(np.mean([_purity(distances[i], same[i], k) for i in range(n)])),
        elsewhere=elsewhere,
        chance=float((same.sum() - n) / (n * (n - 1))),
    )


def _purity(distances: Array, same: NDArray[np.bool_], k: int) -> float:
    """The share of the k nearest that are the same; infinity is no neighbour, and of equals the first counts."""
    nearest = [i for i in np.argsort(distances, kind="stable")[:k] if np.isfinite(distances[i])]
    return float(same[nearest].mean())
