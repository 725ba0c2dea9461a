"""How long a run will take: from what records say of the same upstream and head, else by a rule that is told.

Seconds in records are those of the machines that made them; what they are scaled by is told with each estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmark.records import Record
from benchmark.text import count, join

# Of an upstream without a record: a second for each second of audio, which is a rule and no measurement.
BY_RULE = 1.0


@dataclass(frozen=True)
class Estimate:
    """How long something will take.

    Attributes:
        seconds: [s]; None where nothing is known.
        rests_on: What the number rests on, for people.
    """

    seconds: float | None
    rests_on: str


def encoding(upstream: str, audio_s: float, records: Iterable[Record]) -> Estimate:
    """How long an upstream will encode.

    Args:
        upstream: Its name.
        audio_s: What is to be encoded [s].
        records: Any.

    Returns:
        The median of seconds by second of audio over the tasks of which there are records of the upstream; without
        such a record by rule.
    """
    if not audio_s:
        return Estimate(0.0, "nothing is to be encoded")
    known = {
        (one.task.name, one.upstream.sha256, one.cost.encode_s): (one.cost.encode_s / one.cost.audio_s, one.cost.device)
        for one in records
        if one.upstream.name == upstream and one.cost.encode_s and one.cost.audio_s
    }
    if not known:
        return Estimate(BY_RULE * audio_s, f"no record of {upstream}: by rule, a second for each second of audio")
    factor = median(value for value, _ in known.values())
    tasks = len({task for task, _, _ in known})
    devices = join(sorted({device.partition(",")[0].removeprefix("encode ") for _, device in known.values()}))
    rests_on = (
        f"{factor:.3g} s for each second of audio, by records of {upstream} on {count(tasks, 'task')} ({devices})"
    )
    return Estimate(factor * audio_s, rests_on)


def fitting(upstream: str, downstream: str, train: Sequence[int], records: Iterable[Record]) -> Estimate:
    """How long units will be fitted.

    Args:
        upstream: Name of the upstream.
        downstream: Name of the head.
        train: Utterances that each unit is fitted on.
        records: Any.

    Returns:
        The median of seconds by utterance of train over the records of the same upstream and head, else of the head on
        any upstream; None where there is none.
    """
    if not train:
        return Estimate(0.0, "nothing is to be fitted")
    of_head = [
        one for one in records if one.downstream.name == downstream and one.cost.fit_s is not None and one.counts.train
    ]
    same = [one for one in of_head if one.upstream.name == upstream]
    known = same or of_head
    if not known:
        return Estimate(None, f"no record of {downstream}: how long it is fitted is not known")
    each = median((one.cost.fit_s or 0.0) / one.counts.train for one in known)
    whose = f"{upstream} + {downstream}" if same else f"{downstream} on other upstreams"
    rests_on = f"{each:.3g} s for each utterance of train, by {count(len(known), 'record')} of {whose}"
    return Estimate(each * sum(train), rests_on)
