"""SUPERB's emotion recognition head, trained exactly from per-layer means.

The head is a softmax-weighted sum of layers, a linear projection of every frame, the mean over frames and a linear
output layer. Nothing in it is non-linear before the mean, so the mean over time can be taken first: outputs, losses and
gradients are the same, and so is all of training. Source: Yang et al., "SUPERB: Speech processing Universal PERformance
Benchmark" (Interspeech 2021); s3prl/downstream/emotion and s3prl/upstream/interfaces.py (Featurizer).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from benchmark.base import HeadParams
from downstreams.params.superb import SuperbParams
from downstreams.training import gradients
from downstreams.training.gradients import Gradients
from downstreams.training.initial import linear
from downstreams.training.losses import Loss
from downstreams.training.stacked import Trained


def initial_parameters(
    layers: int, dim: int, hidden: int, outputs: int, generator: np.random.Generator
) -> list[Tensor]:
    """Draw one head: layer weights zero, both linear layers as `torch.nn.Linear` initialises itself.

    Args:
        layers: L.
        dim: D.
        hidden: H.
        outputs: K.
        generator: Draws.

    Returns:
        Float64 on the CPU: layer weights before their softmax (L,), projection (H, D) and bias (H,), output layer
        (K, H) and bias (K,).
    """
    weights = torch.zeros(layers, dtype=torch.float64, device="cpu")
    return [weights, *linear(generator, dim, hidden), *linear(generator, hidden, outputs)]


def forward(parameters: Sequence[Tensor], x: Tensor) -> Tensor:
    """Outputs of stacked heads from per-layer means.

    The two linear layers are multiplied first: there are far fewer outputs than utterances or hidden values, so this
    order of the same products is several times cheaper, and its gradients even more so.

    Args:
        parameters: As `initial_parameters` returns, each with a leading axis of M members.
        x: (L, n, D).

    Returns:
        (M, n, K) logits or values.
    """
    layer_weights, projection, projection_bias, output, output_bias = parameters
    layers, n, dim = x.shape
    pooled = (torch.softmax(layer_weights, dim=-1) @ x.reshape(layers, n * dim)).view(-1, n, dim)
    bias = output @ projection_bias.unsqueeze(-1) + output_bias.unsqueeze(-1)
    # (M, K, n), transposed last: the gradient of the product then comes out contiguous, twice as fast
    return torch.baddbmm(bias, output @ projection, pooled.mT).mT


class Superb(Trained):
    """SUPERB's head: weighted layer sum, linear, mean over time, linear; selected on dev or inner folds."""

    name = "superb"
    version = 2
    Params: ClassVar[type[HeadParams]] = SuperbParams
    params: SuperbParams

    def _initial_parameters(self, layers: int, dim: int, outputs: int, generator: np.random.Generator) -> list[Tensor]:
        return initial_parameters(layers, dim, self.params.hidden, outputs, generator)

    def _forward(self, parameters: Sequence[Tensor], x: Tensor) -> Tensor:
        return forward(parameters, x)

    def _gradients(self, loss: Loss) -> Gradients:
        return gradients.Superb(loss)
