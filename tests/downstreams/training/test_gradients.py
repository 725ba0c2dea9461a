"""The closed form is what autograd gives: for one step, and for whole trainings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from members import train_alike
from torch import Tensor

from downstreams.heads.superb import forward, initial_parameters
from downstreams.training import gradients
from downstreams.training.adam import StackedAdam
from downstreams.training.batches import Schedule, Step
from downstreams.training.gradients import Autograd, Data, Gradients
from downstreams.training.initial import generator_of
from downstreams.training.losses import CCC, CROSS_ENTROPY, Loss
from downstreams.training.selection import Search

UTTERANCES, HIDDEN, MEMBERS = 40, 16, 3
LOSSES = pytest.mark.parametrize("loss", [CROSS_ENTROPY, CCC], ids=["cross entropy", "ccc"])
STEPS = pytest.mark.parametrize("sizes", [(9,), (4, 4, 1)], ids=["one batch", "micro-batches"])


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def data(loss: Loss, layers: int, dim: int, outputs: int, seed: int = 0) -> Data:
    """Noise; classes in turn, or values that follow it."""
    x = draw(layers, UTTERANCES, dim, seed=seed)
    if loss is CCC:
        return Data.of(x, x[-1, :, :outputs] + 0.5 * draw(UTTERANCES, outputs, seed=seed + 1))
    return Data.of(x, torch.eye(outputs, dtype=torch.float64)[torch.arange(UTTERANCES) % outputs])


def stack(layers: int, dim: int, outputs: int) -> list[Tensor]:
    """Members that are all different, with layer weights away from their start."""
    start = initial_parameters(layers, dim, HIDDEN, outputs, generator_of(0))
    return [tensor.double() + 0.3 * draw(MEMBERS, *tensor.shape, seed=i) for i, tensor in enumerate(start)]


def written(found: Gradients, parameters: list[Tensor], train: Data, step: Step, clip: float | None) -> list[Tensor]:
    """The gradients of all members, each as one vector, clipped as the optimiser clips them."""
    found.measure(parameters, train, step)
    optimiser = StackedAdam([tensor[0] for tensor in parameters], MEMBERS * [0.1])
    vectors = []
    for row in range(MEMBERS):
        for tensor in optimiser.gradient:
            tensor.fill_(torch.nan)
        found.write(row, optimiser.gradient)
        if clip is not None:
            optimiser.clip(clip)
        vectors.append(torch.cat([tensor.flatten() for tensor in optimiser.gradient]))
    return vectors


@LOSSES
@STEPS
@pytest.mark.parametrize("clip", [None, 1e-3, 1e3])
@pytest.mark.parametrize(("layers", "dim", "outputs"), [(4, 7, 3), (1, 9, 2), (13, 5, 4)])
def test_the_closed_form_is_what_autograd_gives(
    loss: Loss, sizes: tuple[int, ...], clip: float | None, layers: int, dim: int, outputs: int
) -> None:
    train, parameters = data(loss, layers, dim, outputs), stack(layers, dim, outputs)
    before = [tensor.clone() for tensor in parameters]
    step = Step(torch.randperm(UTTERANCES, generator=torch.Generator().manual_seed(1))[:9], sizes, len(sizes))
    expected = written(Autograd(forward, loss), parameters, train, step, clip)
    found = written(gradients.Superb(loss), parameters, train, step, clip)
    for own, theirs in zip(found, expected, strict=True):
        assert torch.linalg.vector_norm(own - theirs) <= 1e-12 * torch.linalg.vector_norm(theirs)
    norms = [float(torch.linalg.vector_norm(own)) for own in found]
    if clip == 1e-3:
        assert norms == pytest.approx([clip] * MEMBERS, rel=1e-2)
    assert min(norms) > 0
    assert all(torch.equal(own, theirs) for own, theirs in zip(parameters, before, strict=True))


@LOSSES
def test_means_are_standardised_as_they_are_gathered(loss: Loss) -> None:
    """Stored in float32, of other utterances too: it is what standardising them before would be."""
    layers, dim, outputs = 3, 7, 4
    own, parameters = data(loss, layers, dim, outputs), stack(layers, dim, outputs)
    everything = 40 * draw(layers, 90, dim, seed=3).float() + 7
    rows, shift, factor = torch.arange(90).flip(0)[:UTTERANCES], draw(layers, 1, dim), draw(layers, 1, dim, seed=1)
    stored = Data(everything, own.y, rows, shift, factor)
    before = Data.of((everything.double()[:, rows] - shift) * factor, own.y)
    torch.testing.assert_close(stored.standardised(), before.x, rtol=1e-14, atol=1e-14)
    step = Step(torch.arange(9) * 3, (9,), 1)
    for how in (Autograd(forward, loss), gradients.Superb(loss)):
        found, expected = (written(how, parameters, one, step, None) for one in (stored, before))
        for vector, other in zip(found, expected, strict=True):
            torch.testing.assert_close(vector, other, rtol=1e-10, atol=1e-12)


def test_a_step_of_another_size_follows() -> None:
    """The memory of a batch is used again; the last batch of an epoch is smaller."""
    train, parameters = data(CROSS_ENTROPY, 3, 5, 3), stack(3, 5, 3)
    closed = gradients.Superb(CROSS_ENTROPY)
    for size in (8, 3, 11):
        step = Step(torch.arange(size) + 2, (size,), 1)
        expected = written(Autograd(forward, CROSS_ENTROPY), parameters, train, step, None)
        for own, theirs in zip(written(closed, parameters, train, step, None), expected, strict=True):
            torch.testing.assert_close(own, theirs, rtol=1e-12, atol=1e-14)


@LOSSES
@STEPS
def test_the_gradient_of_a_loss_is_its_derivative(loss: Loss, sizes: tuple[int, ...]) -> None:
    outputs, y = draw(MEMBERS, 9, 3).requires_grad_(), data(loss, 2, 5, 3).y[:9]
    step = Step(torch.arange(9), sizes, 5)
    (expected,) = torch.autograd.grad(loss.value(outputs, y, step).sum(), outputs)
    torch.testing.assert_close(loss.gradient(outputs.detach(), y, step), expected, rtol=1e-12, atol=1e-15)


def trained(how: Callable[[Loss], Gradients], loss: Loss, rates: list[float]) -> Search:
    """Members that stop at different times, or not at all."""
    dev = data(loss, 3, 5, 3, seed=7)
    sign = 1.0 if loss is CROSS_ENTROPY else -1.0

    def score(outputs: Tensor) -> float:
        if loss is CROSS_ENTROPY:
            return float((outputs.argmax(dim=1) == dev.y.argmax(dim=1)).double().mean())
        return round(sign * float((outputs - dev.y).square().mean()), 2)

    return train_alike(
        forward,
        loss,
        how(loss),
        start=[tensor[0] for tensor in stack(3, 5, 3)],
        learning_rates=rates,
        train=data(loss, 3, 5, 3),
        dev=dev,
        score=score,
        schedule=Schedule(8, 1, 0.5, "epochs", 25, 1, 3, "loss"),
    )


@LOSSES
def test_a_whole_training_is_that_by_autograd(loss: Loss) -> None:
    rates = [0.3, 0.01, 0.001]
    expected = trained(lambda loss: Autograd(forward, loss), loss, rates)
    found = trained(gradients.Superb, loss, rates)
    assert len({state.when for state in expected.best if state is not None}) > 1
    for own, theirs in zip(found.best, expected.best, strict=True):
        assert own is not None
        assert theirs is not None
        assert (own.when, own.score) == (theirs.when, theirs.score)
        for tensor, other in zip(own.parameters[0], theirs.parameters[0], strict=True):
            torch.testing.assert_close(tensor, other, rtol=1e-8, atol=1e-9)


@LOSSES
def test_a_member_does_not_depend_on_the_others(loss: Loss) -> None:
    """Also when the others stop early: rows of the stack move up."""
    rates = [0.3, 0.1, 0.001, 1e-5]
    together = trained(gradients.Superb, loss, rates)
    for rate, state in zip(rates, together.best, strict=True):
        (alone,) = trained(gradients.Superb, loss, [rate]).best
        assert state is not None
        assert alone is not None
        assert (state.when, state.score) == (alone.when, alone.score)
        for tensor, other in zip(state.parameters[0], alone.parameters[0], strict=True):
            torch.testing.assert_close(tensor, other, rtol=1e-8, atol=1e-9)


def test_stacked_adam_is_torch_adam() -> None:
    """Member by member, after one has left the stack too; in float32 to the bit."""
    start = [draw(2, 3).float(), draw(5, seed=1).float()]
    rates = [0.1, 0.01, 0.003]
    stacked = StackedAdam(start, rates)
    theirs = [[tensor.clone().requires_grad_() for tensor in start] for _ in rates]
    optimisers = [torch.optim.Adam(own, lr=rate, fused=True) for own, rate in zip(theirs, rates, strict=True)]
    rows = [0, 1, 2]
    for number in range(9):
        if number == 4:
            rows = [0, 2]
            stacked.keep(rows)
        for row, member in enumerate(rows):
            for i, view in enumerate(stacked.gradient):
                view.copy_(draw(*start[i].shape, seed=10 * number + i) * (member + 1))
                theirs[member][i].grad = view.clone()
            stacked.step(row)
            optimisers[member].step()
    for row, member in enumerate(rows):
        for view, tensor in zip(stacked.parameters, theirs[member], strict=True):
            assert torch.equal(view[row], tensor.detach())


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_clipping_is_that_of_torch(scale: float) -> None:
    start = [torch.zeros(2, 3, dtype=torch.float64), torch.zeros(5, dtype=torch.float64)]
    optimiser, theirs = StackedAdam(start, [0.1]), [tensor.clone().requires_grad_() for tensor in start]
    for i, (view, parameter) in enumerate(zip(optimiser.gradient, theirs, strict=True)):
        view.copy_(scale * draw(*view.shape, seed=i))
        parameter.grad = view.clone()
    optimiser.clip(0.7)
    torch.nn.utils.clip_grad_norm_(theirs, 0.7)
    for view, parameter in zip(optimiser.gradient, theirs, strict=True):
        torch.testing.assert_close(view, parameter.grad, rtol=1e-12, atol=1e-15)


def test_a_gradient_that_is_not_finite_spoils_the_member() -> None:
    """As in torch: the member diverges, and is not silently left where it was."""
    optimiser = StackedAdam([torch.zeros(3)], [0.1])
    optimiser.gradient[0].copy_(torch.tensor([1.0, torch.nan, 2.0]))
    optimiser.clip(0.7)
    optimiser.step(0)
    assert not optimiser.parameters[0].isfinite().any()
