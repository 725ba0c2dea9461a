"""What a board would find: how often true differences of a few sizes come out significant."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.metrics import find
from benchmark.statistics.distributions import chi2_quantile, normal_tail, t_quantile
from benchmark.statistics.pairs import Comparison, least_variance
from benchmark.statistics.scores import LEVEL, Array

NODES = 200  # of the integral over the estimated spread: five digits of power, also for one degree of freedom
RANGE = 0.8  # how likely the range holds the power, of which a few speakers tell little


@dataclass(frozen=True)
class Power:
    """How often a true difference would be found.

    Attributes:
        difference: The true difference of two systems.
        share: How often it is found significant, in [0, 1], if the spread is the one that was measured.
        low: If the spread is as large as it may be, with a confidence of 90 %.
        high: If it is as small.
    """

    difference: float
    share: float
    low: float
    high: float


def outlook(pairs: Sequence[Comparison], differences: Sequence[float]) -> tuple[Power, ...]:
    """What a family of pairs would find, at its own correction.

    The pair with the median spread stands for all. It is judged at 5 % divided by their number, which is what the first
    difference to be found must pass. The estimate of a spread follows a chi-squared distribution.

    Args:
        pairs: Of one family.
        differences: True ones.

    Returns:
        One for each difference; none where nothing is tested.
    """
    tested = sorted((one for one in pairs if one.p is not None), key=lambda one: one.spread or 0.0)
    if not tested:
        return ()
    middle = tested[(len(tested) - 1) // 2]
    spread, df, level = middle.spread or 0.0, middle.df or 1.0, 1 - (1 - LEVEL) / middle.pairs
    wide, narrow = (float(np.sqrt(df / chi2_quantile(at, df))) for at in ((1 - RANGE) / 2, (1 + RANGE) / 2))
    found = []
    for difference in differences:
        # of an error an utterance is worth a share of the error, which is not known here
        known = find(middle.metric).higher_is_better
        least = float(np.sqrt(least_variance(difference, 1 / middle.utterances))) if known else 0.0
        shares = [
            power(difference, sd, df, level=level, least=least) for sd in (spread, spread * wide, spread * narrow)
        ]
        found.append(Power(difference, *shares))
    return tuple(found)


def power(difference: float, spread: float, df: float, *, level: float = LEVEL, least: float = 0.0) -> float:
    """How often a true difference is found significant by a two-sided t test of one pair.

    It is the noncentral t distribution, integrated over the estimated spread, which is stable where closed forms are
    not: few degrees of freedom and large differences.

    Args:
        difference: The true difference of two systems.
        spread: The standard deviation of the measured one, over speakers and seeds; positive.
        df: The degrees of freedom of its estimate; may be infinite.
        level: 1 minus the level of the test.
        least: What the estimated spread is not below.

    Returns:
        In [0, 1].
    """
    weights, ratio, quantile = _bounds(df, level)
    at, bounds = abs(difference) / spread, quantile * np.maximum(ratio, least / spread)
    return float(weights @ (normal_tail(bounds - at) + normal_tail(bounds + at)))


@functools.lru_cache(maxsize=1024)
def _bounds(df: float, level: float) -> tuple[Array, Array, float]:
    """Weights and values of the estimated spread in units of the true one, and what t must exceed."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    if np.isinf(df):
        return weights / 2, np.ones(NODES), float(t_quantile((1 + level) / 2, df))
    return weights / 2, np.sqrt(chi2_quantile((1 + nodes) / 2, df) / df), float(t_quantile((1 + level) / 2, df))
