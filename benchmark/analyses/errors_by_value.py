"""How wrong a system is where the true value is small, and where it is large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.analyses.decisions import Decisions
from benchmark.analyses.ratios import Ratio, by_speaker, ratio
from benchmark.errors import UsageError
from benchmark.text import nearest

Array = NDArray[np.float64]
INTERVALS = 10


@dataclass(frozen=True)
class Bin:
    """The utterances whose true value lies in one interval.

    Attributes:
        start: Of the interval, which the value may be.
        end: Of the interval, which belongs to the next one, but for the last.
        utterances: How many tests there are.
        rmse: Root of the mean squared error, over tests and seeds, with its interval for new speakers; None where
            there is no test.
        bias: Mean of prediction less truth; None where there is no test.
    """

    start: float
    end: float
    utterances: int
    rmse: Ratio | None
    bias: float | None


@dataclass(frozen=True)
class ErrorByValue:
    """The error of a system by the true value of a dimension.

    Mitra, Chien, Kowtha, Cheng and Azemi, "Speech emotion: investigating model representations, multi-task learning and
    knowledge distillation", figure 3.

    Attributes:
        system: Its name.
        task: The task's name.
        dimension: Such as "valence".
        bins: In ascending order.
    """

    system: str
    task: str
    dimension: str
    bins: tuple[Bin, ...]


def edges_of(decisions: Decisions, dimension: str, intervals: int = INTERVALS) -> Array:
    """Edges (intervals + 1,) of equal intervals between the smallest and the largest true value of a dimension.

    Values are kept in float32, which is no reason for edges that nobody would write: they have six digits.
    """
    truth = decisions.truth[:, _place(decisions, dimension)]
    low, high = (float(f"{end:.6g}") for end in (truth.min(), truth.max()))
    edges = np.linspace(low, high if high > low else low + 1, intervals + 1)
    return np.array([float(f"{edge:.6g}") for edge in edges])


def error_by_value(decisions: Decisions, dimension: str, edges: Array | None = None) -> ErrorByValue:
    """The error of a system in intervals of the true value.

    The interval of an RMSE is the root of that of the mean squared error, which is a mean over utterances.

    Args:
        decisions: On a task with dimensions.
        dimension: One of them.
        edges: (b + 1,) of b intervals, ascending; ten equal ones from the smallest to the largest value if not given.

    Raises:
        UsageError: The task has classes, or not that dimension.
    """
    place = _place(decisions, dimension)
    edges = edges_of(decisions, dimension) if edges is None else edges
    truth, errors = decisions.truth[:, place], decisions.decided[..., place] - decisions.truth[:, place]
    squared, bias = np.mean(errors**2, axis=0), np.mean(errors, axis=0)
    # In float32, in which values are kept: one that is written as an edge is written lies on it.
    kept, ends = truth.astype(np.float32), np.asarray(edges, np.float64).astype(np.float32)
    which = np.searchsorted(ends, kept, side="right") - 1
    which[kept == ends[-1]] = len(ends) - 2  # the last interval has both its ends
    bins = []
    for index in range(len(edges) - 1):
        inside = which == index
        weight = inside.astype(np.float64)
        found = ratio(by_speaker(squared * weight, decisions.speakers), by_speaker(weight, decisions.speakers))
        bins.append(
            Bin(
                start=float(edges[index]),
                end=float(edges[index + 1]),
                utterances=int(inside.sum()),
                rmse=_root(found) if inside.any() else None,
                bias=float(bias[inside].mean()) if inside.any() else None,
            )
        )
    return ErrorByValue(decisions.system, decisions.task, dimension, tuple(bins))


def _place(decisions: Decisions, dimension: str) -> int:
    if decisions.truth.ndim != 2:
        raise UsageError(f"{decisions.task} has classes, and no true values", "choose a task with dimensions")
    if dimension not in decisions.outputs:
        raise UsageError(f"{decisions.task} has no dimension {dimension!r}", nearest(dimension, decisions.outputs))
    return decisions.outputs.index(dimension)


def _root(found: Ratio) -> Ratio:
    ends = [None if end is None else float(np.sqrt(max(0.0, end))) for end in (found.low, found.high)]
    return Ratio(float(np.sqrt(found.value)), ends[0], ends[1], None, found.speakers)
