"""The encoder against formulas in numpy; tests of export and start hold it against other implementations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_pretraining import tiny

from upstreams.pretraining.network import Encoder, alibi_slopes

MODEL = tiny().model


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    made = Encoder(MODEL).eval()
    for weight in made.parameters():
        weight.data += 0.1 * torch.randn_like(weight)
    return made


def test_the_slopes_are_those_of_the_paper() -> None:
    np.testing.assert_allclose(alibi_slopes(8), 2.0 ** -np.arange(1, 9))
    twelve = [*2.0 ** -np.arange(1, 9), *2.0 ** -np.arange(0.5, 4, 1)]
    np.testing.assert_allclose(alibi_slopes(12), twelve)


def test_attention_falls_with_distance_in_time_and_not_to_tokens(encoder: Encoder) -> None:
    kept = torch.tensor([[0, 1, 5, 9], [2, 3, 4, 8]])
    with torch.no_grad():
        encoder.alibi_scale[0, 0, 1] = -1.0  # a scale below zero is none
        bias = encoder._bias(kept).numpy()
    scale = encoder.alibi_scale.detach().numpy()[0, 0, :, 0, 0].clip(0)
    expected = np.zeros((2, 3, 7, 7))
    for row, places in enumerate(kept.numpy()):
        distance = np.abs(places[:, None] - places)
        expected[row, :, 3:, 3:] = -distance * (np.array([2**-4, 2**-8, 2**-2]) * scale)[:, None, None]
    np.testing.assert_allclose(bias, expected, rtol=1e-6)
    assert (bias[:, 1] == 0).all()


def test_frames_that_are_removed_are_not_heard(encoder: Encoder) -> None:
    local = torch.randn(1, 12, MODEL.dim)
    kept = torch.tensor([[0, 2, 3, 7, 8, 11]])
    mask = torch.ones(1, 12, 1)
    mask[:, kept[0]] = 0
    other = torch.randn(1, 12, MODEL.dim)
    with torch.no_grad():
        one, two = (encoder.contextual((local + noise * mask) * (1 - mask), kept).hidden[-1] for noise in (0, other))
    assert one.shape == (1, 3 + 6, MODEL.dim)
    torch.testing.assert_close(one, two)


def test_states_are_one_more_than_blocks(encoder: Encoder) -> None:
    with torch.no_grad():
        states = encoder.contextual(encoder.local(torch.randn(2, 4000)))
    assert (len(states.hidden), len(states.inner)) == (4, 3)
    assert {state.shape for state in states.hidden} == {(2, 3 + MODEL.frames(4000), MODEL.dim)}


def test_blocks_are_left_out_in_training_alone(encoder: Encoder) -> None:
    dropped = Encoder(MODEL, tiny({"dropout.blocks": 0.9}).dropout)
    torch.manual_seed(0)
    with torch.no_grad():
        assert len(dropped.contextual(torch.randn(1, 9, MODEL.dim)).hidden) < 4
        assert len(dropped.eval().contextual(torch.randn(1, 9, MODEL.dim)).hidden) == 4
