"""Dialogues as turns: what was said before an utterance."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby, pairwise

from benchmark.errors import BenchError
from benchmark.types import Turns, Utterance


def preceding_turns(utterances: Sequence[Utterance], turns: int) -> dict[str, Turns]:
    """The turns before every utterance that opens a turn and has enough of them before it.

    A turn is what one speaker says until another speaks.

    Args:
        utterances: All of a corpus, in any order; `extra` holds the `dialogue` of each and its number in it (`turn`).
        turns: How many turns there must be.

    Returns:
        By utterance id the utterance ids of the `turns` turns before it, the oldest turn first.

    Raises:
        BenchError: An utterance has no dialogue, number or speaker, or two have the same number.
    """
    dialogues: dict[str, list[tuple[float, Utterance]]] = defaultdict(list)
    for utterance in utterances:
        dialogue, number = utterance.extra.get("dialogue"), utterance.extra.get("turn")
        position = _number(number)
        if dialogue is None or position is None or utterance.speaker is None:
            raise BenchError(
                f"utterance {utterance.id!r} has no place in a dialogue (dialogue {dialogue!r}, turn {number!r}, "
                f"speaker {utterance.speaker!r})",
                "a task with context needs a corpus of dialogues",
            )
        dialogues[str(dialogue)].append((position, utterance))
    found: dict[str, Turns] = {}
    for name, said in dialogues.items():
        said.sort(key=lambda pair: (pair[0], pair[1].id))
        for (one, first), (other, second) in pairwise(said):
            if one == other:
                raise BenchError(f"utterances {first.id!r} and {second.id!r} are both number {one:g} of {name!r}")
        by_turn = [
            tuple(utterance.id for _, utterance in turn) for _, turn in groupby(said, key=lambda pair: pair[1].speaker)
        ]
        for position in range(turns, len(by_turn)):
            found[by_turn[position][0]] = tuple(by_turn[position - turns : position])
    return found


def _number(value: str | float | None) -> float | None:
    try:
        return None if value is None or not math.isfinite(float(value)) else float(value)
    except ValueError:
        return None
