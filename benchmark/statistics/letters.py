"""Letters and ranks: which systems can be told apart, and which places each of them may hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def letters(differs: NDArray[np.bool_]) -> list[str]:
    """Compact letter display: two systems share a letter exactly where they cannot be told apart.

    As Piepho (2004), "An algorithm for a letter-based representation of all-pairwise comparisons", Journal of
    Computational and Graphical Statistics 13(2), asks for, with letters that are largest groups of systems that cannot
    be told apart, and none that could be left out. His insertion and absorption makes all largest groups, of which
    there may be exponentially many where tests are not transitive. Here a group is made for a pair that has no letter
    yet, which takes no more steps than systems to the fourth power.

    Args:
        differs: (m, m), symmetric: whether two systems differ significantly; systems in the order of their scores.

    Returns:
        For each system its letters, in alphabetical order; "a" is the letter of the first system. After "z" follow
        "aa", "ab" and so on, and letters are then set apart by a space.
    """
    alike = ~np.asarray(differs, dtype=bool)
    np.fill_diagonal(alike, val=True)
    groups = _without_redundant(_groups(alike), len(alike))
    groups = sorted(groups, key=lambda group: np.flatnonzero(group).tolist())
    names = [_name(number) for number in range(len(groups))]
    between = "" if len(groups) <= len(ALPHABET) else " "
    return [
        between.join(name for name, group in zip(names, groups, strict=True) if group[system])
        for system in range(len(alike))
    ]


def _groups(alike: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Largest groups that together hold every pair that is alike, and every system.

    The first system without a letter for a pair, and the last one that it is alike: where tests agree with the order of
    scores, whoever stands between the two belongs to their group.
    """
    groups = []
    open_pairs = alike.copy()  # the diagonal stands for the systems themselves
    while open_pairs.any():
        first = int(np.flatnonzero(open_pairs.any(axis=1))[0])
        last = int(np.flatnonzero(open_pairs[first])[-1])
        group = np.zeros(len(alike), dtype=bool)
        group[[first, last]] = True
        candidates = alike[first] & alike[last] & ~group
        while candidates.any():
            new = np.where(candidates, open_pairs[:, group].sum(axis=1), -1)
            chosen = int(new.argmax())
            group[chosen] = True
            candidates &= alike[chosen]
            candidates[chosen] = False
        open_pairs[np.ix_(group, group)] = False
        groups.append(group)
    return groups


def _without_redundant(groups: list[NDArray[np.bool_]], systems: int) -> list[NDArray[np.bool_]]:
    """The groups without those whose pairs all stand in others, the smallest of which go first."""
    held = np.zeros((systems, systems), dtype=int)
    for group in groups:
        held[np.ix_(group, group)] += 1
    kept = []
    for group in sorted(groups, key=lambda one: int(one.sum())):
        inside = np.ix_(group, group)
        if (held[inside] > 1).all():
            held[inside] -= 1
        else:
            kept.append(group)
    return kept


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
