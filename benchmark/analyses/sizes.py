"""What systems weigh and how long they take, beside what they score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.metrics import find
from benchmark.records.cells import Cell
from benchmark.statistics import cell_interval, cell_scores
from benchmark.text import clean

BYTES = 4  # of a weight, in float32


@dataclass(frozen=True)
class Size:
    """One system on one task.

    Attributes:
        system: Its name.
        task: The task's name.
        upstream: Weights of the upstream; None where they are not known.
        downstream: Weights of the head; None where they are not known.
        megabytes: Of both in float32, 1 MB being 10^6 bytes; None where one is not known.
        encode_s: Time once spent on encoding the utterances [s]; None where it is not known.
        real_time: That, divided by the duration of the audio; below 1 is faster than speech.
        device: Where it was encoded.
        metric: Of the score.
        score: The mean over seeds.
        low: Lower end of its interval; None for a single speaker.
        high: Upper end; None for a single speaker.
    """

    system: str
    task: str
    upstream: int | None
    downstream: int | None
    megabytes: float | None
    encode_s: float | None
    real_time: float | None
    device: str
    metric: str
    score: float
    low: float | None
    high: float | None


def sizes(cells: Sequence[Cell]) -> tuple[Size, ...]:
    """Weigh systems, the lightest first; those of unknown weight last.

    Args:
        cells: Complete cells of one task.

    Raises:
        BenchError: One is incomplete.
    """
    found = [_size(cell) for cell in cells]
    return tuple(sorted(found, key=lambda one: (one.megabytes is None, one.megabytes, one.system)))


def _size(cell: Cell) -> Size:
    metric = find(cell.task.metrics[0]).name
    records = list(cell.records.values())
    heads = [record.downstream.parameters for record in records]
    head = None if None in heads else max(one for one in heads if one is not None)
    costs = [record.cost for record in records if record.cost.encode_s is not None]
    cost = costs[0] if costs else None
    both = [cell.upstream.parameters, head]
    ends, seconds = cell_interval(cell, metric), None if cost is None else cost.encode_s
    known = [one for one in both if one is not None]
    return Size(
        system=clean(cell.name),
        task=cell.task.name,
        upstream=both[0],
        downstream=head,
        megabytes=BYTES * sum(known) / 1e6 if len(known) == len(both) else None,
        encode_s=seconds,
        real_time=None if cost is None or seconds is None or not cost.audio_s else seconds / cost.audio_s,
        device=records[0].cost.device.removeprefix("encode ").partition(",")[0],
        metric=metric,
        score=float(np.mean(cell_scores(cell, metric).values)),
        low=None if ends is None else ends.low,
        high=None if ends is None else ends.high,
    )
