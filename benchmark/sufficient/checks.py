"""What is asked of numbers before they are counted or summed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.sufficient.interface import Array

EXACT = 2**53  # below it float64 holds every number of utterances exactly


def are_whole(numbers: Array) -> NDArray[np.bool_]:
    """Whether all of (..., a, b) are numbers of utterances that float64 holds exactly, and one is above 0: (...)."""
    whole = (numbers >= 0) & (numbers < EXACT) & (numbers == np.floor(numbers))
    return np.asarray(whole.all(axis=(-2, -1)) & numbers.any(axis=(-2, -1)))


def indices(values: NDArray[Any], n_classes: int, what: str) -> NDArray[np.int64]:
    """Class indices, as they are.

    Args:
        values: Should be (n,) integers in [0, K).
        n_classes: K.
        what: What to call them.

    Raises:
        BenchError: They are something else.
    """
    array = np.asarray(values)
    if array.ndim != 1 or not (array.size == 0 or np.issubdtype(array.dtype, np.integer)):
        raise BenchError(
            f"{what} has shape {array.shape} and dtype {array.dtype}", "class indices are (utterances,) integers"
        )
    outside = array[(array < 0) | (array >= n_classes)]
    if outside.size:
        raise BenchError(f"{what} holds the class index {outside[0]}", f"it must lie in 0..{n_classes - 1}")
    return array.astype(np.int64)


def finite(values: NDArray[Any], what: str) -> Array:
    """Numbers of utterances and outputs, as they are.

    Args:
        values: Should be (n, k), all finite.
        what: What to call them.

    Raises:
        BenchError: They are something else.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise BenchError(f"{what} have shape {array.shape}", "expected (utterances, outputs)")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise BenchError(
            f"{what} hold {array[row, column]} for utterance {row}, output {column}", "only finite numbers are scored"
        )
    return array
