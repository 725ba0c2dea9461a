"""How far a head's probabilities can be believed: their sums by speaker, and one temperature that mends them.

A temperature divides log-probabilities: above 1 it makes a head less sure, and it changes no decision. Here it is the
one with the least NLL on utterances that the head was not fitted on, so that what it mends on test was never looked at.
Source: Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks" (ICML 2017), section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmark.base import Downstream
from benchmark.errors import BenchError
from benchmark.records import CalibrationPart
from benchmark.sufficient import CALIBRATION
from benchmark.types import HeldOut, Probabilities

Array = NDArray[np.float64]
On = Literal["dev", "inner folds"]
Without = Literal["dev is test", "fitted on dev", "nothing held out"]
# Where the best temperature is sought. On a few utterances that are all decided rightly it would be 0.
LOWEST, HIGHEST = 0.05, 20.0
FLAT = 1e-12  # of the slope: no temperature is better than another


def calibration_of(
    head: Downstream,
    dev: Callable[[], HeldOut] | None,
    *,
    dev_is_test: bool,
    truth: NDArray[Any],
    scores: Array,
    rows: Mapping[str, NDArray[Any]],
) -> CalibrationPart | None:
    """What a record says of the probabilities of a fitted head; None where it gives none.

    Args:
        head: It.
        dev: What it predicts of the dev set, asked for at most once; None where there is no dev set.
        dev_is_test: Whether the dev set is the test set, on which nothing may be fitted.
        truth: (n,) class indices of the test utterances.
        scores: (n, K) of them, as the head gave them.
        rows: Which of the test utterances each speaker has said.

    Raises:
        BenchError: The head says that it gives probabilities, and does not.
    """
    if head.probabilities is None:
        return None
    likely = log_probabilities(scores, head.probabilities)
    decided = scores.argmax(axis=1)

    def sums(likely: Array) -> dict[str, list[list[float]]]:
        found = {name: CALIBRATION.of_decisions(truth[one], likely[one], decided[one]) for name, one in rows.items()}
        return {name: values.tolist() for name, values in found.items()}

    before = sums(likely)
    found = _held_out(head, dev, dev_is_test=dev_is_test)
    if isinstance(found, str):
        return CalibrationPart(before=before, after=None, temperature=None, on=None, without=found)
    on, fitted = found
    temperature = fitted_temperature(fitted.truth, log_probabilities(fitted.scores, head.probabilities))
    after = sums(scaled(likely, temperature))
    return CalibrationPart(before=before, after=after, temperature=temperature, on=on, without=None)


def log_probabilities(scores: Array, form: Probabilities) -> Array:
    """Natural logarithms of probabilities (n, K), none below that of 2 ** -52.

    Args:
        scores: (n, K), as a head gives them.
        form: What they are.

    Raises:
        BenchError: They are none: some are negative, or those of an utterance do not sum to 1.
    """
    likely = np.exp(scores) if form == "log" else scores
    if (likely < 0).any() or not np.allclose(likely.sum(axis=1), 1, rtol=0, atol=1e-6):
        raise BenchError(
            "the head says that its scores are probabilities, and those of an utterance are not from 0 to 1 with the "
            "sum 1",
            'its `probabilities` is "plain", "log" for their logarithms, or None',
        )
    least = CALIBRATION.LEAST
    return scaled(np.maximum(scores, np.log(least)) if form == "log" else np.log(np.maximum(scores, least)), 1.0)


def scaled(likely: Array, temperature: float) -> Array:
    """Log-probabilities (n, K) of the softmax of others that are divided by a temperature."""
    return np.asarray(special.log_softmax(likely / temperature, axis=1))


def fitted_temperature(truth: NDArray[Any], likely: Array) -> float:
    """The temperature from 0.05 to 20 that gives the least NLL, to four digits.

    The NLL is convex in the inverse of the temperature, so that the root of its slope is the only minimum. Where all
    temperatures are as good, as of a head that finds all classes as likely, it is 1.

    Args:
        truth: (n,) class indices, at least one.
        likely: (n, K) log-probabilities.
    """
    from scipy.optimize import brentq

    of_truth = likely[np.arange(len(truth)), truth]

    def slope(inverse: float) -> float:
        expected = (special.softmax(likely * inverse, axis=1) * likely).sum(axis=1)
        return float((expected - of_truth).mean())

    low, high = slope(1 / HIGHEST), slope(1 / LOWEST)
    if max(abs(low), abs(high)) <= FLAT:
        return 1.0
    if low >= 0:
        return HIGHEST
    if high <= 0:
        return LOWEST
    return float(f"{1 / float(brentq(slope, 1 / HIGHEST, 1 / LOWEST)):.4g}")


def _held_out(
    head: Downstream, dev: Callable[[], HeldOut] | None, *, dev_is_test: bool
) -> tuple[On, HeldOut] | Without:
    """What a temperature can honestly be fitted on, or why on nothing."""
    own = head.held_out()
    if own is not None:
        return "inner folds", own
    if dev_is_test:
        return "dev is test"
    if dev is None:
        return "nothing held out"
    return "fitted on dev" if head.uses_dev == "fit" else ("dev", dev())
