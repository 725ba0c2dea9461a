"""Adam and gradient clipping for a stack of members, each as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam

BETAS = (0.9, 0.999)  # torch.optim.Adam's defaults, which s3prl leaves as they are
EPSILON = 1e-8


class StackedAdam:
    """`torch.optim.Adam` with its default betas for each member of a stack; members differ in learning rate.

    It calls the function behind `torch.optim.Adam(fused=True)`: one pass over memory for each member, which is where
    the time of a small head goes.

    Attributes:
        parameters: Tensors (M, ...) that `step` changes in place.
        learning_rates: M.
    """

    def __init__(self, parameters: Sequence[Tensor], learning_rates: Sequence[float]) -> None:
        self.parameters = list(parameters)
        self.learning_rates = list(learning_rates)
        self._first = [torch.zeros_like(stack) for stack in parameters]
        self._second = [torch.zeros_like(stack) for stack in parameters]
        shape = (len(self.learning_rates), len(self.parameters))
        self._steps = torch.zeros(shape, dtype=torch.float32, device=parameters[0].device)

    def step(self, gradients: Sequence[Tensor]) -> None:
        """Move every member once.

        Args:
            gradients: Tensors (M, ...), as the parameters.
        """
        for row, learning_rate in enumerate(self.learning_rates):
            adam(
                [stack[row] for stack in self.parameters],
                [stack[row] for stack in gradients],
                [stack[row] for stack in self._first],
                [stack[row] for stack in self._second],
                [],
                list(self._steps[row].unbind()),
                fused=True,
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=learning_rate,
                weight_decay=0.0,
                eps=EPSILON,
                maximize=False,
            )

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the members.

        Args:
            rows: Their rows in the stack.
        """
        kept = list(rows)
        self.learning_rates = [self.learning_rates[row] for row in kept]
        self.parameters = [stack[kept] for stack in self.parameters]
        self._first, self._second = [stack[kept] for stack in self._first], [stack[kept] for stack in self._second]
        self._steps = self._steps[kept]


def clip_gradients(gradients: Sequence[Tensor], largest: float) -> None:
    """Scale each member's gradient to an L2 norm of at most `largest`, as `torch.nn.utils.clip_grad_norm_` does.

    Args:
        gradients: Tensors (M, ...); changed in place.
        largest: Positive.
    """
    norms = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients])
    factor = (largest / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor.view(-1, *[1] * (gradient.dim() - 1)))
