"""How far a score, or a difference of two, would move with other speakers and seeds: one rule for interval and test.

The variance over speakers is the jackknife's (leave one speaker out), that over seeds the sample's; they add up.
Degrees of freedom are those of the sum (Satterthwaite 1946), but never more than the speakers have: where two or three
of them agree by chance, what is left is the variance over seeds, and seeds say nothing of other speakers. Nor is the
variance ever below what the decisions themselves bring with them, so that no interval is without width.

p is below 0.05 exactly where the 95 % interval leaves out nothing: both are Student's, of the same spread. A little
variance over seeds changes both a little; no random number is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.statistics.distributions import t_quantile, t_tail
from benchmark.statistics.scores import Array

# Speakers of equal weight below which nothing is tested: of two, that they agree is worth no more than a coin.
TESTED_SPEAKERS = 2.5
MIN_SPEAKERS = 2  # for an interval: of one, nothing can be learnt about others


@dataclass(frozen=True, eq=False)
class Variance:
    """A variance with its degrees of freedom, both (P,) or of one number."""

    variance: Array | float
    df: Array | float


@dataclass(frozen=True, eq=False)
class Spread:
    """Standard deviations with their degrees of freedom, all (P,) or of one number each.

    Attributes:
        sd: Of what was measured, over speakers and seeds.
        df: Of its estimate.
    """

    sd: Array
    df: Array

    def reach(self, level: float) -> Array:
        """Half the width of the interval of that confidence."""
        return np.asarray(t_quantile((1 + level) / 2, self.df) * self.sd)

    def p(self, value: Array | float) -> Array:
        """Two-sided p-value of "the truth is 0, not this value"."""
        return np.asarray(2 * t_tail(np.abs(value) / self.sd, self.df))


def spread(speakers: Array | float, effective: float, seeds: Sequence[Variance], floor: Array | float) -> Spread:
    """Add up the variances over speakers and over seeds.

    Args:
        speakers: The jackknife's variance.
        effective: How many speakers of equal weight there are.
        seeds: The variance over seeds of the mean of each system.
        floor: What the variance over speakers is not below; positive.
    """
    most = max(1.0, effective - 1)
    over_speakers = np.maximum(speakers, floor)
    # the seeds of both systems first, so that the sum is the same to the last bit whichever of them is the first
    between = np.asarray(sum((np.asarray(one.variance) for one in seeds), start=np.zeros(())))
    uncertain = np.asarray(sum((np.square(one.variance) / one.df for one in seeds), start=np.zeros(())))
    variance = over_speakers + between
    df = np.square(variance) / (np.square(over_speakers) / most + uncertain)
    return Spread(np.sqrt(variance), np.minimum(df, most))


def jackknife_variance(without: Array, score: Array | float) -> Array:
    """Variance over speakers of a score: (S - 1) / S times the sum of squared changes, Tukey (1958).

    Args:
        without: (..., S) the score without each speaker.
        score: (...) with all of them.
    """
    speakers = without.shape[-1]
    return np.asarray((speakers - 1) / speakers * np.square(without - np.asarray(score)[..., None]).sum(axis=-1))
