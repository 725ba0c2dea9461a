"""What every head checks of the examples it is given, before any number is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.types import Examples


def means(examples: Examples, what: str, shape: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """The per-layer means of some utterances.

    Args:
        examples: Utterances, at least one.
        what: What to call them in an error: "train", "dev", "test".
        shape: (L, D) that the head was fitted on; None for what it is fitted on.

    Returns:
        (n, L, D) float32, finite.

    Raises:
        BenchError: There is no utterance; the features are no such array, differ in shape from those the head was
            fitted on, or hold a value that is not finite.
    """
    x = examples.x
    n = len(examples)
    if n == 0:
        raise BenchError(f"{what} holds no utterance", "a head needs at least one")
    if not isinstance(x, np.ndarray) or x.ndim != 3 or x.dtype != np.float32 or 0 in x.shape:
        found = f"shape {x.shape} and dtype {x.dtype}" if isinstance(x, np.ndarray) else f"type {type(x).__name__}"
        raise BenchError(
            f"the features of {what} have {found}", "expected a float32 array of shape (utterances, layers, dimension)"
        )
    if len(x) != n or len(examples.speakers) != n:
        raise BenchError(
            f"{what} has {n} ids, {len(x)} features and {len(examples.speakers)} speakers", "one for each utterance"
        )
    if shape is not None and x.shape[1:] != shape:
        raise BenchError(
            f"{what} has {x.shape[1]} layers of {x.shape[2]} values, the head was fitted on {shape[0]} of {shape[1]}",
            "the features of one run must come from one upstream",
        )
    if not np.isfinite(x).all():
        row = int(np.argmin(np.isfinite(x).all(axis=(1, 2))))
        raise BenchError(f"the features of {examples.ids[row]!r} in {what} are not finite", "check the upstream")
    return x


def class_indices(examples: Examples, what: str) -> NDArray[np.int64]:
    """The classes of some utterances: (n,) int64 indices into `examples.outputs`.

    Raises:
        BenchError: There are none, or one is no such index.
    """
    y, n_classes = _targets(examples, what), len(examples.outputs)
    if y.shape != (len(examples),) or not np.issubdtype(y.dtype, np.integer):
        raise BenchError(
            f"the targets of {what} have shape {y.shape} and dtype {y.dtype}",
            f"expected {len(examples)} class indices (int64)",
        )
    outside = y[(y < 0) | (y >= n_classes)]
    if outside.size:
        raise BenchError(f"{what} holds the class index {outside[0]}", f"it must lie in 0..{n_classes - 1}")
    return y.astype(np.int64)


def values(examples: Examples, what: str) -> NDArray[np.float64]:
    """The values of some utterances in each of the k dimensions of `examples.outputs`: (n, k) float64, finite.

    Raises:
        BenchError: There are none, or they are no such array.
    """
    y, expected = _targets(examples, what), (len(examples), len(examples.outputs))
    if y.shape != expected or not np.issubdtype(y.dtype, np.floating):
        raise BenchError(
            f"the targets of {what} have shape {y.shape} and dtype {y.dtype}", f"expected float32 of shape {expected}"
        )
    if not np.isfinite(y).all():
        row = int(np.argmin(np.isfinite(y).all(axis=1)))
        raise BenchError(f"the targets of {examples.ids[row]!r} in {what} are not finite", "check the corpus")
    return y.astype(np.float64)


def _targets(examples: Examples, what: str) -> NDArray[Any]:
    if examples.y is None:
        raise BenchError(f"{what} has no targets", "a head is fitted on labelled utterances")
    return np.asarray(examples.y)
