"""CTM, the format of NIST that Kaldi and the NeMo aligner write: a line for each phone, of any number of utterances.

A line is UTTERANCE CHANNEL START DURATION LABEL, with or without a confidence; `;;` begins a comment.
"""

from __future__ import annotations

from collections import defaultdict

from benchmark.alignments.segments import Segment, checked, number
from benchmark.alignments.text_grid import decoded
from benchmark.errors import BenchError

FEWEST_FIELDS, MOST_FIELDS = 5, 6


def read_ctm(content: bytes, where: str) -> dict[str, tuple[Segment, ...]]:
    """The segments of each utterance by its name, in the order of time.

    Args:
        content: Of a file.
        where: Its name, for errors.

    Raises:
        BenchError: A line is no line of CTM, or has times that cannot be.
    """
    found: dict[str, list[Segment]] = defaultdict(list)
    for place, line in enumerate(decoded(content, where).splitlines(), start=1):
        fields = line.split()
        if not fields or line.startswith(";;"):
            continue
        here = f"{where}, line {place}"
        if not FEWEST_FIELDS <= len(fields) <= MOST_FIELDS:
            raise BenchError(
                f"{here}: {len(fields)} fields: {line.strip()!r:.60}",
                "a line of CTM is UTTERANCE CHANNEL START DURATION PHONE, in seconds",
            )
        start, duration = number(fields[2], "the start", here), number(fields[3], "the duration", here)
        if duration < 0:
            raise BenchError(f"{here}: the duration is {duration:g} s", "it is not negative")
        found[fields[0]].append(Segment(start, start + duration, fields[4]))
    return {name: checked(segments, f"{where}, {name!r:.60}") for name, segments in found.items()}
