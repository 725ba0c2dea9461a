"""Shares and means over utterances, with an interval that knows that those of one speaker are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.statistics import LEVEL
from benchmark.statistics.distributions import t_quantile, t_tail
from benchmark.statistics.spread import MIN_SPEAKERS, TESTED_SPEAKERS

ROUNDING = 1e-9  # relative: speakers who differ by less are alike


@dataclass(frozen=True)
class Ratio:
    """The sum of something over all speakers, divided by the sum of something else.

    Attributes:
        value: It.
        low: Lower end of its interval for new speakers; None where nothing can be said of others: of a single speaker,
            and of speakers who do not differ at all.
        high: Upper end, likewise.
        p: Two-sided p-value of "it is 0"; None there too, and of so few speakers that they may agree by chance.
        speakers: How many count.
    """

    value: float
    low: float | None
    high: float | None
    p: float | None
    speakers: int


def ratio(numerators: ArrayLike, denominators: ArrayLike, *, level: float = LEVEL) -> Ratio:
    """A ratio of sums over speakers, such as a share of utterances.

    The variance is that of the linearised ratio, speakers being drawn at random, and its quantiles are Student's with
    one degree of freedom less than there are speakers: Cochran (1977), "Sampling techniques", section 6. Speakers who
    are alike to the last digit have no spread that says how far others may be: neither interval nor test. As in the
    tests of scores, nothing is tested of fewer speakers of equal weight than `TESTED_SPEAKERS`.

    Args:
        numerators: (S,) of each speaker, such as how many of her utterances are counted.
        denominators: (S,) of each speaker, such as how many she has; speakers with 0 are left out.
        level: Confidence in (0, 1).

    Returns:
        NaN without an end where no speaker has anything.
    """
    y, n = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    y, n = y[n > 0], n[n > 0]
    if not len(n):
        return Ratio(float("nan"), None, None, None, 0)
    value = float(y.sum() / n.sum())
    left = y - value * n
    if len(n) < MIN_SPEAKERS or np.abs(left).max() <= ROUNDING * max(np.abs(y).max(), np.abs(value * n).max()):
        return Ratio(value, None, None, None, len(n))
    df = len(n) - 1
    spread = float(np.sqrt(len(n) / df * np.sum(left**2)) / n.sum())
    reach = float(t_quantile((1 + level) / 2, df)) * spread
    is_tested = n.sum() ** 2 / np.sum(n**2) >= TESTED_SPEAKERS
    p = float(2 * t_tail(abs(value) / spread, df)) if is_tested else None
    return Ratio(value, value - reach, value + reach, p, len(n))


def share(counted: ArrayLike, size: ArrayLike, *, least: float = 0.0, level: float = LEVEL) -> Ratio:
    """A `ratio` that is a share: its interval ends at 0 and 1, that of a difference of shares at `least`, -1, and 1."""
    found = ratio(counted, size, level=level)
    if found.low is None or found.high is None:
        return found
    return Ratio(found.value, max(least, found.low), min(1.0, found.high), found.p, found.speakers)


def by_speaker(values: NDArray[np.float64], speakers: Sequence[str]) -> NDArray[np.float64]:
    """Sums over the utterances of each speaker, speakers sorted: (S, ...) of (n, ...)."""
    names, place = np.unique(np.asarray(speakers), return_inverse=True)
    sums = np.zeros((len(names), *values.shape[1:]))
    np.add.at(sums, place, values)
    return sums
