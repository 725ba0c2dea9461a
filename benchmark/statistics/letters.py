"""Letters and ranks: which systems can be told apart, and which places each of them may hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def letters(differs: NDArray[np.bool_]) -> list[str]:
    """Compact letter display: two systems share a letter exactly where they cannot be told apart.

    By insertion and absorption: Piepho (2004), "An algorithm for a letter-based representation of all-pairwise
    comparisons", Journal of Computational and Graphical Statistics 13(2).

    Args:
        differs: (m, m), symmetric: whether two systems differ significantly; systems in the order of their scores.

    Returns:
        For each system its letters, in alphabetical order; "a" is the letter of the first system. After "z" follow
        "aa", "ab" and so on, and letters are then set apart by a space.
    """
    groups = [frozenset(range(len(differs)))]
    for i, j in np.argwhere(np.triu(differs, 1)).tolist():
        split = [group for group in groups if i in group and j in group]
        if not split:
            continue
        groups = [group for group in groups if not (i in group and j in group)]
        for part in (group - {one} for group in split for one in (i, j)):
            if not any(part <= other for other in groups):
                groups = [other for other in groups if not other <= part] + [part]
    groups = sorted((group for group in groups if group), key=sorted)
    names = [_name(number) for number in range(len(groups))]
    between = "" if len(groups) <= len(ALPHABET) else " "
    return [
        between.join(name for name, group in zip(names, groups, strict=True) if system in group)
        for system in range(len(differs))
    ]


def rank_ranges(better: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The best and the worst rank of each system that the tests leave possible.

    Behind every system that is significantly better, and before every one that is significantly worse. Since the tests
    are corrected for all pairs, all ranges hold together with the confidence of the tests.
    Source: Al Mohamad, Goeman, van Zwet (2022), "Simultaneous confidence intervals for ranks with application to
    ranking institutions", Biometrics 78(1), whose intervals from all pairwise tests these are.

    Args:
        better: (m, m): whether the system of the row is significantly better than that of the column.

    Returns:
        (best, worst) of each system, from 1 to m.
    """
    m = len(better)
    return [(1 + int(better[:, i].sum()), m - int(better[i].sum())) for i in range(m)]


def _name(number: int) -> str:
    name = ALPHABET[number % len(ALPHABET)]
    return name if number < len(ALPHABET) else _name(number // len(ALPHABET) - 1) + name
