"""Gradients of stacked heads: by autograd for any head, and in closed form for the head `superb`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from downstreams.training.batches import Step
from downstreams.training.losses import Loss

Forward: TypeAlias = Callable[[Sequence[Tensor], Tensor], Tensor]


@dataclass(frozen=True)
class Data:
    """Means and targets on the device where members are trained.

    Means stay as they are stored, once for all inner folds: each standardises those of a step by its own train set.

    Attributes:
        x: (L, N, D) of all utterances, in any precision.
        y: (n, K) float64 of those that are fitted: one-hot classes, or values.
        rows: (n,) int64 positions of the n in x.
        shift: (L, 1, D) float64, subtracted from the means.
        factor: (L, 1, D) float64, by which they are then multiplied.
    """

    x: Tensor
    y: Tensor
    rows: Tensor
    shift: Tensor
    factor: Tensor

    @classmethod
    def of(cls, x: Tensor, y: Tensor) -> Data:
        """All utterances of x (L, n, D), as they are."""
        zero = x.new_zeros(len(x), 1, x.shape[2], dtype=torch.float64)
        return cls(x, y, torch.arange(x.shape[1], device=x.device), zero, zero + 1)

    def standardised(self) -> Tensor:
        """The means of all n utterances: (L, n, D) float64."""
        return Batches()(self, torch.arange(len(self.rows), device=self.rows.device))


class Batches:
    """Gathers the means of a step, in memory that every step uses again."""

    def __init__(self) -> None:
        self._stored = torch.empty(0, device="cpu")
        self._standardised = torch.empty(0, device="cpu", dtype=torch.float64)

    def __call__(self, data: Data, indices: Tensor) -> Tensor:
        """The means of some of the utterances.

        Args:
            data: All of them.
            indices: (n,) int64, in 0..len(data.y)-1.

        Returns:
            (L, n, D) float64, overwritten by the next step.
        """
        layers, _, dim = data.x.shape
        size = layers * len(indices) * dim
        if len(self._stored) < size or self._stored.dtype != data.x.dtype:
            self._stored, self._standardised = data.x.new_empty(size), data.shift.new_empty(size)
        stored, batch = (buffer[:size].view(layers, -1, dim) for buffer in (self._stored, self._standardised))
        torch.index_select(data.x, 1, data.rows.index_select(0, indices), out=stored)
        torch.sub(stored, data.shift, out=batch)
        return batch.mul_(data.factor)


class Gradients(ABC):
    """The derivative of a loss by the parameters of stacked heads."""

    @abstractmethod
    def measure(self, parameters: Sequence[Tensor], train: Data, step: Step) -> None:
        """Begin a step of all members; `write` follows for each of them, before its parameters change.

        Args:
            parameters: Stacked, (M, ...) each; not changed.
            train: What is fitted.
            step: The utterances of the optimiser step.
        """

    @abstractmethod
    def write(self, row: int, out: Sequence[Tensor]) -> None:
        """Write the gradient of one member.

        Args:
            row: Of the stack.
            out: Shaped as the member's parameters; overwritten.
        """


class Autograd(Gradients):
    """By torch's autograd, for a head of any architecture.

    Args:
        forward: From stacked parameters (M, ...) and x (L, n, D) to outputs (M, n, K).
        loss: What is minimised.
    """

    def __init__(self, forward: Forward, loss: Loss) -> None:
        self._forward = forward
        self._loss = loss
        self._batches = Batches()
        self._gradients: tuple[Tensor, ...] = ()

    def measure(self, parameters: Sequence[Tensor], train: Data, step: Step) -> None:
        """Differentiate the members' summed losses: no member's depends on the parameters of another."""
        indices = step.indices.to(train.x.device)
        batch = self._batches(train, indices)
        with torch.enable_grad():
            tracked = [stack.detach().requires_grad_() for stack in parameters]
            outputs = self._forward(tracked, batch)
            loss = self._loss.value(outputs, train.y[indices], step).sum()
            self._gradients = torch.autograd.grad(loss, tracked)

    def write(self, row: int, out: Sequence[Tensor]) -> None:
        """Copy the gradient of one member."""
        for tensor, gradient in zip(out, self._gradients, strict=True):
            tensor.copy_(gradient[row])


class Superb(Gradients):
    """In closed form, for the head `superb`, several times as fast as by autograd.

    With pooled vectors p = sum_l a_l x_l, a = softmax(w), the outputs are C p + V b + c for C = V W, with
    projection W (H, D) and b, output layer V (K, H) and c. Given the derivative G (n, K) of the loss by the outputs,
    that of C is dC = G^T p, of K rows. From it follow dW = V^T dC and dV = dC W^T + dc b^T, with dc = sum_n G and
    db = V^T dc. The derivative by a_l is <G C, x_l>. An operation more on a small matrix costs
    as much as reading tens of thousands of values, so there are as few of them as can be.

    Args:
        loss: What is minimised.
    """

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._batches = Batches()
        # Of each member the derivatives by w (L,), C (K, D), V (K, H) and c (K,), and V itself.
        self._parts: list[tuple[Tensor, ...]] = []

    def measure(self, parameters: Sequence[Tensor], train: Data, step: Step) -> None:
        """Find the small factors of all members' gradients."""
        layer_weights, projection, projection_bias, output, output_bias = parameters
        indices = step.indices.to(train.x.device)
        batch = self._batches(train, indices)
        members, (layers, n, dim) = len(layer_weights), batch.shape
        by_layer = batch.view(layers, n * dim)
        weights = torch.softmax(layer_weights, dim=-1)
        pooled = torch.mm(weights, by_layer).view(members, n, dim)
        product = torch.bmm(output, projection)
        bias = torch.baddbmm(output_bias.unsqueeze(-1), output, projection_bias.unsqueeze(-1))
        outputs = torch.baddbmm(bias, product, pooled.mT).mT
        by_output = self._loss.gradient(outputs, train.y.index_select(0, indices), step)

        d_output_bias = by_output.sum(dim=1)
        d_product = torch.bmm(by_output.mT, pooled)
        from_bias = d_output_bias.unsqueeze(-1) * projection_bias.unsqueeze(1)
        d_output = torch.baddbmm(from_bias, d_product, projection.mT)
        d_weights = torch.mm(torch.bmm(by_output, product).view(members, n * dim), by_layer.mT)
        d_layer_weights = weights * (d_weights - (weights * d_weights).sum(dim=-1, keepdim=True))
        stacks = (d_layer_weights, d_product, d_output, d_output_bias, output)
        self._parts = list(zip(*(stack.unbind() for stack in stacks), strict=True))

    def write(self, row: int, out: Sequence[Tensor]) -> None:
        """Multiply out one member's, just before the optimiser reads it: it is still in the processor's cache then."""
        d_layer_weights, d_product, d_output, d_output_bias, output = self._parts[row]
        out[0].copy_(d_layer_weights)
        torch.mm(output.mT, d_product, out=out[1])
        torch.mv(output.mT, d_output_bias, out=out[2])
        out[3].copy_(d_output)
        out[4].copy_(d_output_bias)
