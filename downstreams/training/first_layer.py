"""What the first linear layer of a fitted module makes of utterances."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.errors import BenchError
from downstreams.modules.pooling import masked_mean
from downstreams.training.frames import Batch

DIMENSIONS_OF_FRAMES = 3  # (B, T, E)


def first_linear(
    module: nn.Module, forward: Callable[[Batch], object], batches: Iterable[Batch]
) -> NDArray[np.float32]:
    """The output of the linear layer that is reached first, the mean over frames where it is one of frames: (n, E).

    Before any activation. A convolution or a recurrent layer before it is passed.

    Args:
        module: Fitted.
        forward: Passes a batch through it.
        batches: Of all n utterances, in any order; rows are those of their set.

    Raises:
        BenchError: It has no linear layer, or the first is of neither frames nor utterances.
    """
    seen: list[Tensor] = []

    def note(layer: nn.Module, inward: Any, outward: Tensor) -> None:
        seen.append(outward.detach())

    hooks = [part.register_forward_hook(note) for part in module.modules() if isinstance(part, nn.Linear)]
    found, rows = [], []
    module.eval()
    try:
        with torch.no_grad():
            for batch in batches:
                seen.clear()
                forward(batch)
                found.append(_of_utterances(seen, batch))
                rows.append(batch.rows)
    finally:
        for hook in hooks:
            hook.remove()
    values = torch.cat(found)[torch.argsort(torch.cat(rows)).to(found[0].device)]
    return np.asarray(values.cpu().numpy(), dtype=np.float32)


def _of_utterances(seen: list[Tensor], batch: Batch) -> Tensor:
    if not seen:
        raise BenchError("the head has no linear layer", "choose a network, such as linear")
    first = seen[0]
    if first.ndim == DIMENSIONS_OF_FRAMES and first.shape[:2] == batch.mask.shape:
        return masked_mean(first, batch.mask)
    if first.ndim == DIMENSIONS_OF_FRAMES - 1 and len(first) == len(batch.rows):
        return first
    raise BenchError(
        f"the first linear layer of the head gives values of shape {tuple(first.shape)} for {len(batch.rows)} "
        "utterances, which is neither of them nor of their frames",
        "choose another head, such as linear",
    )
