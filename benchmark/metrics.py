"""Metrics as pure functions of sufficient statistics.

Every metric is computed from what a record holds, so there is one implementation of each. From confusion counts
(..., K, K), moments (..., k, 6) or sums of probabilities (..., 3, 16), see `benchmark.sufficient`, it maps the trailing
axes to one number, in float64, and is vectorised over the leading ones; counts may be fractional (weights).

    >>> import numpy as np
    >>> from benchmark.metrics import score, uar
    >>> uar(np.array([[3, 1], [0, 2]])).item()  # recalls 3/4 and 2/2
    0.875
    >>> score("wa", np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]))
    0.6666666666666666

Where nothing was tested a metric is nan. Other degenerate cases are defined at each metric and are never nan.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import UsageError
from benchmark.sufficient import CALIBRATION, CONFUSION_COUNTS, MOMENTS, SufficientStatistics
from benchmark.types import Kind, StatisticsKind

Array = NDArray[np.float64]

# A variance below this fraction of the mean square is rounding noise of E[x*x] - E[x]**2: sums of up to 10^6 terms
# in float64 err by some 1e-15 of it. It makes values constant whose standard deviation is below 1e-6 of their size.
RELATIVE_VARIANCE_OF_A_CONSTANT = 1e-12


def uar(counts: NDArray[Any]) -> Array:
    """Unweighted average recall: the mean of the recalls of the classes that have test utterances.

    A class without a test utterance has no recall and does not count, as in scikit-learn's `balanced_accuracy_score`.
    Source: Schuller, Steidl, Batliner, "The INTERSPEECH 2009 Emotion Challenge".

    Args:
        counts: (..., K, K) confusion counts.

    Returns:
        (...) in [0, 1]; nan where there is no utterance.
    """
    support = _float(counts).sum(axis=-1)
    recall = _ratio(_hits(counts), support, empty=0.0)
    return _ratio(recall.sum(axis=-1), (support > 0).sum(axis=-1), empty=np.nan)


def wa(counts: NDArray[Any]) -> Array:
    """Weighted accuracy (weighted average recall): the share of utterances decided correctly.

    Args:
        counts: (..., K, K) confusion counts.

    Returns:
        (...) in [0, 1]; nan where there is no utterance.
    """
    return _ratio(_hits(counts).sum(axis=-1), _float(counts).sum(axis=(-2, -1)), empty=np.nan)


def macro_f1(counts: NDArray[Any]) -> Array:
    """The mean over all K classes of F1 = 2 hits / (truths + decisions).

    A class that neither is nor was decided has F1 = 0 and counts: this is scikit-learn's `f1_score(average="macro",
    labels=all, zero_division=0)` and audmetric's `unweighted_average_fscore(labels=all, zero_division=0)`. UAR
    leaves such a class out: where a fold tests one class of two, and decides all rightly, UAR is 1 and macro F1 is 1/2.

        >>> one_class = np.array([[5, 0], [0, 0]])
        >>> uar(one_class).item(), macro_f1(one_class).item()
        (1.0, 0.5)

    Args:
        counts: (..., K, K) confusion counts.

    Returns:
        (...) in [0, 1]; nan where there is no utterance.
    """
    return np.where(_float(counts).sum(axis=(-2, -1)) > 0, _f1(counts).mean(axis=-1), np.nan)


def weighted_f1(counts: NDArray[Any]) -> Array:
    """The mean of the classes' F1, each weighted by its number of test utterances.

    Args:
        counts: (..., K, K) confusion counts.

    Returns:
        (...) in [0, 1]; nan where there is no utterance.
    """
    support = _float(counts).sum(axis=-1)
    return _ratio((_f1(counts) * support).sum(axis=-1), support.sum(axis=-1), empty=np.nan)


def ccc_of_dimensions(moments: NDArray[Any]) -> Array:
    """Lin's concordance correlation coefficient of each dimension, with population variances.

    2 cov(t, p) / (var t + var p + (mean t - mean p)**2), Lin (1989), Biometrics 45(1), equation 1. A constant truth or
    prediction has ccc 0, also where both are the same constant: agreement that nothing can show.

    Args:
        moments: (..., k, 6).

    Returns:
        (..., k) in [-1, 1]; nan where there is no utterance.
    """
    n, mean_t, mean_p, var_t, var_p, covariance = _central(moments)
    spread = var_t + var_p + (mean_t - mean_p) ** 2
    return _where_tested(n, np.clip(_ratio(2 * covariance, spread, empty=0.0), -1, 1))


def pearson_of_dimensions(moments: NDArray[Any]) -> Array:
    """Pearson's correlation coefficient of each dimension; 0 where truth or prediction is constant (scipy: nan).

    Args:
        moments: (..., k, 6).

    Returns:
        (..., k) in [-1, 1]; nan where there is no utterance.
    """
    n, _, _, var_t, var_p, covariance = _central(moments)
    return _where_tested(n, np.clip(_ratio(covariance, np.sqrt(var_t) * np.sqrt(var_p), empty=0.0), -1, 1))


def rmse_of_dimensions(moments: NDArray[Any]) -> Array:
    """Root mean squared error of each dimension, in the unit of the labels.

    Moments resolve it down to some 1e-7 of the size of the labels.

    Args:
        moments: (..., k, 6).

    Returns:
        (..., k), at least 0; nan where there is no utterance.
    """
    n, _, _, tt, pp, tp = np.moveaxis(_float(moments), -1, 0)
    return np.sqrt(np.maximum(_ratio(tt + pp - 2 * tp, n, empty=np.nan), 0.0))


def ccc(moments: NDArray[Any]) -> Array:
    """The mean over dimensions of `ccc_of_dimensions`: (..., k, 6) -> (...)."""
    return np.asarray(ccc_of_dimensions(moments).mean(axis=-1))


def pearson(moments: NDArray[Any]) -> Array:
    """The mean over dimensions of `pearson_of_dimensions`: (..., k, 6) -> (...)."""
    return np.asarray(pearson_of_dimensions(moments).mean(axis=-1))


def rmse(moments: NDArray[Any]) -> Array:
    """The mean over dimensions of `rmse_of_dimensions`: (..., k, 6) -> (...)."""
    return np.asarray(rmse_of_dimensions(moments).mean(axis=-1))


def ece(sums: NDArray[Any]) -> Array:
    """Expected calibration error: the mean over utterances of |share of right ones - mean confidence| of their bin.

    Fifteen bins of equal width, of the class that is decided for. Bins are open below and closed above, so that a
    confidence of 1 is in the last. Source: Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks"
    (ICML 2017), equation 3; torchmetrics' `MulticlassCalibrationError(n_bins=15, norm="l1")` closes bins below.

    Args:
        sums: (..., 3, 16), see `benchmark.sufficient.Calibration`.

    Returns:
        (...) in [0, 1]; nan where there is no utterance.
    """
    sums = _float(sums)
    _, right, confidence = np.moveaxis(sums[..., : CALIBRATION.BINS], -2, 0)
    apart = np.abs(right - confidence / CALIBRATION.MILLIONTHS).sum(axis=-1)
    return _ratio(apart, sums[..., 0, -1], empty=np.nan)


def brier(sums: NDArray[Any]) -> Array:
    """Brier score: the mean over utterances of the squared distance of the probabilities from the true class.

    Summed over all classes, from 0 to 2, as Brier, "Verification of forecasts expressed in terms of probability"
    (Monthly Weather Review 78(1), 1950) has it; half of it is what many libraries give for two classes.

    Args:
        sums: (..., 3, 16).

    Returns:
        (...) in [0, 2]; nan where there is no utterance.
    """
    sums = _float(sums)
    return _ratio(sums[..., 1, -1] / CALIBRATION.MILLIONTHS, sums[..., 0, -1], empty=np.nan)


def nll(sums: NDArray[Any]) -> Array:
    """Negative log-likelihood: the mean over utterances of -ln of the probability of the true class [nat].

    A probability below 2 ** -52 counts as that, as in scikit-learn's `log_loss`.

    Args:
        sums: (..., 3, 16).

    Returns:
        (...), at least 0; nan where there is no utterance.
    """
    sums = _float(sums)
    return _ratio(sums[..., 2, -1] / CALIBRATION.MILLIONTHS, sums[..., 0, -1], empty=np.nan)


@dataclass(frozen=True)
class Metric:
    """A metric, as protocols and records name it.

    Attributes:
        name: Its key.
        title: Its name in a table.
        statistics: What it is computed from.
        scale: Between which ends it lies: "share" 0 and 1, "correlation" -1 and 1, "error" 0 and none; errors are the
            better the lower.
        percent: Shown times 100; otherwise as it is.
        linear: Whether it is linear in the decisions once the truth is given, so that differences of systems add up.
        compute: From statistics (..., K, K), (..., k, 6) or (..., 3, 16) to numbers (...).
        most: Of an error, the largest that there is; None where there is none.
    """

    name: str
    title: str
    statistics: SufficientStatistics
    scale: Literal["share", "correlation", "error"]
    percent: bool
    linear: bool
    compute: Callable[[NDArray[Any]], Array]
    most: float | None = None

    @property
    def kind(self) -> StatisticsKind:
        """The kind of tasks that it is for; "calibration" is none, and no protocol can rank by it."""
        return self.statistics.kind

    @property
    def higher_is_better(self) -> bool:
        """Whether it is no error."""
        return self.scale != "error"


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("uar", "UAR", CONFUSION_COUNTS, "share", True, True, uar),
        Metric("wa", "WA", CONFUSION_COUNTS, "share", True, True, wa),
        Metric("macro_f1", "macro F1", CONFUSION_COUNTS, "share", True, False, macro_f1),
        Metric("weighted_f1", "weighted F1", CONFUSION_COUNTS, "share", True, False, weighted_f1),
        Metric("ccc", "CCC", MOMENTS, "correlation", False, False, ccc),
        Metric("pearson", "Pearson r", MOMENTS, "correlation", False, False, pearson),
        Metric("rmse", "RMSE", MOMENTS, "error", False, False, rmse),
        Metric("ece", "ECE", CALIBRATION, "error", True, False, ece, most=1.0),
        Metric("brier", "Brier score", CALIBRATION, "error", False, False, brier, most=2.0),
        Metric("nll", "NLL", CALIBRATION, "error", False, False, nll),
    )
}
# The kind of task of those that a protocol can name and a head can select on; others are of probabilities.
OF_TASKS: dict[str, Kind] = {name: metric.kind for name, metric in METRICS.items() if metric.kind != "calibration"}


def find(name: str) -> Metric:
    """The metric of a name.

    Raises:
        UsageError: There is none.
    """
    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name.lower(), METRICS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"unknown metric {name!r}", f"{hint}metrics: {', '.join(METRICS)}")


def score(metric: str, truth: NDArray[Any], scores: NDArray[Any]) -> float:
    """Compute one metric on utterances, through their statistics.

    Args:
        metric: A key of `METRICS`.
        truth: (n,) class indices; or (n, k) values for a regression metric.
        scores: (n, K) class scores; or (n, k) values.

    Returns:
        The metric; nan for no utterance.

    Raises:
        UsageError: The metric is unknown.
        BenchError: As `SufficientStatistics.of`.
    """
    found = find(metric)
    return found.compute(found.statistics.of(truth, scores)).item()


def _float(values: NDArray[Any]) -> Array:
    return np.asarray(values, dtype=np.float64)


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any], empty: float) -> Array:
    """Divide; `empty` where the denominator is not positive."""
    result = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), empty, dtype=np.float64)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result


def _hits(counts: NDArray[Any]) -> Array:
    return np.diagonal(_float(counts), axis1=-2, axis2=-1)


def _f1(counts: NDArray[Any]) -> Array:
    counts = _float(counts)
    return _ratio(2 * _hits(counts), counts.sum(axis=-1) + counts.sum(axis=-2), empty=0.0)


def _central(values: NDArray[Any]) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return n, the means, the population variances and the covariance; exact zeros where a variable is constant."""
    n, t, p, tt, pp, tp = np.moveaxis(_float(values), -1, 0)
    mean_t, mean_p, square_t, square_p, product = (_ratio(total, n, empty=0.0) for total in (t, p, tt, pp, tp))
    var_t, var_p = square_t - mean_t**2, square_p - mean_p**2
    varies_t = var_t > RELATIVE_VARIANCE_OF_A_CONSTANT * square_t
    varies_p = var_p > RELATIVE_VARIANCE_OF_A_CONSTANT * square_p
    covariance = np.where(varies_t & varies_p, product - mean_t * mean_p, 0.0)
    return n, mean_t, mean_p, np.where(varies_t, var_t, 0.0), np.where(varies_p, var_p, 0.0), covariance


def _where_tested(n: Array, values: Array) -> Array:
    return np.where(n > 0, values, np.nan)
