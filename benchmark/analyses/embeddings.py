"""How far apart two systems represent the same utterances, and whether they decide alike where they are near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.analyses.ratios import Ratio, by_speaker, share
from benchmark.errors import BenchError, UsageError

Array = NDArray[np.float64]
BINS = 10
# The share of the utterances that the threshold takes in where none is given: Purohit and Magimai-Doss choose "more
# than 70 % of the total data points".
WITHIN = 0.7


@dataclass(frozen=True, eq=False)
class EmbeddingDistance:
    """Cosine distances of two embeddings of each utterance.

    Purohit and Magimai-Doss, "Emotion information recovery potential of wav2vec2 network fine-tuned for speech
    recognition task", figure 3 (the histogram) and table III (the rest).

    Attributes:
        distances: (n,) in [0, 2].
        edges: (11,) of the ten bins, from 0 to the largest distance.
        counts: (10,) utterances in each.
        threshold: Of the distance.
        is_given: Whether the threshold was given, and not found by the rule.
        within: Share of the utterances at most so far apart.
        match_within: Share of the decisions there that agree; None where decisions are not known.
        match_beyond: Likewise of the others; also None where there are none.
    """

    distances: Array
    edges: Array
    counts: NDArray[np.int64]
    threshold: float
    is_given: bool
    within: float
    match_within: Ratio | None
    match_beyond: Ratio | None


def cosine_distances(a: Array, b: Array, ids: Sequence[str]) -> Array:
    """1 - cosine of each row of a and the same row of b: (n,) in [0, 2].

    Args:
        a: (n, D).
        b: (n, D).
        ids: The n utterances, for errors.

    Raises:
        UsageError: The embeddings have different dimensions.
        BenchError: One is zero, and so has no direction.
    """
    if a.shape[1] != b.shape[1]:
        raise UsageError(
            f"embeddings of {a.shape[1]} and of {b.shape[1]} dimensions have no cosine",
            "bench analyse layer-similarity compares upstreams of any dimensions, by CKA",
        )
    units = []
    for given in (a, b):
        values = np.asarray(given, dtype=np.float64)
        lengths = np.linalg.norm(values, axis=1)
        if not lengths.all():
            raise BenchError(f"the embedding of {ids[int(np.argmin(lengths))]!r} is zero, and has no direction")
        units.append(values / lengths[:, None])
    return np.asarray(np.clip(1 - (units[0] * units[1]).sum(axis=1), 0.0, 2.0))


def embedding_distance(
    distances: Array,
    *,
    threshold: float | None = None,
    agreeing: Array | None = None,
    speakers: Sequence[str] = (),
) -> EmbeddingDistance:
    """Describe distances, and how decisions go with them.

    Args:
        distances: (n,) of n utterances.
        threshold: Where to part them; where not given the smallest distance that takes in 70 % of the utterances.
        agreeing: (n,) how often the two systems decide alike on each, in [0, 1]: the mean over pairs of seeds.
        speakers: Of each utterance; needed with `agreeing`.
    """
    chosen = float(np.quantile(distances, WITHIN, method="inverted_cdf")) if threshold is None else threshold
    edges = np.linspace(0.0, max(float(distances.max()), np.finfo(np.float64).tiny), BINS + 1)
    near = distances <= chosen
    matches: list[Ratio | None] = [None, None]
    if agreeing is not None:
        for place, mask in enumerate((near, ~near)):
            if mask.any():
                weight = mask.astype(np.float64)
                matches[place] = share(by_speaker(agreeing * weight, speakers), by_speaker(weight, speakers))
    return EmbeddingDistance(
        distances=distances,
        edges=edges,
        counts=np.histogram(distances, edges)[0],
        threshold=chosen,
        is_given=threshold is not None,
        within=float(near.mean()),
        match_within=matches[0],
        match_beyond=matches[1],
    )
