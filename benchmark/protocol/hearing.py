"""Listening to a whole task before anything is encoded: every problem is found at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from benchmark.data.listening import Heard, hear
from benchmark.errors import BenchError
from benchmark.io.settings import Settings
from benchmark.protocol.dataset import Dataset
from benchmark.protocol.members import LISTED_PROBLEMS


def listen(
    dataset: Dataset, settings: Settings, min_durations: Mapping[str, float], advance: Callable[[int], None]
) -> dict[str, Heard]:
    """Decode every utterance of a task once, so that every problem is known before anything is encoded.

    Args:
        dataset: The task's utterances.
        settings: Where the cache is.
        min_durations: Shortest duration that each upstream accepts [s].
        advance: Called with the number of utterances just finished.

    Returns:
        For each utterance id its digest and duration.

    Raises:
        BenchError: Files are missing, unreadable, empty, silent, hold NaN, or are too short. All are looked for; the
            message counts the utterances, and names the first `LISTED_PROBLEMS` of them with what is wrong.
    """
    heard: dict[str, Heard] = {}
    problems: list[str] = []  # one for each unusable utterance
    short: list[str] = []  # one for each that an upstream does not accept
    for root, utterances in dataset.by_root.items():
        found, unusable = hear(root, utterances, dataset.task.audio.max_duration, settings, advance)
        heard.update(found)
        problems += unusable.values()
        for utterance in utterances:
            duration = found[utterance.id].duration if utterance.id in found else math.inf
            too_short = {name: shortest for name, shortest in min_durations.items() if duration < shortest}
            if too_short:
                short.append(f"{utterance.file}: {duration:.3f} s is too short for {_upstreams(too_short)}")
    remedy = "repair or replace the files" if problems else "use another upstream, or exclude them in a protocol"
    problems += short
    if problems:
        shown = "; ".join(problems[:LISTED_PROBLEMS])
        more = f"; and {len(problems) - LISTED_PROBLEMS} more" if len(problems) > LISTED_PROBLEMS else ""
        raise BenchError(
            f"{len(problems)} of {len(dataset.recordings)} utterances of {dataset.corpus_name!r} are unusable: "
            f"{shown}{more}",
            f"nothing is dropped: {remedy}",
        )
    return heard


def _upstreams(too_short: Mapping[str, float]) -> str:
    """Upstreams with the shortest duration that each takes."""
    names = [f"{name!r} ({shortest:.3f} s)" for name, shortest in too_short.items()]
    if len(names) == 1:
        return f"the upstream {names[0]}"
    return f"the upstreams {', '.join(names[:-1])} and {names[-1]}"
