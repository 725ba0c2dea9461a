"""The labelled stretches of time that every format of alignments comes down to, and what is asked of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmark.errors import BenchError

# Aligners round to milliseconds or to frames of 10 ms; what overlaps by less is taken as it is [s].
ROUNDING = 0.011
LONGEST_LABEL = 100


@dataclass(frozen=True)
class Segment:
    """One labelled stretch.

    Attributes:
        start: From the beginning of the utterance [s].
        end: Likewise.
        label: As it is written.
    """

    start: float
    end: float
    label: str


def number(text: str, what: str, where: str) -> float:
    """A number of an alignment.

    Args:
        text: As it is written.
        what: What it is, for an error.
        where: File and line, for an error.

    Raises:
        BenchError: It is none, or not finite.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BenchError(f"{where}: {what} is {text!r:.80}, and no number", "an alignment has times in seconds")
    return value


def checked(segments: Sequence[Segment], where: str) -> tuple[Segment, ...]:
    """Segments in the order of time, none of which overlaps another.

    Args:
        segments: In any order.
        where: Of which file and utterance they are, for an error.

    Raises:
        BenchError: One begins before 0 or ends before it begins, two overlap, or a label is far too long.
    """
    ordered = tuple(sorted(segments, key=lambda one: (one.start, one.end)))
    for one in ordered:
        if one.start < 0 or one.end < one.start:
            raise BenchError(
                f"{where}: {one.label!r:.40} lasts from {one.start:g} to {one.end:g} s",
                "times count from the beginning of the utterance, and an interval ends after it begins",
            )
        if len(one.label) > LONGEST_LABEL:
            raise BenchError(f"{where}: a label has {len(one.label)} characters: {one.label!r:.40}", "is it of phones?")
    for one, other in pairwise(ordered):
        if other.start < one.end - ROUNDING:
            raise BenchError(
                f"{where}: {one.label!r:.30} ends at {one.end:g} s, {other.label!r:.30} begins at {other.start:g} s",
                "one phone is spoken at a time",
            )
    return ordered
