"""Examples for heads: three classes, or one dimension, hidden in a few layers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmark.types import Examples

Make = Callable[..., Examples]


def make(
    n: int = 60,
    *,
    seed: int = 0,
    layers: int = 3,
    dim: int = 6,
    classes: int = 3,
    separation: float = 0.6,
    speakers: int = 6,
    informative: int | None = None,
) -> Examples:
    """Classes in turn, each around a centre that is the same for every seed; in one layer alone if `informative`."""
    centres = np.random.default_rng(99).normal(size=(classes, layers, dim)) * separation
    if informative is not None:
        centres[:, [layer for layer in range(layers) if layer != informative]] = 0
    random = np.random.default_rng(seed)
    y = np.arange(n) % classes
    x = (centres[y] + random.normal(size=(n, layers, dim))).astype(np.float32)
    return Examples(
        ids=tuple(f"{seed}-{i}" for i in range(n)),
        x=x,
        y=y.astype(np.int64),
        speakers=tuple(f"{seed}-s{i // classes % speakers}" for i in range(n)),
        outputs=tuple("abcdefgh"[:classes]),
        kind="classification",
        metric="uar",
    )


def make_values(n: int = 60, *, seed: int = 0, layers: int = 2, dim: int = 5, dimensions: int = 2) -> Examples:
    """Values that are linear in the features of the last layer, with noise, on a scale from about 1 to 7."""
    weights = np.random.default_rng(98).normal(size=(dim, dimensions))
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, layers, dim)).astype(np.float32)
    y = 4 + x[:, -1] @ weights / dim**0.5 + 0.1 * random.normal(size=(n, dimensions))
    return Examples(
        ids=tuple(f"{seed}-{i}" for i in range(n)),
        x=x,
        y=y.astype(np.float32),
        speakers=tuple(f"{seed}-s{i % 6}" for i in range(n)),
        outputs=tuple(f"dimension{i}" for i in range(dimensions)),
        kind="regression",
        metric="ccc",
    )


@pytest.fixture
def examples() -> Make:
    """Make classes."""
    return make


@pytest.fixture
def value_examples() -> Make:
    """Make values."""
    return make_values
