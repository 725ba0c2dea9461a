"""The 95 % interval of a cell's score: speakers and seeds are both samples.

It is Student's with the spread of `benchmark.statistics.spread`, on a scale without ends (logit of a share or of an
error with an end, Fisher's z of a correlation, logarithm of an error without one). It needs no random numbers.

Why no bootstrap: with few speakers its percentile and BCa intervals contain the truth far too seldom (4 speakers: some
80 %); the studentised bootstrap holds its level nearly as this does, but is up to one and a half times as wide for 4
speakers. The simulation is `tests/simulations`, its table in `leaderboard/METHODS.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from benchmark.metrics import Metric
from benchmark.records.cells import Cell
from benchmark.statistics.scores import LEVEL, Array, Scores, all_scores, all_without, effective_speakers, suited
from benchmark.statistics.spread import MIN_SPEAKERS, Variance, jackknife_variance, spread

EDGE = 1e-4  # how close to an end of its scale a score may come before it is transformed
STEP = 1e-6  # of a decision, for the slope of a metric


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a cell's mean over seeds.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        level: Its confidence, such as 0.95.
        cluster: What the variance was taken over beside seeds: "speaker", or "utterance" (in random groups).
        n_clusters: The number of speakers, or of groups.
        effective_clusters: How many of equal weight they are worth.
    """

    low: float
    high: float
    level: float
    cluster: str
    n_clusters: int
    effective_clusters: float


@dataclass(frozen=True)
class _Scale:
    """A scale without ends: there, back, and the derivative of the way there."""

    there: Callable[[float], float]
    back: Callable[[float], float]
    slope: Callable[[float], float]


_SHARE = _Scale(lambda x: float(special.logit(x)), lambda x: float(special.expit(x)), lambda x: 1 / (x * (1 - x)))
_CORRELATION = _Scale(lambda x: float(np.arctanh(x)), lambda x: float(np.tanh(x)), lambda x: 1 / (1 - x * x))
# beyond e**700 a float ends; no error is as large
_ERROR = _Scale(lambda x: float(np.log(x)), lambda x: float(np.exp(min(x, 700.0))), lambda x: 1 / x)


def _up_to(most: float) -> _Scale:
    """Of an error that cannot be larger."""
    return _Scale(
        lambda x: float(special.logit(x / most)),
        lambda x: most * float(special.expit(x)),
        lambda x: 1 / (x * (1 - x / most)),
    )


def cell_interval(cell: Cell, metric: str, *, level: float = LEVEL) -> Interval | None:
    """Interval of a cell's score for new speakers and, where the head has more than one seed, new seeds.

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
    if speakers < MIN_SPEAKERS:
        return {metric.name: None for metric in found}
    scores = all_scores(cell, metrics)
    without = all_without(cell, found)
    effective = effective_speakers(statistics, cell.task)
    result: dict[str, Interval | None] = {}
    for metric, left in zip(found, without, strict=True):
        floor = _floor(metric, cell, scores[metric.name].mean)
        low, high = _ends(metric, scores[metric.name], left, effective, floor, level)
        result[metric.name] = Interval(low, high, level, cell.cluster, speakers, effective)
    return result


def _ends(
    metric: Metric, scores: Scores, without: Array, effective: float, floor: float, level: float
) -> tuple[float, float]:
    """The ends on the metric's scale; they hold the score also where it was moved away from an end of the scale."""
    score = scores.mean
    if metric.scale == "share" and score in (0, 1):
        # as if each speaker were one trial, who is right or wrong in everything (Clopper, Pearson 1934)
        reach = ((1 - level) / 2) ** (1 / effective)
        return (reach, 1.0) if score == 1 else (0.0, 1 - reach)
    scale, at = _scale(metric, score)
    seeds = Variance(scores.variance_of_mean, max(1.0, len(scores.values) - 1.0))
    found = spread(jackknife_variance(without, score), effective, [seeds], floor)
    reach = float(found.reach(level)) * scale.slope(at)
    return min(score, scale.back(scale.there(at) - reach)), max(score, scale.back(scale.there(at) + reach))


def _floor(metric: Metric, cell: Cell, score: float) -> float:
    """The variance of a score if all its decisions were independent: what it has at the least.

    Of a share that of the decisions on each class, of a correlation Fisher's (1 - r**2)**2 / n, of an error that of a
    standard deviation.
    """
    statistics = cell.statistics()
    if metric.scale == "share":
        return variance_of_decisions(metric, statistics, pooled=cell.task.pool == "utterances")
    decisions = float(cell.task.statistics.utterances(statistics[0]).sum()) * len(statistics)
    if cell.task.statistics.outputs == "dimensions":
        decisions *= len(cell.task.outputs)  # as if they were independent too
    _, at = _scale(metric, score)
    return at**2 / (2 * decisions) if metric.scale == "error" else (1 - at**2) ** 2 / decisions


def variance_of_decisions(metric: Metric, counts: Array, *, pooled: bool) -> float:
    """The variance of a metric of confusion counts if each decision were drawn for itself, of its class's shares.

    By the slope of the metric in each count (the delta method), so that each of the few utterances of a rare class has
    the weight that it has in the score. Shares are Jeffreys' estimates, half an utterance right and half one wrong more
    than there are: four of four right are no certainty.

    Args:
        metric: Of confusion counts.
        counts: (R, folds, S, K, K) of R seeds and S speakers.
        pooled: Whether folds are added up before the metric; else its mean over folds is meant.

    Returns:
        Of the mean over seeds.
    """
    of_folds = counts.sum(axis=2)
    if pooled:
        of_folds = of_folds.sum(axis=1, keepdims=True)
    seeds, classes = len(of_folds), of_folds.shape[-1]
    of_folds = of_folds[:, of_folds.sum(axis=(0, 2, 3)) > 0]
    units = STEP * np.eye(classes**2).reshape(-1, classes, classes)
    moved = metric.compute(of_folds[:, :, None] + units) - metric.compute(of_folds)[..., None]
    slopes = (moved / STEP).reshape(of_folds.shape)
    wrong = 0.5 / max(1, classes - 1)
    sizes = of_folds.sum(axis=-1, keepdims=True)
    shares = (of_folds + np.where(np.eye(classes, dtype=bool), 0.5, wrong)) / (sizes + 1)
    spread_of_one = (shares * slopes**2).sum(axis=-1) - (shares * slopes).sum(axis=-1) ** 2
    of_one = (sizes[..., 0] * np.maximum(spread_of_one, 0)).sum(axis=-1)
    found: float = of_one.sum() / (seeds * of_folds.shape[1]) ** 2
    return found


def _scale(metric: Metric, score: float) -> tuple[_Scale, float]:
    """The metric's scale, and the score moved away from its ends."""
    if metric.scale == "error" and metric.most is not None:
        return _up_to(metric.most), min(max(score, EDGE), metric.most - EDGE)
    if metric.scale == "error":
        return _ERROR, max(score, EDGE)
    if metric.scale == "share":
        return _SHARE, min(max(score, EDGE), 1 - EDGE)
    return _CORRELATION, min(max(score, EDGE - 1), 1 - EDGE)
