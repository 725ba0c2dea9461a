"""How long rows took where they were run: seconds of encoding and of fitting, as their records say.

A circumstance, which another machine does not repeat: it is in no file that is compared byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmark.records.cells import Cell
from benchmark.text import decimal

BETWEEN = " -> "  # in the name of two corpora together


@dataclass(frozen=True)
class Took:
    """Seconds of computing.

    Attributes:
        encode_s: Of encoding the recordings; None where no record knows it.
        fit_s: Of fitting, selecting and testing heads, all folds and seeds together; None likewise.
    """

    encode_s: float | None
    fit_s: float | None

    @property
    def total_s(self) -> float | None:
        """Both together, as far as known."""
        known = [value for value in (self.encode_s, self.fit_s) if value is not None]
        return sum(known) if known else None


def took(cell: Cell) -> Took:
    """How long a row took, as if it had been run alone: the encoding is shared by all that read the same features."""
    costs = [record.cost for record in cell.records.values()]
    encoding = [cost.encode_s for cost in costs if cost.encode_s is not None]
    fits = [cost.fit_s for cost in costs if cost.fit_s is not None]
    return Took(max(encoding, default=None), sum(fits) if fits else None)


def together(cells: Iterable[Cell]) -> Took:
    """How long rows took together: what an upstream encoded of a corpus counts once, however many rows read it.

    Of a task between two corpora the encoding counts only where a row of the corpora alone does not have it.
    """
    encoding: dict[tuple[str, str], float] = {}
    fits = []
    for cell in cells:
        one, key = took(cell), (cell.upstream.sha256, cell.task.corpus.name)
        if one.encode_s is not None:
            encoding[key] = max(one.encode_s, encoding.get(key, 0.0))
        if one.fit_s is not None:
            fits.append(one.fit_s)
    counted = [
        seconds
        for (upstream, corpus), seconds in encoding.items()
        if BETWEEN not in corpus or not any((upstream, one) in encoding for one in corpus.split(BETWEEN))
    ]
    return Took(sum(counted) if encoding else None, sum(fits) if fits else None)


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them: "8.1 s", "9.6 min", "2.3 h"."""
    for unit, size, most in (("s", 1, 100), ("min", 60, 100 * 60)):
        if seconds < most:
            return f"{decimal(seconds / size, 1)} {unit}"
    return f"{decimal(seconds / 3600, 1)} h"
