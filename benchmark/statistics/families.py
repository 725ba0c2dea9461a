"""Which comparisons are corrected together, and how.

A reader of a table looks at all its pairs, so these are one family: Shaffer's procedure (1986), "Modified sequentially
rejective multiple test procedures", Journal of the American Statistical Association 81(395), its first one. It is
Holm's for all pairs of m systems, which knows that some numbers of equal pairs cannot be: of four systems six pairs may
be equal, or three, two, one or none, but not four or five.

Controls, such as noise in place of features, are no systems: every system must beat them, and a family that holds them
pays for what nobody asks. Their pairs are a family of their own (Holm 1979). For who compares across tables, all pairs
of the task are one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmark.statistics.pairs import Compared, Comparison
from benchmark.statistics.scores import Array

# What is corrected together.
TABLE, CONTROLS, TASK, BASELINE, PROTOCOLS = "table", "controls", "task", "baseline", "protocols"


def corrected(comparisons: Compared, tables: Mapping[str, str], controls: Collection[str]) -> Compared:
    """Every two systems of a task, each pair corrected within its family.

    Args:
        comparisons: Of every two systems, each pair alone.
        tables: In which table of the task each system stands.
        controls: The systems that are controls.

    Returns:
        In the same order: pairs of one table are corrected for those of this table, and pairs of two tables for all
        pairs of the task; in both cases pairs with a control for such pairs alone, and others without them.
    """
    first, second = comparisons.places
    table = np.array([tables[name] for name in comparisons.systems], dtype=object)
    is_control = np.array([name in controls for name in comparisons.systems], dtype=bool)
    controlled, within = is_control[first] | is_control[second], table[first] == table[second]
    p = comparisons.columns.get("p")
    family, pairs = np.full(len(comparisons), TASK, dtype=object), np.zeros(len(comparisons), dtype=int)
    adjusted = np.empty(len(comparisons))

    def correct(name: str, members: NDArray[np.bool_], shown: NDArray[np.bool_]) -> None:
        family[shown], pairs[shown] = name, members.sum()
        if p is not None:
            of_members = np.empty(len(comparisons))
            of_members[members] = holm(p[members]) if name == CONTROLS else shaffer(p[members])
            adjusted[shown] = of_members[shown]

    for with_control in (False, True):
        everywhere = controlled == with_control
        for one in set(table):
            if (members := everywhere & within & (table[first] == one)).any():
                correct(CONTROLS if with_control else TABLE, members, members)
        if (beyond := everywhere & ~within).any():
            correct(CONTROLS if with_control else TASK, everywhere, beyond)
    return comparisons.with_columns(family=family, pairs=pairs, p_adjusted=None if p is None else adjusted)


def against(comparisons: Sequence[Comparison], family: str = BASELINE) -> list[Comparison]:
    """Comparisons corrected by Holm for these alone: of one system with all others, or of many under two protocols."""
    tested = [one for one in comparisons if one.p is not None]
    adjusted = iter(holm(np.array([one.p for one in tested], dtype=np.float64)).tolist())
    return [
        replace(one, family=family, pairs=len(comparisons), p_adjusted=None if one.p is None else float(next(adjusted)))
        for one in comparisons
    ]


def holm(p: Array) -> Array:
    """Holm's (1979) step-down correction of p-values for their number."""
    return _stepped_down(p, len(p) - np.arange(len(p), dtype=np.float64))


def shaffer(p: Array) -> Array:
    """Shaffer's (1986) correction of the p-values of all pairs of some systems.

    Args:
        p: (m (m - 1) / 2,), in any order.

    Raises:
        ValueError: There is no number of systems that have so many pairs.
    """
    systems = round((1 + (1 + 8 * len(p)) ** 0.5) / 2)
    if systems * (systems - 1) // 2 != len(p):
        raise ValueError(f"{len(p)} is no number of pairs")
    possible = np.array(sorted(equal_pairs(systems)), dtype=np.float64)
    left = len(p) - np.arange(len(p), dtype=np.float64)
    return _stepped_down(p, possible[np.searchsorted(possible, left, side="right") - 1])


@lru_cache
def equal_pairs(systems: int) -> frozenset[int]:
    """How many pairs of some systems may be equal, where equal to the same is equal to each other."""
    possible = [1]  # of 0, 1 and more systems, bit i: whether i pairs may be; sets would take minutes for 200 systems
    for number in range(1, systems + 1):
        # some of them are equal, and have nothing to do with the others
        bits = 0
        for group in range(1, number + 1):
            bits |= possible[number - group] << (group * (group - 1) // 2)
        possible.append(bits)
    return frozenset(place for place, bit in enumerate(reversed(f"{possible[-1]:b}")) if bit == "1")


def _stepped_down(p: Array, times: Array) -> Array:
    """p-values in ascending order, each times a number, never below the one before; in their own order again."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * times), 1)
    return adjusted
