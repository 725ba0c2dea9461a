"""Padding never changes what is pooled."""

from __future__ import annotations

import numpy as np
import torch

from downstreams.modules.drawing import build
from downstreams.modules.pooling import AttentiveStatistics, last_frame, masked_mean

LENGTHS = (3, 7, 1)
ARRAYS = [np.random.default_rng(n).normal(size=(n, 4)).astype(np.float32) for n in LENGTHS]


def padded(filler: float) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.full((3, 7, 4), filler)
    for place, array in enumerate(ARRAYS):
        x[place, : len(array)] = torch.from_numpy(array)
    return x, torch.arange(7) < torch.tensor(LENGTHS).unsqueeze(1)


def test_the_mean_is_that_of_the_frames_alone_whatever_stands_after_them() -> None:
    expected = np.stack([array.mean(axis=0) for array in ARRAYS])
    for filler in (0.0, 1e9, float("nan")):
        np.testing.assert_allclose(masked_mean(*padded(filler)).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_no_gradient_reaches_the_padding() -> None:
    x, mask = padded(float("nan"))
    x.requires_grad_()
    masked_mean(x, mask).sum().backward()
    assert not x.grad[~mask].any()


def test_the_last_frame() -> None:
    np.testing.assert_array_equal(last_frame(*padded(5.0)).numpy(), np.stack([array[-1] for array in ARRAYS]))


def test_attentive_statistics_are_weighted_by_a_softmax_over_the_frames_that_are_there() -> None:
    module = build(lambda: AttentiveStatistics(4), "torch", np.random.default_rng(0))
    weight, bias = (value.detach().double().numpy() for value in module.hidden.parameters())
    attention = module.attention.detach().double().numpy()
    found = module(*padded(7.0)).detach().numpy()
    for row, array in enumerate(ARRAYS):
        scores = np.tanh(array @ weight.T + bias) @ attention
        weights = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
        mean = weights @ array
        deviation = np.sqrt(np.maximum(weights @ (array - mean) ** 2, 1e-5))
        np.testing.assert_allclose(found[row], [*mean, *deviation], rtol=1e-3, atol=1e-5)


def test_a_single_frame_has_a_finite_gradient() -> None:
    module = build(lambda: AttentiveStatistics(4), "torch", np.random.default_rng(0))
    x = torch.ones(1, 1, 4, requires_grad=True)
    module(x, torch.ones(1, 1, dtype=torch.bool)).sum().backward()
    assert torch.isfinite(x.grad).all()
