"""What the student is told, in formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from torch import Tensor
from torch.nn import functional

EPSILON = 1e-5  # of the instance normalisation, torch's default


def average(outputs: Sequence[Tensor], normalisation: Literal["instance", "none"]) -> Tensor:
    """The targets: the mean over blocks, each normalised over time.

    Equation 3 of the paper, as the code has it (facebookresearch/fairseq, examples/data2vec/models/data2vec2.py,
    make_targets).

    Args:
        outputs: Of the upper blocks of the trunk, each (B, T, D), without tokens.
        normalisation: Of each, as in a recipe.

    Returns:
        (B, T, D) float32.
    """
    chosen = [output.float() for output in outputs]
    if normalisation == "instance":
        chosen = [functional.instance_norm(one.transpose(1, 2), eps=EPSILON).transpose(1, 2) for one in chosen]
    total = chosen[0]
    for one in chosen[1:]:
        total = total + one
    return total / len(chosen)


def distance(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared differences, summed over dimensions and divided by the root of their number, of each row.

    Args:
        prediction: (n, D).
        target: (n, D) float32.

    Returns:
        (n,) float32.
    """
    return (prediction.float() - target).square().sum(dim=-1) / math.sqrt(target.shape[-1])


def step_loss(frames: Tensor, utterances: Tensor, masked: int, weights: tuple[float, float], over: str) -> Tensor:
    """What a micro-batch adds to the loss of a step, before division by the masked frames of the whole step.

    Equation 9, as the code has it: the sum over masked frames, and alpha times the utterances' sum (or mean) times the
    masked frames of the micro-batch. So a step's frame loss is a mean over all its masked frames, and its utterance
    loss a mean over its micro-batches, each weighed by its masked frames.

    Args:
        frames: (n,) distances of masked frames.
        utterances: (m,) distances of utterances and copies.
        masked: n.
        weights: Of frames, and alpha.
        over: "sum" or "mean" of the utterances.
    """
    whole = utterances.sum() if over == "sum" else utterances.mean()
    return weights[0] * frames.sum() + weights[1] * masked * whole


def deviation(count: Tensor, total: Tensor, squares: Tensor) -> float:
    """Standard deviation over rows, averaged over dimensions: what falls to 0 where a model collapses.

    Args:
        count: Rows.
        total: (D,) sum of rows.
        squares: (D,) sum of their squares.
    """
    variance = (squares - total.square() / count) / (count - 1).clamp_min(1)
    return float((variance.clamp_min(0) + 1e-6).sqrt().mean())
