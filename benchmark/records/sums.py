"""How files hold the statistics of a speaker: whole numbers without a point, and no bins that are empty.

In memory sums of probabilities are the (3, 16) of `benchmark.sufficient.Calibration`. Of a speaker who says few
utterances most of these are 0. Written is a list for each of the 16 columns that has any other number,
`[place, n, right, confidence]`: its place from 0, and its three numbers; of the last, `[15, n, Brier, NLL]`. What is
read is what was there before it was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from benchmark.sufficient import CALIBRATION, EXACT

ROWS, COLUMNS = CALIBRATION.shape(0)


def without_points(rows: Iterable[Iterable[float]]) -> list[list[float | int]]:
    """Rows of numbers as they are written: 2.0 as 2."""
    return [[_short(number) for number in row] for row in rows]


def occupied(sums: list[list[float]]) -> list[list[float | int]]:
    """The columns of sums (3, 16) that are not all 0, each as its place and its three numbers."""
    columns = enumerate(zip(*sums, strict=True))
    return without_points([place, *column] for place, column in columns if any(column))


def with_all_bins(value: Any) -> Any:
    """The sums (3, 16) of columns as they are written; what is no list of columns as it is, for others to check.

    Raises:
        ValueError: The columns are in no order, or one is at a place that there is not.
    """
    if type(value) is not list or {*map(type, value)} != {list} or {*map(len, value)} != {1 + ROWS}:
        return value
    places, *rows = zip(*value, strict=True)
    if {*map(type, places)} != {int} or [*places] != sorted({*places}) or places[0] < 0 or places[-1] >= COLUMNS:
        raise ValueError(f"bins stand at {str(places)[:80]}; they are at some of 0 to {COLUMNS - 1}, in this order")
    sums = []
    for row in rows:
        full = [0.0] * COLUMNS
        for place, number in zip(places, row, strict=True):
            full[place] = number
        sums.append(full)
    return sums


def _short(number: float) -> float | int:
    return int(number) if abs(number) < EXACT and number == int(number) else number


Statistics = Annotated[list[list[float]], PlainSerializer(without_points)]
Sums = Annotated[list[list[float]], BeforeValidator(with_all_bins), PlainSerializer(occupied)]
