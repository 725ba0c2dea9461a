"""The teacher follows, hears everything, and gives targets of the trunk alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_pretraining import tiny

from upstreams.pretraining.network import Encoder
from upstreams.pretraining.teacher import Teacher

RECIPE = tiny({"targets.blocks": 1})


def encoder() -> Encoder:
    torch.manual_seed(0)
    made = Encoder(RECIPE.model, RECIPE.dropout)
    for weight in made.parameters():
        weight.data += 0.1 * torch.randn_like(weight)
    return made


def test_it_moves_towards_the_student_by_what_it_does_not_keep() -> None:
    student = encoder()
    teacher = Teacher(student, RECIPE)
    before = {name: weight.clone() for name, weight in teacher.encoder.named_parameters()}
    for weight in student.parameters():
        weight.data += 1
    teacher.follow(student, 0.9)
    now = dict(student.named_parameters())
    for name, weight in teacher.encoder.named_parameters():
        expected = 0.9 * before[name].numpy() + 0.1 * now[name].detach().numpy()
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert not any(name.startswith(("convolutions", "projection")) for name in before)
    assert not any(weight.requires_grad for weight in teacher.encoder.parameters())


@pytest.mark.parametrize("of", ["feed-forward", "block"])
def test_targets_are_of_the_last_block_without_tokens_and_without_dropout(of: str) -> None:
    student = encoder()
    recipe = tiny({"targets.blocks": 1, "targets.of": of, "utterance_loss.target": "plain"})
    local = torch.randn(2, 11, RECIPE.model.dim)
    frames, whole = Teacher(student, recipe).targets(local)
    with torch.no_grad():
        states = student.eval().contextual(local)
    plain = (states.inner if of == "feed-forward" else states.hidden)[-1][:, 3:].numpy().astype(np.float64)
    normal = (plain - plain.mean(axis=1, keepdims=True)) / np.sqrt(plain.var(axis=1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(frames.numpy(), normal, atol=1e-4)
    np.testing.assert_allclose(whole.numpy(), plain.mean(axis=1), atol=1e-5)


def test_the_utterance_target_of_normalised_frames_is_zero() -> None:
    recipe = tiny({"utterance_loss.target": "normalised"})
    _, whole = Teacher(encoder(), recipe).targets(torch.randn(2, 11, RECIPE.model.dim))
    assert float(whole.abs().max()) < 1e-5
