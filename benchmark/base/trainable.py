"""The torch module of an upstream, lent to a head that trains it: the one place where torch crosses a boundary."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import UsageError
from benchmark.types import Precision

if TYPE_CHECKING:
    from torch import Tensor, nn

    from benchmark.base.upstream import Upstream

LinearLayers = Literal["feed-forward", "attention"]


class Trainable(ABC):
    """An upstream's own weights in a module that nobody else has, and the forward pass that `encode` takes.

    Attributes:
        module: The weights, on the CPU until it is moved, in eval mode until it is put into training.
    """

    module: nn.Module

    @abstractmethod
    def layers(
        self, waves: Sequence[NDArray[np.float32]], device: str, precision: Precision | None = None
    ) -> list[Tensor]:
        """What `Upstream.encode` gives, for several utterances, as tensors through which gradients flow.

        No utterance reaches the features of another. On a CPU each goes through the network by itself.

        Args:
            waves: Each (n,) float32 at the upstream's rate.
            device: Where the module is.
            precision: Lower precision to compute in; None for that of the upstream.

        Returns:
            For each the layers (L, T, D) float32.
        """

    @abstractmethod
    def parts(self) -> Mapping[str, Sequence[nn.Module]]:
        """What may be frozen by name, in the order of the signal.

        "convolutions": the front end; "embeddings": what stands between it and the first block; "0", "1" and so on:
        the blocks; "norm": what normalises after the last block, where there is something.
        """

    def linear_layers(self, which: LinearLayers) -> Sequence[str]:
        """Names in the module of the linear layers of all blocks to which low-rank matrices can be added.

        Raises:
            UsageError: It has none of the kind that would be heard.
        """
        raise UsageError(f"the upstream has no {which} layers that low-rank matrices can be added to")

    def save(self, folder: Path) -> None:
        """Write the weights as they are, in a layout from which the same upstream loads.

        Args:
            folder: An empty one.

        Raises:
            UsageError: The upstream cannot.
        """
        raise UsageError("the upstream cannot write its weights")

    def upstream(self) -> Upstream:
        """An upstream that encodes with the weights as they are, which are not trained further.

        Raises:
            UsageError: There is none.
        """
        raise UsageError("what was trained of the upstream cannot encode", "those of transformers can")

    def save_memory(self) -> None:
        """Compute the blocks again in the backward pass and keep nothing of them, where the module can."""
        raise UsageError("the upstream cannot compute its blocks again", "checkpointing: false")
