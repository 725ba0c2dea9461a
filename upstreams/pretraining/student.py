"""The student: an encoder that does not hear masked frames, and a decoder that predicts the teacher's."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from upstreams.pretraining.architecture import Decoder
from upstreams.pretraining.losses import distance, step_loss
from upstreams.pretraining.network import Encoder, SameConvolution
from upstreams.pretraining.recipe import PretrainingRecipe, UtteranceLoss
from upstreams.pretraining.teacher import Teacher


@dataclass
class Outcome:
    """What a micro-batch gives.

    Attributes:
        loss: As `step_loss`.
        masked: Masked frames of all copies.
        utterances: Utterances times copies.
        frame_loss: Sum over masked frames; 0 where there is no such loss.
        utterance_loss: Sum over utterances and copies; 0 where there is no such loss.
        targets: Sum of the masked frames' targets, and of their squares: (2, D).
        predictions: Likewise, of the student.
    """

    loss: Tensor
    masked: int
    utterances: int
    frame_loss: Tensor
    utterance_loss: Tensor
    targets: Tensor
    predictions: Tensor


class ConvolutionalDecoder(nn.Module):
    """Convolutions over frames, each added to what enters it where both are as wide, and a linear layer."""

    def __init__(self, dim: int, recipe: Decoder) -> None:
        super().__init__()
        widths = [dim, *[recipe.dim] * recipe.layers]
        self.layers = nn.ModuleList(
            SameConvolution(inputs, outputs, recipe.kernel, recipe.groups)
            for inputs, outputs in itertools.pairwise(widths)
        )
        self.projection = nn.Linear(recipe.dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """From (B, T, D) to (B, T, D)."""
        x = x.transpose(1, 2)
        for layer in self.layers:
            found = layer(x)
            x = found + x if found.shape[1] == x.shape[1] else found
        return self.projection(x.transpose(1, 2))  # type: ignore[no-any-return]


class Student(nn.Module):
    """What is trained.

    Args:
        recipe: Everything.
    """

    def __init__(self, recipe: PretrainingRecipe) -> None:
        super().__init__()
        model = recipe.model
        self.recipe = recipe
        self.encoder = Encoder(model, recipe.dropout)
        self.decoder: nn.Module | None = None
        if recipe.frame_loss.weight:
            self.decoder = (
                nn.Linear(model.dim, model.dim)
                if model.decoder is None
                else ConvolutionalDecoder(model.dim, model.decoder)
            )
        self.masked_vector: nn.Parameter | None = None
        if recipe.masking.masked == "replaced":
            self.masked_vector = nn.Parameter(torch.empty(model.dim).uniform_())
        self._decoder_dropout = nn.Dropout(recipe.dropout.decoder)

    def forward(self, waves: Tensor, masks: Tensor, teacher: Teacher) -> Outcome:
        """One micro-batch.

        Args:
            waves: (B, n), normalised.
            masks: (B x copies, T), True where a frame is masked, those of an utterance side by side.
            teacher: Hears all of it.
        """
        recipe = self.recipe
        local = self.encoder.local(waves)
        targets, whole = teacher.targets(local.detach())
        local = local.repeat_interleave(recipe.masking.copies, 0)
        every = targets.repeat_interleave(recipe.masking.copies, 0)
        kept = None
        if self.masked_vector is not None:
            local = torch.where(masks[..., None], self.masked_vector.to(local.dtype), local)
        else:
            local = local * ~masks[..., None]
            kept = masks.to(torch.uint8).argsort(dim=1, stable=True)[:, : int((~masks[0]).sum())]
        hidden = self.encoder.contextual(local, kept).hidden[-1]
        nothing = hidden.new_zeros((), dtype=torch.float32)
        frames, predictions = nothing[None], every.new_zeros(0, every.shape[-1])
        if self.decoder is not None:
            predictions = self._decoded(hidden, masks, kept)[masks].float()
            frames = distance(predictions, every[masks])
        utterances = nothing[None]
        if recipe.utterance_loss.weight:
            found = utterance_embedding(hidden, recipe.model.tokens, recipe.utterance_loss)
            utterances = distance(found, whole.repeat_interleave(recipe.masking.copies, 0))
        masked = int(masks.sum())
        weights = recipe.frame_loss.weight, recipe.utterance_loss.weight
        return Outcome(
            step_loss(frames, utterances, masked, weights, recipe.utterance_loss.over),
            masked,
            len(masks),
            frames.detach().sum(),
            utterances.detach().sum(),
            _moments(every[masks]),
            _moments(predictions.detach()),
        )

    def _decoded(self, hidden: Tensor, masks: Tensor, kept: Tensor | None) -> Tensor:
        """Predictions of all frames (B, T, D) of what leaves the encoder."""
        if self.decoder is None:
            raise AssertionError("a decoder is made where there is a loss on frames")
        hidden = hidden[:, self.recipe.model.tokens :]
        if kept is not None:
            hidden = self._decoder_dropout(hidden)
            noise = torch.randn(*masks.shape, hidden.shape[-1], device=hidden.device) * self.recipe.masking.noise
            whole = noise.to(hidden.dtype)
            hidden = whole.scatter(1, kept[..., None].expand(-1, -1, hidden.shape[-1]), hidden)
        found: Tensor = self.decoder(hidden)
        return found


def utterance_embedding(hidden: Tensor, tokens: int, recipe: UtteranceLoss) -> Tensor:
    """What stands for a whole utterance: equation 7 and figure 2 of the paper.

    Args:
        hidden: (B, N + T, D) with N tokens first.
        tokens: N.
        recipe: The method.

    Returns:
        (B, D).
    """
    if recipe.method == "token":
        return hidden[:, tokens - 1]
    return (hidden[:, :tokens] if recipe.method == "chunk" else hidden[:, tokens:]).mean(dim=1)


def _moments(rows: Tensor) -> Tensor:
    return torch.stack([rows.sum(dim=0), rows.square().sum(dim=0)])
