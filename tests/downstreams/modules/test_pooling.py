"""Padding never changes what is pooled."""

from __future__ import annotations

import numpy as np
import torch

from downstreams.modules.pooling import last_frame, masked_mean

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
