"""Parts: every recording once in an epoch, of like length, and the same wherever they are asked for."""

from __future__ import annotations

import numpy as np
from tiny_pretraining import tiny

from upstreams.pretraining.dealing import Deal, Drawn, generator
from upstreams.pretraining.recipe import RATE

DURATIONS = list(np.random.default_rng(0).uniform(0.3, 0.9, 60).round(2))


def deal(**changes: object) -> Deal:
    return Deal(DURATIONS, tiny(changes))


def test_an_epoch_has_every_recording_once() -> None:
    made = deal()
    for number in (0, 1):
        parts = [made.part(number * made.parts_of_an_epoch + place) for place in range(made.parts_of_an_epoch)]
        assert sorted(one for part in parts for one in part.recordings) == list(range(60))
        assert {part.epoch for part in parts} == {number}
    assert made.part(0).recordings != made.part(made.parts_of_an_epoch).recordings


def test_a_part_is_no_larger_than_its_tokens_and_of_like_length() -> None:
    made = deal()
    longest = round(0.6 * RATE)
    spreads = []
    for number in range(made.parts_of_an_epoch):
        samples = [min(longest, round(DURATIONS[one] * RATE)) for one in made.part(number).recordings]
        assert max(samples) * len(samples) <= 20_000
        spreads.append(max(samples) - min(samples))
    assert np.mean(spreads) < 0.05 * RATE


def test_processes_share_the_parts_of_a_step() -> None:
    made = deal(**{"batch.parts": 6})
    whole = [part.number for part in made.step(3)]
    assert whole == list(range(18, 24))
    shared = [part.number for rank in range(3) for part in made.step(3, rank, 3)]
    assert sorted(shared) == whole
    assert len(made.step(3, 1, 3)) == 2


def test_the_seed_decides_on_the_order() -> None:
    one, same, other = deal(), deal(), deal(seed=2)
    parts = [[made.part(number).recordings for number in range(8)] for made in (one, same, other)]
    assert parts[0] == parts[1] != parts[2]


def test_what_is_drawn_for_one_purpose_is_not_drawn_for_another() -> None:
    found = {int(generator(1, what, number).integers(2**60)) for what in Drawn for number in range(3)}
    assert len(found) == 3 * len(Drawn)
