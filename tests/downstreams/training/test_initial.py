"""Initial values and orders are the same everywhere."""

from __future__ import annotations

import numpy as np
import torch

from downstreams.training.initial import generator_of, linear, uniform


def test_uniform_values_lie_in_their_bound_and_follow_the_seed() -> None:
    first, again, other = (uniform(generator_of(seed), 0.25, 40, 50) for seed in (3, 3, 4))
    assert first.dtype == torch.float64
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.abs().max() < 0.25
    assert abs(float(first.mean())) < 0.02
    assert abs(float(first.std()) - 0.25 / 3**0.5) < 0.01


def test_values_are_those_of_the_published_generator() -> None:
    """PCG64 of numpy, whose stream numpy promises to keep; see also the orders."""
    assert generator_of(0).random(2).tolist() == [0.6369616873214543, 0.2697867137638703]
    assert generator_of(0).permutation(6).tolist() == np.random.Generator(np.random.PCG64(0)).permutation(6).tolist()


def test_a_linear_layer_has_the_bounds_of_torch() -> None:
    weight, bias = linear(generator_of(0), 16, 200)
    assert weight.shape == (200, 16)
    assert bias.shape == (200,)
    assert 0.24 < weight.abs().max() < 0.25
    assert 0.24 < bias.abs().max() < 0.25
