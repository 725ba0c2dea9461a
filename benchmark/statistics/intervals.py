"""The 95 % interval of a cell's score: speakers and seeds are both samples.

The variance over speakers is the jackknife's (leave one speaker out), that over seeds the sample's; they add up. The
interval is Student's, on a scale without ends (logit of a share, Fisher's z of a correlation, logarithm of an error),
with the degrees of freedom of both variances together (Satterthwaite 1946) and, for speakers, as many as there are
speakers of equal weight, less one. It needs no random numbers.

Why no bootstrap: with few speakers its percentile and BCa intervals contain the truth far too seldom (4 speakers: some
80 %); the studentised bootstrap holds its level nearly as this does, but is up to one and a half times as wide for 4
speakers. The simulation is `tests/simulations`, its table in `leaderboard/METHODS.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmark.metrics import Metric
from benchmark.records.cells import Cell
from benchmark.statistics.scores import LEVEL, Scores, all_scores, effective_speakers, leave_one_out, suited

EDGE = 1e-4  # how close to an end of its scale a score may come before it is transformed


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a cell's mean over seeds.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        level: Its confidence, such as 0.95.
        unit: What the variance was taken over beside seeds: "speaker" or "utterance" (in random groups).
        n_units: The number of speakers; of groups where the unit is the utterance.
        effective_units: How many of equal weight they are worth.
    """

    low: float
    high: float
    level: float
    unit: str
    n_units: int
    effective_units: float


@dataclass(frozen=True)
class _Scale:
    """A scale without ends: there, back, and the derivative of the way there."""

    there: Callable[[float], float]
    back: Callable[[float], float]
    slope: Callable[[float], float]


def _logit(x: float) -> float:
    return float(np.log(x / (1 - x)))


def _expit(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


_SHARE = _Scale(_logit, _expit, lambda x: 1 / (x * (1 - x)))
_CORRELATION = _Scale(lambda x: float(np.arctanh(x)), lambda x: float(np.tanh(x)), lambda x: 1 / (1 - x * x))
_ERROR = _Scale(lambda x: float(np.log(x)), lambda x: float(np.exp(x)), lambda x: 1 / x)


def cell_interval(cell: Cell, metric: str, *, level: float = LEVEL) -> Interval | None:
    """Interval of a cell's score for new speakers and new seeds.

    Args:
        cell: A complete cell.
        metric: A key of `benchmark.metrics.METRICS`, of the task's kind.
        level: Confidence in (0, 1).

    Returns:
        None where there is a single speaker, of whom nothing can be learnt about others.

    Raises:
        BenchError: As `cell_scores`.
    """
    return all_intervals(cell, [metric], level=level)[metric]


def all_intervals(cell: Cell, metrics: Sequence[str], *, level: float = LEVEL) -> dict[str, Interval | None]:
    """`cell_interval` of several metrics."""
    found = [suited(cell.task, metric) for metric in metrics]
    statistics, speakers = cell.statistics(), len(cell.speakers)
    if speakers < 2:
        return {metric.name: None for metric in found}
    scores = all_scores(cell, metrics)
    without = leave_one_out(statistics, cell.task, found)
    effective = effective_speakers(statistics, cell.task)
    result: dict[str, Interval | None] = {}
    for metric, left in zip(found, without, strict=True):
        low, high = _ends(metric, scores[metric.name], left, effective, level)
        result[metric.name] = Interval(low, high, level, cell.unit, speakers, effective)
    return result


def jackknife_variance(without: np.ndarray, score: float) -> float:
    """Variance over speakers of a score: (S - 1) / S times the sum of squared changes, Tukey (1958).

    Args:
        without: (S,) the score without each speaker.
        score: With all of them.
    """
    speakers = len(without)
    return float((speakers - 1) / speakers * np.square(without - score).sum())


def degrees_of_freedom(parts: Sequence[tuple[float, float]]) -> float:
    """Satterthwaite's (1946) for a sum of variances, each with its own degrees of freedom; infinite for no variance."""
    total = sum(variance for variance, _ in parts)
    spread = sum(variance**2 / df for variance, df in parts if variance > 0)
    return total**2 / spread if spread > 0 else np.inf


def _ends(metric: Metric, scores: Scores, without: np.ndarray, effective: float, level: float) -> tuple[float, float]:
    score = scores.mean
    parts = [
        (jackknife_variance(without, score), max(1.0, effective - 1)),
        (scores.variance_of_mean, len(scores.values) - 1.0),
    ]
    variance = sum(part for part, _ in parts)
    if variance <= np.finfo(float).eps:
        return _without_spread(metric, score, len(without), level)
    scale, at = _scale(metric, score)
    reach = stats.t.ppf((1 + level) / 2, degrees_of_freedom(parts)) * np.sqrt(variance) * scale.slope(at)
    # near an end of the scale the score was moved; its interval contains it all the same
    return min(score, scale.back(scale.there(at) - reach)), max(score, scale.back(scale.there(at) + reach))


def _scale(metric: Metric, score: float) -> tuple[_Scale, float]:
    """The metric's scale, and the score moved away from its ends."""
    if metric.scale == "error":
        return _ERROR, max(score, EDGE)
    if metric.scale == "share":
        return _SHARE, min(max(score, EDGE), 1 - EDGE)
    return _CORRELATION, min(max(score, EDGE - 1), 1 - EDGE)


def _without_spread(metric: Metric, score: float, speakers: int, level: float) -> tuple[float, float]:
    """All speakers and seeds alike: where all is right (or wrong), as if each speaker were one trial (Clopper-Pearson).

    Elsewhere nothing is left to estimate a spread from, and the ends are the score.
    """
    reach = ((1 - level) / 2) ** (1 / speakers)
    if metric.scale == "share" and score == 1:
        return reach, 1.0
    if metric.scale == "share" and score == 0:
        return 0.0, 1 - reach
    return score, score
