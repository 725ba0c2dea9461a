"""The scale on which a table draws its intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmark.metrics import Metric
from benchmark.text import decimal

TICKS = 4  # about as many intervals between ticks
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Mark:
    """A score on a scale, each place a share of the width in percent.

    Attributes:
        middle: Where the score is.
        low: Where its interval begins; None without one.
        high: Where it ends.
        known: Where the same system is when test speakers are in train too; None where nobody ran that.
    """

    middle: str
    low: str | None
    high: str | None
    known: str | None = None


@dataclass(frozen=True)
class Scale:
    """A linear scale from 0 to 100 % of the width.

    Attributes:
        low: The value at its left end.
        high: At its right end.
        ticks: Where lines are drawn, in percent, with what they are called.
        chance: Where guessing would score, in percent; None where that is not known.
        guessed: What that is as text.
    """

    low: float
    high: float
    ticks: tuple[tuple[str, str], ...]
    chance: str | None = None
    guessed: str = ""

    def at(self, value: float) -> str:
        """Where a value is, in percent with two decimals."""
        return decimal(100 * (value - self.low) / (self.high - self.low), 2).removesuffix("0").removesuffix(".0")

    def mark(self, middle: float, low: float | None, high: float | None, known: float | None = None) -> Mark:
        """Where a score is, its interval, and what it would be of known speakers."""
        places = [None if value is None else self.at(value) for value in (low, high, known)]
        return Mark(self.at(middle), *places)

    @property
    def grid(self) -> str:
        """The lines at the ticks as one SVG path over a height of 10."""
        return "".join(f"M{at} 0V10" for at, _ in self.ticks)


def scale_of(values: Sequence[float], metric: Metric, chance: float | None = None) -> Scale:
    """A scale with round ends that holds all values of a metric; from 0 to 1 where there are none.

    Args:
        values: What must be on it.
        metric: How they are written.
        chance: What guessing would score, which must be on it too.
    """
    held = [*values, *([] if chance is None or not values else [chance])]
    low, high = (min(held), max(held)) if held else (0.0, 1.0)
    step = _step((high - low) / TICKS or 0.1)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    bare = Scale(first * step, last * step, ())
    factor = 100 if metric.percent else 1
    places = max(0, -math.floor(math.log10(factor * step) + 1e-9))
    ticks = tuple(
        (bare.at(number * step), decimal(factor * number * step, places)) for number in range(first, last + 1)
    )
    if chance is None:
        return replace(bare, ticks=ticks)
    guessed = decimal(factor * chance, 1 if metric.percent else 0)
    return replace(bare, ticks=ticks, chance=bare.at(min(max(chance, bare.low), bare.high)), guessed=guessed)


def whole_scale(values: Sequence[float], metric: Metric, chance: float | None = None) -> Scale:
    """A scale on which tasks of one metric can be compared by eye: of a share all from 0 to 1; else as `scale_of`."""
    return scale_of([*values, 0.0, 1.0] if metric.percent else values, metric, chance)


def _step(width: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least so wide."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(power * step for step in STEPS if power * step >= width * (1 - 1e-9))
