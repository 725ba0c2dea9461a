"""What is kept of an utterance's features, and the disk that it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, EncodingError
from benchmark.types import Features, Needs, Utterance


def _halved(features: Features) -> NDArray[np.float16]:
    largest, limit = float(np.abs(features.layers).max()), float(np.finfo(np.float16).max)
    if largest > limit:
        raise BenchError(f"a value of {largest:.3g} is beyond 16 bits ({limit:.0f})", "use a head that needs frames")
    return features.layers.astype(np.float16)


def _mean(features: Features) -> NDArray[np.float32]:
    return Features.mean(features)


def _statistics(features: Features) -> NDArray[np.float32]:
    return Features.statistics(features)


def _frames(features: Features) -> NDArray[np.float32]:
    return features.layers


# Functions by themselves, so that the digest of what computes one says nothing of the others; and they name the class
# whose methods they call, so that these are in it.
POOLINGS: Mapping[Needs, Callable[[Features], NDArray[Any]]] = {
    "mean": _mean,
    "statistics": _statistics,
    "frames": _frames,
    "frames-float16": _halved,
}


def pool(upstream: str, pooling: Needs, features: Features, utterance: Utterance) -> NDArray[Any]:
    """What is kept of an utterance.

    Args:
        upstream: Its name, for errors.
        pooling: What the head needs.
        features: What the upstream returned.
        utterance: Of which these are the features.

    Raises:
        EncodingError: They are no features, are not finite, or do not fit into 16 bits where those are asked for.
    """
    if not isinstance(features, Features):
        raise EncodingError(
            f"the upstream {upstream!r} gave a {type(features).__name__} for {utterance.file}",
            "encode returns benchmark.Features",
        )
    if not np.isfinite(features.layers).all():
        raise EncodingError(f"the upstream {upstream!r} gives NaN or infinite features for {utterance.file}")
    try:
        return POOLINGS[pooling](features)
    except BenchError as error:
        raise EncodingError(f"the upstream {upstream!r} for {utterance.file}: {error.message}", error.hint) from error


def stored_bytes(upstream: Upstream, pooling: Needs, duration: float) -> float | None:
    """Disk that the features of an utterance need, as far as the upstream declares their shape; else None.

    Args:
        upstream: Declares layers and dim, and for frames a frame rate.
        pooling: How features are stored.
        duration: Of the utterance [s].
    """
    if upstream.layers is None or upstream.dim is None:
        return None
    values = upstream.layers * upstream.dim
    if pooling in ("mean", "statistics"):
        return 4.0 * values * (2 if pooling == "statistics" else 1)
    if upstream.frame_rate is None:
        return None
    return (2.0 if pooling == "frames-float16" else 4.0) * values * max(1.0, duration * upstream.frame_rate)
