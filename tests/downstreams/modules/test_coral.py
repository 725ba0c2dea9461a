"""Correlation alignment against covariances of numpy, and what it is at its edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from downstreams.modules.coral import coral, covariance


def vectors(n: int, dim: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(2, 3, (n, dim))


@pytest.mark.parametrize(("n", "m", "dim"), [(5, 5, 3), (64, 40, 8), (3, 7, 20)])
def test_it_is_the_frobenius_norm_of_the_difference_of_sample_covariances(n: int, m: int, dim: int) -> None:
    source, target = vectors(n, dim, 0), vectors(m, dim, 1)
    difference = np.cov(source, rowvar=False) - np.cov(target, rowvar=False)
    expected = sum(value**2 for row in difference for value in row) ** 0.5
    assert float(coral(torch.tensor(source), torch.tensor(target))) == pytest.approx(expected, rel=1e-12)


def test_it_does_not_see_means() -> None:
    source, target = (torch.tensor(vectors(30, 4, seed)) for seed in (0, 1))
    assert float(coral(source + 100, target)) == pytest.approx(float(coral(source, target)))
    assert float(coral(source, source - 5)) == pytest.approx(0, abs=1e-12)


def test_it_grows_with_the_square_of_the_scale() -> None:
    source, target = (torch.tensor(vectors(30, 4, seed)) for seed in (0, 1))
    assert float(coral(3 * source, 3 * target)) == pytest.approx(9 * float(coral(source, target)))


def test_a_single_vector_has_no_covariance() -> None:
    assert (covariance(torch.ones(1, 3)) == 0).all()


def test_sets_that_are_alike_have_a_gradient_of_zero_and_not_none() -> None:
    source = torch.tensor(vectors(6, 3, 0), requires_grad=True)
    coral(source, source.detach().clone()).backward()
    assert source.grad is not None
    assert (source.grad == 0).all()


def test_the_gradient_is_that_of_differences() -> None:
    source, target = (torch.tensor(vectors(6, 3, seed), requires_grad=True) for seed in (0, 1))
    assert torch.autograd.gradcheck(coral, (source, target))
