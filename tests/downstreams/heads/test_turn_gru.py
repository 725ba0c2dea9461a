"""The GRU over turns: it is torch's GRU, it hears the order of turns, and it keeps the contract of a head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.contracts.toys import toy
from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.registry.registry import Registry
from downstreams.checks import turn_means
from downstreams.heads.turn_gru import forward, initial_parameters
from downstreams.training.initial import generator_of


def test_forward_is_a_gru_over_weighted_layers() -> None:
    layers, dim, hidden, outputs, turns, n = 3, 5, 7, 4, 6, 8
    own = initial_parameters(layers, dim, hidden, outputs, generator_of(3))
    own[0] = torch.tensor([0.5, -1.0, 0.2], dtype=torch.float64)
    x = torch.randn(turns, layers, n, dim, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    gru, linear = torch.nn.GRU(dim, hidden).double(), torch.nn.Linear(hidden, outputs).double()
    gru.load_state_dict(dict(zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), own[1:5], strict=True)))
    linear.load_state_dict({"weight": own[5], "bias": own[6]})
    pooled = (torch.softmax(own[0], dim=0).view(1, -1, 1, 1) * x).sum(dim=1)
    expected = linear(gru(pooled)[1][0])
    stacked = [tensor.unsqueeze(0) for tensor in own]
    torch.testing.assert_close(forward(stacked, x.reshape(-1, n, dim))[0], expected, rtol=1e-5, atol=1e-6)


def test_a_turn_is_the_mean_of_its_utterances() -> None:
    examples = toy("mean", utterances=4, speakers=2, seed=0, sequences=True)
    assert examples.turns is not None
    means = turn_means(examples, "train")
    assert means.shape == (4, 4, 3, 8)
    third = examples.x[2]
    np.testing.assert_allclose(means[2, 1], third[examples.turns[2] == 1].mean(axis=0), rtol=1e-6)


def test_the_order_of_turns_matters() -> None:
    """A class that only the last turn tells is learnt, and lost where the turns are turned round."""
    rng = np.random.default_rng(0)
    turns = tuple(np.arange(4) for _ in range(160))
    y = np.arange(160) % 2
    x = rng.normal(size=(160, 4, 1, 6)).astype(np.float32)
    x[:, 3, 0, 0] += 4 * y
    x[:, 0, 0, 0] += 4 * (1 - y)
    base = replace(
        toy("mean", utterances=160, speakers=4, seed=0, sequences=True),
        x=tuple(x), turns=turns, y=y.astype(np.int64), outputs=("a", "b"),
    )  # fmt: skip
    head = Registry().downstream("turn-gru")
    head.fit(base, base, seed=0)
    backwards = replace(base, x=tuple(one[::-1].copy() for one in base.x))
    assert score("uar", y, head.predict(replace(base, y=None))) > 0.95
    assert score("uar", y, head.predict(replace(backwards, y=None))) < 0.5


def test_examples_without_turns_or_with_odd_ones_are_refused() -> None:
    plain = toy("mean", utterances=6, speakers=2, seed=0)
    with pytest.raises(BenchError, match="train has no turns"):
        turn_means(plain, "train")
    good = toy("mean", utterances=6, speakers=2, seed=0, sequences=True)
    assert good.turns is not None
    gap = replace(good, turns=(*good.turns[:-1], np.zeros_like(good.turns[-1])))
    with pytest.raises(BenchError, match=r"'toy0-005' in dev has the turns \[0, 0, 0, 0, 0, 0\]"):
        turn_means(gap, "dev")
    with pytest.raises(BenchError, match=r"'toy0-000' in test have shape \(6, 3, 8\)"):
        turn_means(good, "test", shape=(2, 8))
