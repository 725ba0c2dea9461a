"""The phonetic constraint against a formula written with loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from downstreams.modules.phonetic import phonetic_constraint, vowel_means


def batch(seed: int, batch: int = 4, frames: int = 9, width: int = 5, kinds: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(size=(batch, frames, width)), random.integers(-1, kinds, (batch, frames))


def by_hand(source: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray], margin: float) -> float:
    means = []
    for x, spoken in (source, target):
        kinds = sorted(set(spoken.ravel().tolist()) - {-1})
        means.append(
            {
                kind: np.mean([x[i, t] for i, t in np.ndindex(spoken.shape) if spoken[i, t] == kind], axis=0)
                for kind in kinds
            }
        )

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return 1 - float(a @ b) / float(np.sqrt(a @ a) * np.sqrt(b @ b))

    shared = sorted(set(means[0]) & set(means[1]))
    hinges = [
        max(0.0, margin + distance(means[0][v], means[1][v]) - distance(means[0][v], means[1][w]))
        for v, w in itertools.permutations(shared, 2)
    ]
    return float(np.mean(hinges)) if hinges else 0.0


def found(source, target, margin: float, kinds: int = 6) -> float:
    sides = [vowel_means(torch.tensor(x), torch.tensor(spoken), kinds) for x, spoken in (source, target)]
    return float(phonetic_constraint(sides[0], sides[1], margin))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("margin", [0.0, 0.2, 1.5])
def test_it_is_the_mean_hinge_of_all_pairs_of_shared_vowels(seed: int, margin: float) -> None:
    source, target = batch(seed), batch(seed + 100, batch=3, frames=6)
    assert found(source, target, margin) == pytest.approx(by_hand(source, target, margin), abs=1e-9)


def test_vowels_of_one_side_alone_do_not_count() -> None:
    source, target = batch(1), batch(2)
    without = target[0], np.where(target[1] == 2, -1, target[1])
    assert found(source, without, 0.2) == pytest.approx(by_hand(source, without, 0.2), abs=1e-9)


def test_sets_that_are_alike_and_apart_cost_nothing() -> None:
    x = np.eye(4)[None]
    spoken = np.arange(4)[None]
    assert found((x, spoken), (x, spoken), 0.2) == 0
    assert found((x, spoken), (x[:, [1, 0, 2, 3]], spoken), 0.2) > 0


def test_without_a_pair_it_is_zero_with_a_gradient() -> None:
    x = torch.randn(1, 3, 4, requires_grad=True)
    for spoken in ([[-1, -1, -1]], [[0, 0, -1]]):
        sides = [vowel_means(x, torch.tensor(spoken), 3)] * 2
        value = phonetic_constraint(sides[0], sides[1], 0.2)
        assert float(value.detach()) == 0
        (gradient,) = torch.autograd.grad(value, x)
        assert (gradient == 0).all()


def test_the_gradient_is_that_of_differences() -> None:
    x, spoken = batch(3)
    y, other = batch(4)
    leaves = tuple(torch.tensor(one, requires_grad=True) for one in (x, y))

    def value(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return phonetic_constraint(vowel_means(a, torch.tensor(spoken), 4), vowel_means(b, torch.tensor(other), 4), 1.5)

    assert torch.autograd.gradcheck(value, leaves)
