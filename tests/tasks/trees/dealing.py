"""Dealing numbers of utterances out to classes and groups, the same way every time."""

from __future__ import annotations

from collections.abc import Mapping


def spread(counts: Mapping[str, int]) -> list[str]:
    """Each class as often as its count says, evenly mixed."""
    places = [((number + 0.5) / total, name) for name, total in counts.items() for number in range(total)]
    return [name for _, name in sorted(places)]


def shares(total: int, groups: int) -> list[int]:
    """Sizes of so many groups that differ by one at most, the larger first."""
    return [total // groups + (group < total % groups) for group in range(groups)]
