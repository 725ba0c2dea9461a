"""The dense head beside low-level descriptors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmark.contracts.toys import select, toy
from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.registry.registry import Registry
from benchmark.types import Examples
from downstreams.heads.dense import DenseModule
from downstreams.modules.drawing import build
from downstreams.modules.interface import Shape
from downstreams.training.frames import padded

REGISTRY = Registry()
ARRAYS = [np.random.default_rng(n).normal(size=(3, n, 6)).astype(np.float32) for n in (4, 9, 1)]
PARTS = (("a", 5), ("egemaps-lld", 3))


def joined(n: int, seed: int) -> Examples:
    """Classes that stand in the low-level descriptors alone, which are one layer beside each of three."""
    data = toy("frames", utterances=n, speakers=3, seed=seed)
    random = np.random.default_rng(seed)
    x = []
    for features in data.x:
        noise = random.normal(size=(3, features.shape[1], 5))
        x.append(np.float32(np.concatenate([noise, np.repeat(features[:1, :, :3], 3, axis=0)], axis=-1)))
    return replace(data, x=tuple(x), parts=PARTS)


def test_fusion_sums_the_layers_of_the_first_part_alone_and_reads_the_second() -> None:
    params = REGISTRY.downstream("fusion").params.model_copy(update={"hidden": 4})
    module = build(lambda: DenseModule(Shape(3, 6, (4, 2), 2, 0), params), "keras", np.random.default_rng(0)).eval()
    assert [branch.in_features for branch in module.branches] == [4, 2]
    assert module.second.in_features == 8
    batch = padded(ARRAYS, np.arange(3), "cpu")
    before = module(batch.x, batch.mask).scores
    batch.x[:, 1:, :, 4:] = 9.0  # other layers of the single-layer part
    assert (module(batch.x, batch.mask).scores == before).all()
    batch.x[:, 0, :, 4:] = 9.0
    assert not (module(batch.x, batch.mask).scores == before).all()


def test_fusion_learns_from_the_descriptors() -> None:
    head = Registry(changes=["downstream.optimiser.learning_rate=0.005"]).downstream("fusion-global")
    head.fit(joined(90, 0), joined(45, 1), seed=0)
    test = joined(45, 2)
    assert score("uar", test.y, head.predict(select(test, list(range(45))))) > 0.8


def test_fusion_needs_two_parts() -> None:
    with pytest.raises(BenchError, match=r"of 1 upstream \(join two, as in --upstream A\+egemaps-lld\)"):
        REGISTRY.downstream("fusion").fit(replace(joined(9, 0), parts=()), joined(9, 1), seed=0)
