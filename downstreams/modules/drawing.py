"""Initial values and dropout, drawn by numpy's generator: the same on every processor, whatever else the process draws.

torch's own generator is shared by all threads, and what it draws depends on the instructions that a processor has.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

Initial = Literal["torch", "keras"]
LEVELS = 2**16  # of the numbers that decide on dropout


class Drawn(nn.Module):
    """A module with parameters of its own, beside those of torch's layers in it."""

    @abstractmethod
    def draw(self, random: np.random.Generator) -> None:
        """Set these parameters to their initial values."""


class Dropout(nn.Module):
    """Sets values to zero while training, as `torch.nn.Dropout`, but draws from a generator of its own.

    Args:
        probability: Of a value to become zero, to 16 bits; the others are divided by what remains.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.random: np.random.Generator | None = None  # while training
        self.dropped = round(probability * LEVELS)

    def forward(self, x: Tensor) -> Tensor:
        """Drop values of x of any shape; x itself when not training."""
        if self.random is None or not self.training or not self.dropped:
            return x
        numbers = np.frombuffer(self.random.bytes(2 * x.numel()), dtype="<u2").reshape(x.shape)
        kept = np.float32(numbers >= self.dropped) * np.float32(LEVELS / (LEVELS - self.dropped))
        return x * torch.from_numpy(kept).to(x.device)


def build(make: Callable[[], nn.Module], initial: Initial, random: np.random.Generator) -> nn.Module:
    """Make a module with drawn initial values, on the CPU.

    Args:
        make: Makes it; parameters and buffers are made without values, so that nothing is drawn from torch's generator.
        initial: "torch": weights and biases of linear layers and convolutions uniform in ± fan_in**-0.5, those of
            recurrent layers in ± hidden**-0.5, which is what `reset_parameters` of torch's modules draws. "keras":
            weights uniform in ± (6 / (fan_in + fan_out))**0.5 (Glorot), recurrent ones orthogonal, biases zero but
            that of an LSTM's forget gate, which is one: the defaults of `tf.keras.layers`.
        random: Draws in float64 what is then rounded to float32.

    Raises:
        TypeError: It has parameters that nothing here initialises.
    """
    with torch.device("meta"):
        module = make()
    module.to_empty(device="cpu")
    with torch.no_grad():
        for part in module.modules():
            _draw(part, initial, random)
    return module


def give_dropout(module: nn.Module, random: np.random.Generator | None) -> None:
    """Let all dropout in a module draw from one generator; None takes it away."""
    for part in module.modules():
        if isinstance(part, Dropout):
            part.random = random


def _draw(part: nn.Module, initial: Initial, random: np.random.Generator) -> None:
    if isinstance(part, Drawn):
        part.draw(random)
    elif isinstance(part, nn.Linear | nn.Conv1d):
        fan_in = part.weight[0].numel()
        fan_out = part.weight.shape[0] * part.weight[0, 0].numel()
        weight, bias = (fan_in**-0.5,) * 2 if initial == "torch" else (math.sqrt(6 / (fan_in + fan_out)), 0.0)
        _uniform(part.weight, weight, random)
        if part.bias is not None:
            _uniform(part.bias, bias, random)
    elif isinstance(part, nn.LSTM | nn.GRU):
        for name, parameter in part.named_parameters():
            if initial == "torch":
                _uniform(parameter, part.hidden_size**-0.5, random)
            else:
                _as_keras(part, name, parameter, random)
    elif isinstance(part, nn.LayerNorm):
        part.weight.fill_(1.0)
        part.bias.zero_()
    elif next(part.parameters(recurse=False), None) is not None:
        raise TypeError(f"nothing says how a {type(part).__name__} begins: derive it from Drawn")


def _uniform(parameter: Tensor, bound: float, random: np.random.Generator) -> None:
    parameter.copy_(torch.from_numpy(random.uniform(-bound, bound, tuple(parameter.shape))))


def _as_keras(part: nn.LSTM | nn.GRU, name: str, parameter: Tensor, random: np.random.Generator) -> None:
    """One parameter of a recurrent layer; Keras has one bias where torch adds two, so the second is zero."""
    hidden = part.hidden_size
    if name.startswith("bias"):
        parameter.zero_()
        if isinstance(part, nn.LSTM) and name.startswith("bias_ih"):
            parameter[hidden : 2 * hidden] = 1.0  # of the forget gate, in torch's order
    elif name.startswith("weight_ih"):
        _uniform(parameter, math.sqrt(6 / (parameter.shape[1] + parameter.shape[0])), random)
    else:
        rows, columns = parameter.shape
        q, r = np.linalg.qr(random.standard_normal((rows, columns)))
        parameter.copy_(torch.from_numpy(q * np.sign(np.diagonal(r))))
