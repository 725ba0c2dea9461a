"""What a corpus can show at all: the smallest difference of two systems that it would probably find."""

from __future__ import annotations

import functools

import numpy as np
from scipy import optimize, stats

from benchmark.statistics.scores import LEVEL, Array

POWER = 0.8  # how often a difference must be found for it to be called detectable
NODES = 200  # of the integral over the estimated spread: five digits of power, also for one degree of freedom


def power(difference: float, spread: float, df: float) -> float:
    """How often a true difference is found significant at the 5 % level, by a two-sided t test of one pair.

    It is the noncentral t distribution, integrated over the estimated spread, which is stable where closed forms are
    not: few degrees of freedom and large differences.

    Args:
        difference: The true difference of two systems.
        spread: The standard deviation of the measured one, over speakers and seeds; positive.
        df: The degrees of freedom of its estimate; may be infinite.

    Returns:
        In [0, 1].
    """
    weights, bounds = _bounds(df)
    at = abs(difference) / spread
    return float(weights @ (stats.norm.sf(bounds - at) + stats.norm.cdf(-bounds - at)))


def detectable_difference(spread: float, df: float) -> float:
    """The true difference that is found with probability `POWER`.

    Args:
        spread: The standard deviation of a measured difference, over speakers and seeds.
        df: The degrees of freedom of its estimate; may be infinite.

    Returns:
        In the unit of `spread`; 0 for no spread.
    """
    if spread == 0:
        return 0.0
    highest = 10.0
    while power(highest, 1.0, df) < POWER:
        highest *= 2
    return float(spread * optimize.brentq(lambda at: power(at, 1.0, df) - POWER, 0.0, highest, xtol=1e-6))


@functools.lru_cache(maxsize=1024)
def _bounds(df: float) -> tuple[Array, Array]:
    """Weights, and what a difference in units of the true spread must exceed, over the estimated spread's values."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    if np.isinf(df):
        return weights / 2, np.full(NODES, stats.norm.ppf((1 + LEVEL) / 2))
    ratio = np.sqrt(stats.chi2.ppf((1 + nodes) / 2, df) / df)
    return weights / 2, stats.t.ppf((1 + LEVEL) / 2, df) * ratio
