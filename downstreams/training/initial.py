"""Random numbers that are the same on every processor: initial values and orders, from numpy's generator.

torch draws uniform float32 numbers by vector instructions of which each set rounds its own way, and training at a large
learning rate makes another head of the last digit. numpy's generator makes a double of 53 drawn bits, exactly.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def generator_of(seed: int) -> np.random.Generator:
    """The generator of a seed, not negative."""
    return np.random.Generator(np.random.PCG64(seed))


def uniform(generator: np.random.Generator, bound: float, *shape: int) -> Tensor:
    """Draw values between ± bound: float64 on the CPU."""
    return torch.from_numpy(bound * (2.0 * generator.random(shape) - 1.0))


def linear(generator: np.random.Generator, inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
    """Draw a linear layer as `torch.nn.Linear` does, weight and bias uniform in ± inputs**-0.5.

    Returns:
        Weight (outputs, inputs) and bias (outputs,), float64 on the CPU.
    """
    bound = inputs**-0.5
    return uniform(generator, bound, outputs, inputs), uniform(generator, bound, outputs)
