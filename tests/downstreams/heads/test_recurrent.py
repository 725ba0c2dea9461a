"""A GRU over frames, with a convolution over time or without, and auxiliary classes beside dimensions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.contracts.toys import toy
from benchmark.metrics import score
from benchmark.registry.registry import Registry
from benchmark.types import Examples
from downstreams.heads.recurrent import RecurrentModule
from downstreams.modules.drawing import build
from downstreams.modules.interface import Shape
from downstreams.training.frames import padded

ARRAYS = [np.random.default_rng(n).normal(size=(1, n, 5)).astype(np.float32) for n in (4, 9, 1)]


def module_of(name: str, auxiliary: int = 0) -> RecurrentModule:
    params = Registry().downstream(name).params.model_copy(update={"hidden": 6, "embedding": 4})
    made = build(lambda: RecurrentModule(Shape(1, 5, (5,), 2, auxiliary), params), "torch", np.random.default_rng(0))
    assert isinstance(made, RecurrentModule)
    return made.eval()


@pytest.mark.parametrize("name", ["gru", "tcgru"])
def test_an_utterance_alone_goes_through_torchs_layers(name: str) -> None:
    module = module_of(name, auxiliary=3)
    batch = padded(ARRAYS, np.arange(3), "cpu")
    together = module(batch.x, batch.mask)
    for row, array in enumerate(ARRAYS):
        frames = torch.from_numpy(array)  # a batch of one
        if name == "tcgru":
            frames = torch.cat([torch.relu(module.convolution(frames.mT)).mT, frames], dim=-1)
        embedding = torch.relu(module.embedding(module.gru(frames)[1][-1, 0]))
        for found, expected in (
            (together.scores, module.output(embedding)),
            (together.auxiliary, module.auxiliary(embedding)),
            (together.embedding, embedding),
        ):
            torch.testing.assert_close(found[row], expected, rtol=1e-4, atol=1e-5)


def test_the_convolution_sees_three_frames_and_has_a_filter_for_each_input() -> None:
    module = module_of("tcgru")
    assert module.convolution.weight.shape == (5, 5, 3)
    assert module.gru.input_size == 10
    assert (module.gru.num_layers, module.gru.hidden_size) == (2, 6)
    frames = np.float64(ARRAYS[1][0])
    weight = module.convolution.weight.detach().double().numpy()
    bias = module.convolution.bias.detach().double().numpy()
    around = np.concatenate([np.zeros((1, 5)), frames, np.zeros((1, 5))])
    expected = [np.einsum("oik,ki->o", weight, around[t : t + 3]) + bias for t in range(9)]
    found = module.convolution(torch.from_numpy(ARRAYS[1]).mT)[0].T.detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def dimensional(n: int, seed: int, noise: float, auxiliary: bool) -> Examples:
    """Two dimensions with noise of a known share: no prediction reaches a CCC beyond `attainable`."""
    data = toy("frames", utterances=n, speakers=3, seed=seed)
    random = np.random.default_rng(seed)
    latent = random.normal(size=(n, 2))
    x = tuple(
        np.float32(np.concatenate([np.repeat(z[np.newaxis, np.newaxis], t, axis=1), np.zeros((1, t, 2))], axis=-1)
                   + 0.3 * random.normal(size=(1, t, 4)))
        for z, t in zip(latent, random.integers(5, 20, n), strict=True)
    )  # fmt: skip
    y = np.float32(4 + latent + noise * random.normal(size=(n, 2)))
    more = {"auxiliary": np.where(latent[:, 0] > 0, 1, -1), "auxiliary_outputs": ("low", "high")} if auxiliary else {}
    return replace(data, x=x, y=y, outputs=("arousal", "valence"), kind="regression", metric="ccc", **more)


@pytest.mark.parametrize(("name", "auxiliary"), [("gru", False), ("tcgru", True)])
def test_dimensions_reach_what_is_attainable(name: str, auxiliary: bool) -> None:
    """With signal of variance 1 and label noise of variance s, no predictor has a CCC above 1 / sqrt(1 + s)."""
    noise = 0.75
    attainable = 1 / np.sqrt(1 + noise**2)  # the correlation of the best prediction, scaled to the variance of truth
    changes = ["downstream.hidden=16", "downstream.embedding=16", "downstream.maximum=25"]
    head = Registry(changes=[*changes, "downstream.optimiser.learning_rate=0.003"]).downstream(name)
    head.fit(dimensional(300, 0, noise, auxiliary), dimensional(100, 1, noise, auxiliary), seed=0)
    test = dimensional(200, 2, noise, auxiliary)
    reached = score("ccc", test.y, head.predict(replace(test, y=None, auxiliary=None)))
    assert attainable - 0.15 < reached < attainable + 0.05


def test_auxiliary_classes_are_learnt_where_a_task_has_them() -> None:
    head = Registry(changes=["downstream.maximum=2"]).downstream("gru")
    head.fit(dimensional(40, 0, 0.1, True), dimensional(20, 1, 0.1, True), seed=0)
    test = replace(dimensional(20, 2, 0.1, True), y=None, auxiliary=None)
    assert head.outputs(test).auxiliary.shape == (20, 2)
    plain = Registry(changes=["downstream.maximum=2", "downstream.auxiliary=0"]).downstream("gru")
    plain.fit(dimensional(40, 0, 0.1, True), dimensional(20, 1, 0.1, True), seed=0)
    assert plain.outputs(test).auxiliary is None
