"""What a fitted head says of utterances, in the one form that everything else works with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Downstream
from benchmark.errors import BenchError
from benchmark.types import Examples

NUMBERS = "fiu"  # kinds of numpy types: floating point, integers with a sign and without


def scores_of(head: Downstream, examples: Examples) -> NDArray[np.float64]:
    """Ask a fitted head; numbers of any precision are taken as float64, which holds each as it is.

    Returns:
        (n, K) class scores, or (n, k) values of the dimensions.

    Raises:
        BenchError: It gives something else.
    """
    found, expected = np.asarray(head.predict(examples)), (len(examples), len(examples.outputs))
    if found.shape != expected or found.dtype.kind not in NUMBERS:
        what = "classes" if examples.kind == "classification" else "dimensions"
        raise BenchError(
            f"predict returns shape {found.shape} and dtype {found.dtype} for {expected[0]} utterances of "
            f"{expected[1]} {what}",
            f"it returns an array of numbers, of shape {expected}",
        )
    return found.astype(np.float64)
