"""Micro-batches: every recording once in an epoch, of like length, and the same wherever they are asked for."""

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
        micro_batches = [made.micro_batch(number * made.in_an_epoch + place) for place in range(made.in_an_epoch)]
        assert sorted(one for micro_batch in micro_batches for one in micro_batch.recordings) == list(range(60))
        assert {micro_batch.epoch for micro_batch in micro_batches} == {number}
    assert made.micro_batch(0).recordings != made.micro_batch(made.in_an_epoch).recordings


def test_a_micro_batch_is_no_larger_than_its_tokens_and_of_like_length() -> None:
    made = deal()
    longest = round(0.6 * RATE)
    spreads = []
    for number in range(made.in_an_epoch):
        samples = [min(longest, round(DURATIONS[one] * RATE)) for one in made.micro_batch(number).recordings]
        assert max(samples) * len(samples) <= 20_000
        spreads.append(max(samples) - min(samples))
    assert np.mean(spreads) < 0.05 * RATE


def test_processes_share_the_micro_batches_of_a_step() -> None:
    made = deal(**{"batch.micro_batches": 6})
    whole = [micro_batch.number for micro_batch in made.step(3)]
    assert whole == list(range(18, 24))
    shared = [micro_batch.number for rank in range(3) for micro_batch in made.step(3, rank, 3)]
    assert sorted(shared) == whole
    assert len(made.step(3, 1, 3)) == 2


def test_the_seed_decides_on_the_order() -> None:
    one, same, other = deal(), deal(), deal(seed=2)
    micro_batches = [[made.micro_batch(number).recordings for number in range(8)] for made in (one, same, other)]
    assert micro_batches[0] == micro_batches[1] != micro_batches[2]


def test_what_is_drawn_for_one_purpose_is_not_drawn_for_another() -> None:
    found = {int(generator(1, what, number).integers(2**60)) for what in Drawn for number in range(3)}
    assert len(found) == 3 * len(Drawn)
