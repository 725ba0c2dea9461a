"""One micro-batch: the losses that it gives, and what of the model each of them reaches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from tiny_pretraining import ABLATIONS, tiny

from upstreams.pretraining.masking import draw_masks
from upstreams.pretraining.student import Outcome, Student, utterance_embedding
from upstreams.pretraining.teacher import Teacher

SILENT = {f"dropout.{name}": 0.0 for name in ("attention", "residual", "feed_forward", "prenet", "decoder", "blocks")}


def one(changes: dict[str, Any], seed: int = 0) -> tuple[Student, Outcome, torch.Tensor]:
    """A student, what a micro-batch of two utterances gives, and its masks."""
    recipe = tiny({**SILENT, **changes})
    torch.manual_seed(seed)
    student = Student(recipe)
    rows = 2 * recipe.masking.copies
    frames = recipe.model.frames(6000)
    masks = torch.from_numpy(draw_masks(rows, frames, recipe.masking, np.random.default_rng(0)))
    outcome = student(torch.randn(2, 6000), masks, Teacher(student.encoder, recipe))
    return student, outcome, masks


def test_the_loss_is_what_the_formula_makes_of_predictions_and_targets() -> None:
    student, outcome, masks = one({"utterance_loss.weight": 0.5, "utterance_loss.target": "plain"})
    kept: dict[str, torch.Tensor] = {}
    student.decoder.register_forward_hook(lambda _, __, output: kept.update(predicted=output.detach()))
    recipe = student.recipe
    teacher = Teacher(student.encoder, recipe)
    waves = torch.randn(2, 6000)
    torch.manual_seed(3)
    outcome = student(waves, masks, teacher)
    with torch.no_grad():
        local = student.encoder.local(waves)
        targets, whole = teacher.targets(local)
        hidden = local.repeat_interleave(2, 0) * ~masks[..., None]
        places = torch.stack([torch.nonzero(~mask)[:, 0] for mask in masks])
        tokens = student.encoder.contextual(hidden, places).hidden[-1][:, :3]
    truth = targets.repeat_interleave(2, 0).numpy()
    difference = (kept["predicted"].numpy() - truth)[masks.numpy()]
    frame = (difference**2).sum() / math.sqrt(24)
    whole_difference = tokens.mean(dim=1).numpy() - whole.repeat_interleave(2, 0).numpy()
    utterance = (whole_difference**2).sum() / math.sqrt(24)
    masked = int(masks.sum())
    assert (outcome.masked, outcome.utterances) == (masked, 4)
    assert float(outcome.frame_loss) == pytest.approx(frame, rel=1e-4)
    assert float(outcome.utterance_loss) == pytest.approx(utterance, rel=1e-4)
    assert float(outcome.loss.detach()) == pytest.approx(
        frame + 0.5 * masked * utterance / 4, rel=1e-4
    )  # small: a mean
    np.testing.assert_allclose(outcome.targets[0].numpy(), truth[masks.numpy()].sum(axis=0), atol=1e-3)
    np.testing.assert_allclose(outcome.targets[1].numpy(), (truth[masks.numpy()] ** 2).sum(axis=0), rtol=1e-3)


def test_kept_frames_come_back_to_their_places_before_the_decoder() -> None:
    student, _, masks = one({"masking.noise": 0.0})
    seen: dict[str, torch.Tensor] = {}
    student.decoder.register_forward_hook(lambda _, inputs, __: seen.update(given=inputs[0].detach()))
    student(torch.randn(2, 6000), masks, Teacher(student.encoder, student.recipe))
    silent = (seen["given"] == 0).all(dim=-1)
    assert torch.equal(silent, masks)


def test_what_stands_for_an_utterance() -> None:
    hidden = torch.randn(2, 3 + 5, 4)

    def found(method: str) -> np.ndarray:
        return utterance_embedding(hidden, 3, tiny({"utterance_loss.method": method}).utterance_loss).numpy()

    np.testing.assert_allclose(found("token"), hidden[:, 2].numpy())
    np.testing.assert_allclose(found("chunk"), hidden[:, :3].numpy().mean(axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found("global"), hidden[:, 3:].numpy().mean(axis=1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_weight_of_an_ablation_learns(name: str) -> None:
    student, outcome, _ = one({**ABLATIONS[name], "start": "cold"})
    outcome.loss.backward()
    still = {key for key, weight in student.named_parameters() if weight.grad is None or not weight.grad.abs().max()}
    # Keys of a softmax may be moved together: their biases change nothing.
    assert still <= set(), name
    has = ABLATIONS[name].get("frame_loss.weight") != 0.0
    assert (student.decoder is not None) == has
    assert (float(outcome.frame_loss) > 0) == has
    assert (float(outcome.utterance_loss) > 0) == (ABLATIONS[name].get("utterance_loss.weight") != 0.0)


def test_copies_are_masked_apart_and_share_their_targets() -> None:
    _, outcome, masks = one({"masking.copies": 3})
    assert len(masks) == outcome.utterances == 6
    assert not torch.equal(masks[0], masks[1])
