"""What the card of a row says of its probabilities: three measures before and after the temperature, and the bins."""

from __future__ import annotations

from typing import Any

from benchmark.metrics import METRICS
from benchmark.records.cells import Cell
from benchmark.records.parts import MEASURES, of_probabilities
from benchmark.sufficient import CALIBRATION
from benchmark.text import NONE, clean, decimal, interval, measured
from leaderboard.calibration import Believed, bins_of
from leaderboard.rows import Row

PLACES = 3  # of a share in the data of the page, as an integer
# Why there is nothing, by the remark of the board.
WITHOUT = {
    "no probabilities": "Its head gives no probabilities.",
    "not recorded": "Its records hold no sums of probabilities: they were made before there were any.",
}


def believed_data(row: Row) -> dict[str, Any] | None:
    """What the script shows of the probabilities of a row; None of a task of dimensions, and of an incomplete row.

    Returns:
        `said`: one list of texts for each measure: title, before, its interval, after, its interval. `facts`: names and
        texts. `bins`: before and after, one list for each bin that has decisions: confidence and share of right ones in
        thousandths, and how many. `without`: why there is nothing, or the empty text.
    """
    found = row.calibrated
    if found is None:
        return None
    if found.before is None:
        return {"said": [], "facts": [], "bins": [], "without": WITHOUT.get(found.remark, clean(found.remark))}
    on = clean(found.remark)
    temperature = f"{decimal(found.temperature, 2)}, fitted on {on}" if found.temperature is not None else f"none: {on}"
    return {
        "said": [[METRICS[name].title, *_texts(found.before, name), *_texts(found.after, name)] for name in MEASURES],
        "facts": [["ECE by chance", measured(found.before.by_chance, percent=True)], ["temperature", temperature]],
        "bins": [_bins(row.cell, after=late) for late in (False, True)[: 1 if found.after is None else 2]],
        "without": "",
    }


def _texts(found: Believed | None, name: str) -> tuple[str, str]:
    if found is None:
        return NONE, NONE
    percent, ends = METRICS[name].percent, found.intervals[name]
    return (
        measured(found.scores[name].mean, percent),
        NONE if ends is None else interval(ends.low, ends.high, percent),
    )


def _bins(cell: Cell, *, after: bool) -> list[list[int]]:
    """Confidence, share of right decisions, and their number, of all folds, seeds and speakers together."""
    part = of_probabilities(cell, after=after)
    if part is None:
        return []
    sums = bins_of([part])[0][:, : CALIBRATION.BINS]
    n, right, confidence = sums[:, sums[0] > 0]
    unit = 10**PLACES
    columns = (confidence / CALIBRATION.MILLIONTHS / n * unit, right / n * unit, n)
    return [[round(value) for value in one] for one in zip(*(column.tolist() for column in columns), strict=True)]
