"""Initial values and dropout come from their own generator, with the distributions of torch or Keras."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from downstreams.modules.drawing import Dropout, build, give_dropout
from downstreams.modules.layers import LayerSum


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def largest(values: torch.Tensor) -> float:
    return float(values.detach().abs().max())


def make() -> nn.Module:
    return nn.ModuleList([nn.Linear(40, 60), nn.Conv1d(10, 8, 3), nn.GRU(12, 30), nn.LSTM(12, 30), nn.LayerNorm(5)])


def test_the_process_and_its_generator_play_no_part() -> None:
    torch.manual_seed(1)
    first = build(make, "torch", generator())
    state = torch.get_rng_state()
    torch.manual_seed(2)
    second = build(make, "torch", generator())
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)  # nothing was drawn from it
    other = build(make, "torch", generator(1))
    assert not torch.equal(first[0].weight, other[0].weight)


def test_the_distributions_are_those_of_torch() -> None:
    """Bounds and spread of what `reset_parameters` draws."""
    torch.manual_seed(0)
    theirs, own = make(), build(make, "torch", generator())
    for (name, one), other in zip(own.state_dict().items(), theirs.state_dict().values(), strict=True):
        assert one.shape == other.shape
        assert float(one.abs().max()) == pytest.approx(float(other.abs().max()), rel=0.35), name
        if one.numel() > 400:
            assert float(one.std()) == pytest.approx(float(other.std()), rel=0.1), name


def test_the_distributions_of_keras() -> None:
    linear, convolution, gru, lstm, norm = build(make, "keras", generator())
    assert largest(linear.weight) == pytest.approx((6 / 100) ** 0.5, rel=0.01)
    assert largest(convolution.weight) <= (6 / (30 + 24)) ** 0.5
    assert not linear.bias.any()
    for layer, gates in ((gru, 3), (lstm, 4)):
        recurrent = layer.weight_hh_l0.detach().double()
        torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(30, dtype=torch.float64), atol=1e-6, rtol=0)
        assert recurrent.shape[0] == 30 * gates
    assert not gru.bias_ih_l0.any()
    assert lstm.bias_ih_l0.tolist() == [0.0] * 30 + [1.0] * 30 + [0.0] * 60
    assert not lstm.bias_hh_l0.any()
    assert norm.weight.tolist() == [1.0] * 5


def test_own_modules_draw_for_themselves_and_others_are_refused() -> None:
    assert build(lambda: LayerSum(3, "ratio"), "torch", generator()).scores.tolist() == [1.0] * 3

    class Undrawn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.value = nn.Parameter(torch.zeros(2))

    with pytest.raises(TypeError, match="how a Undrawn begins"):
        build(Undrawn, "torch", generator())


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    module = Dropout(0.2)
    give_dropout(module, generator())
    dropped = module.train()(torch.ones(200, 500))
    assert dropped.unique().tolist() == pytest.approx([0, 1.25], abs=1e-4)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.2, abs=0.005)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.01)


def test_dropout_does_nothing_outside_training_and_repeats_itself() -> None:
    module, x = Dropout(0.5), torch.ones(10, 10)
    give_dropout(module, generator())
    assert torch.equal(module.eval()(x), x)
    first = module.train()(x)
    torch.rand(5)
    give_dropout(module, generator())
    assert torch.equal(module(x), first)
    give_dropout(module, None)
    assert torch.equal(module(x), x)
    assert torch.equal(Dropout(0.0).train()(x), x)
