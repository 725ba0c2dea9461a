"""The scale on which a table draws its intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.metrics import Metric
from benchmark.text import decimal

TICKS = 4  # about as many intervals between ticks
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Mark:
    """An interval on a scale: its ends and its middle, each a share of the width in percent."""

    low: str
    middle: str
    high: str


@dataclass(frozen=True)
class Scale:
    """A linear scale from 0 to 100 % of the width.

    Attributes:
        low: The value at its left end.
        high: At its right end.
        ticks: Where lines are drawn, in percent, with what they are called.
    """

    low: float
    high: float
    ticks: tuple[tuple[str, str], ...]

    def at(self, value: float) -> str:
        """Where a value is, in percent with two decimals."""
        return decimal(100 * (value - self.low) / (self.high - self.low), 2)

    def mark(self, low: float, middle: float, high: float) -> Mark:
        """Where an interval is."""
        return Mark(self.at(low), self.at(middle), self.at(high))


def scale_of(values: Sequence[float], metric: Metric) -> Scale:
    """A scale with round ends that holds all values of a metric; from 0 to 1 where there are none."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    step = _step((high - low) / TICKS or 0.1)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    bare = Scale(first * step, last * step, ())
    factor = 100 if metric.percent else 1
    places = max(0, -math.floor(math.log10(factor * step) + 1e-9))
    ticks = tuple(
        (bare.at(number * step), decimal(factor * number * step, places)) for number in range(first, last + 1)
    )
    return Scale(bare.low, bare.high, ticks)


def _step(width: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least so wide."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(power * step for step in STEPS if power * step >= width * (1 - 1e-9))
