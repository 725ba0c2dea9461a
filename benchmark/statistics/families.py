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

from benchmark.statistics.pairs import Comparison
from benchmark.statistics.scores import Array

# What is corrected together.
TABLE, CONTROLS, TASK, BASELINE, PROTOCOLS = "table", "controls", "task", "baseline", "protocols"


def corrected(
    comparisons: Sequence[Comparison], tables: Mapping[str, str], controls: Collection[str]
) -> list[Comparison]:
    """Every two systems of a task, each pair corrected within its family.

    Args:
        comparisons: Of every two systems, each pair alone.
        tables: In which table of the task each system stands.
        controls: The systems that are controls.

    Returns:
        In the same order: pairs of one table are corrected for those of this table, and pairs of two tables for all
        pairs of the task; in both cases pairs with a control for such pairs alone, and others without them.
    """
    result = list(comparisons)

    def correct(family: str, members: Sequence[int], shown: Sequence[int]) -> None:
        tested = [number for number in members if comparisons[number].p is not None]
        p = np.array([comparisons[number].p for number in tested], dtype=np.float64)
        adjusted = dict(zip(tested, holm(p) if family == CONTROLS else shaffer(p), strict=True))
        for number in shown:
            value = adjusted.get(number)
            result[number] = replace(
                comparisons[number],
                family=family,
                pairs=len(members),
                p_adjusted=None if value is None else float(value),
            )

    within: dict[tuple[str, str], list[int]] = {}
    beyond: dict[str, list[int]] = {TASK: [], CONTROLS: []}
    everywhere: dict[str, list[int]] = {TASK: [], CONTROLS: []}
    for number, one in enumerate(comparisons):
        controlled = one.a in controls or one.b in controls
        everywhere[CONTROLS if controlled else TASK].append(number)
        if tables[one.a] == tables[one.b]:
            within.setdefault((CONTROLS if controlled else TABLE, tables[one.a]), []).append(number)
        else:
            beyond[CONTROLS if controlled else TASK].append(number)
    for (family, _), members in within.items():
        correct(family, members, members)
    for family, shown in beyond.items():
        correct(family, everywhere[family], shown)
    return result


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
    if systems < 2:
        return frozenset({0})
    return frozenset(
        group * (group - 1) // 2 + others for group in range(1, systems + 1) for others in equal_pairs(systems - group)
    )


def _stepped_down(p: Array, times: Array) -> Array:
    """p-values in ascending order, each times a number, never below the one before; in their own order again."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * times), 1)
    return adjusted
