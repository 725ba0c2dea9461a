"""The teacher: a moving average of the student's encoder, which hears everything and drops nothing."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from upstreams.pretraining.losses import average
from upstreams.pretraining.network import Encoder
from upstreams.pretraining.recipe import PretrainingRecipe

# Shared with the student: section 3.4 of the paper, and ema_local_encoder false of the template.
SHARED = ("convolutions", "projection_norm", "projection")


class Teacher:
    """Gives targets.

    Args:
        encoder: The student's, copied as it is.
        recipe: What targets are.
    """

    def __init__(self, encoder: Encoder, recipe: PretrainingRecipe) -> None:
        self._targets, self._utterance = recipe.targets, recipe.utterance_loss
        self.encoder = copy.deepcopy(encoder).eval().requires_grad_(requires_grad=False)
        for name in SHARED:
            delattr(self.encoder, name)

    @torch.no_grad()
    def targets(self, local: Tensor) -> tuple[Tensor, Tensor]:
        """Targets of what the student's front end gives, (B, T, D).

        Returns:
            Of frames (B, T, D) float32, and of utterances (B, D) float32.
        """
        model = self.encoder.model
        inner = self.encoder.contextual(local)
        outputs = inner.inner if self._targets.of == "feed-forward" else inner.hidden[1:]
        chosen = [one[:, model.tokens :] for one in outputs[model.prenet :]][-self._targets.blocks :]
        frames = average(chosen, self._targets.normalisation)
        whole = frames if self._utterance.target == "normalised" else average(chosen, "none")
        return frames, whole.mean(dim=1)

    @torch.no_grad()
    def follow(self, student: Encoder, kept: float) -> None:
        """Move towards the student: equation 10.

        Args:
            student: After a step.
            kept: The share of the teacher.
        """
        weights = dict(student.named_parameters())
        for name, weight in self.encoder.named_parameters():
            weight.mul_(kept).add_(weights[name], alpha=1 - kept)
