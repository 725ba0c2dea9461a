"""How differently two upstreams attend, block by block and head by head; maps are looked at one by one and not kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError, UsageError

# Of an overlap that float32 cannot tell from 0; its distance is 27.6. One that lies as near to 1 is 1.
SMALLEST = 1e-12


@dataclass(frozen=True, eq=False)
class AttentionDistance:
    """Bhattacharyya distances between the attention of two upstreams.

    Purohit and Magimai-Doss, "Emotion information recovery potential of wav2vec2 network fine-tuned for speech
    recognition task", equation 1 and figure 4. The paper shows "the normalized distance" and does not say by what: here
    it is divided by the largest of all blocks and heads.

    Attributes:
        distances: (B, H) for B blocks and H heads: the mean over the frames of an utterance, then over utterances.
        utterances: How many were averaged.
    """

    distances: NDArray[np.float64]
    utterances: int

    @property
    def normalised(self) -> NDArray[np.float64]:
        """(B, H) in [0, 1], the largest being 1; zeros where all are 0."""
        largest = self.distances.max()
        return np.asarray(self.distances / largest if largest > 0 else np.zeros_like(self.distances))


def bhattacharyya(p: NDArray[np.floating], q: NDArray[np.floating]) -> NDArray[np.float64]:
    """-ln of the sum of sqrt(p q) over the last axis: 0 where two distributions are equal; (...) of (..., n).

    Source: Bhattacharyya (1943), Bulletin of the Calcutta Mathematical Society 35. Where they do not overlap it is
    that of an overlap of 1e-12, and not infinite. In float32 a distribution sums to 1 but for rounding: each is divided
    by its sum, so that no rounding is taken for a distance.
    """
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    sums = np.maximum(p.sum(axis=-1) * q.sum(axis=-1), SMALLEST)
    overlap = np.sqrt(p * q).sum(axis=-1) / np.sqrt(sums)
    return np.asarray(np.where(overlap > 1 - SMALLEST, 0.0, -np.log(np.clip(overlap, SMALLEST, 1.0))))


def attention_distance(
    pairs: Iterable[tuple[str, NDArray[np.float32], NDArray[np.float32]]],
) -> AttentionDistance:
    """Average over utterances, one at a time.

    Args:
        pairs: Of each utterance its id and the maps (B, H, T, T) of both upstreams, every row a distribution.

    Raises:
        UsageError: The upstreams differ in blocks, heads or frames, or there is no utterance.
    """
    total: NDArray[np.float64] | None = None
    utterances = 0
    for name, a, b in pairs:
        if a.shape != b.shape:
            raise UsageError(
                f"the attention of {name!r} is of {_shape(a)} and of {_shape(b)}",
                "only checkpoints of one architecture can be compared head by head",
            )
        found = np.stack([bhattacharyya(x, y).mean(axis=-1) for x, y in zip(a, b, strict=True)])  # block by block
        if not np.isfinite(found).all():
            raise BenchError(f"the attention of {name!r} is not finite")
        total, utterances = found if total is None else total + found, utterances + 1
    if total is None:
        raise UsageError("there is no utterance to look at", "choose another task")
    return AttentionDistance(total / utterances, utterances)


def _shape(maps: NDArray[np.float32]) -> str:
    blocks, heads, frames, _ = maps.shape
    return f"{blocks} blocks x {heads} heads x {frames} frames"
