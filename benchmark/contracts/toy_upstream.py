"""A trainable upstream for the contract of heads that train one: three layers of eight values, told from tones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.base.trainable import LinearLayers, Trainable
from benchmark.contracts.toys import DIM, HOP, LAYERS, tones
from benchmark.types import Features, Precision

if TYPE_CHECKING:
    from torch import Tensor, nn


class ToyUpstream(Upstream):
    """Strengths of the tones in each hop, and two residual blocks after them."""

    name = ""  # no name: it is in no list
    version = 1
    libraries = ("numpy", "torch")
    layers = LAYERS
    dim = DIM
    trains = True

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """(3, T, 8) for T hops."""
        import torch

        trainable = self.trainable()
        with torch.no_grad():
            return Features(trainable.layers([wave], "cpu")[0].numpy())

    def trainable(self) -> Trainable:
        """A new network, always the same."""
        return ToyTrainable()


class ToyTrainable(Trainable):
    """A convolution that hears the tones, and blocks of two linear layers and dropout."""

    def __init__(self) -> None:
        import torch
        from torch import nn

        random = np.random.Generator(np.random.PCG64(3))

        def filled(module: nn.Linear | nn.Conv1d, weight: NDArray[np.float64]) -> nn.Module:
            module.to_empty(device="cpu")
            with torch.no_grad():
                module.weight.copy_(torch.from_numpy(weight))
                for bias in module.parameters():
                    if bias.ndim == 1:
                        bias.zero_()
            return module

        def linear() -> nn.Module:
            return filled(nn.Linear(DIM, DIM, device="meta"), 0.2 * random.standard_normal((DIM, DIM)))

        def block() -> nn.ModuleDict:
            return nn.ModuleDict({"first": linear(), "dropout": nn.Dropout(0.1), "second": linear()})

        convolution = nn.Conv1d(1, DIM, HOP, stride=HOP, device="meta")
        self._front = filled(convolution, tones()[:, np.newaxis] * (2 / HOP))
        self._blocks = [block() for _ in range(LAYERS - 1)]
        self.module = nn.ModuleDict({"front": self._front, "blocks": nn.ModuleList(self._blocks)}).eval()

    def layers(
        self, waves: Sequence[NDArray[np.float32]], device: str, precision: Precision | None = None
    ) -> list[Tensor]:
        """What enters the blocks and what leaves each, of one utterance at a time."""
        import torch

        found = []
        for wave in waves:
            x = self._front(torch.from_numpy(wave).to(device)[None, None]).transpose(1, 2)[0]
            states = [x]
            for block in self._blocks:
                hidden = block["dropout"](block["first"](states[-1]).relu())
                states.append(states[-1] + block["second"](hidden))
            found.append(torch.stack(states))
        return found

    def parts(self) -> Mapping[str, Sequence[nn.Module]]:
        """One convolution and two blocks."""
        blocks = {str(number): [block] for number, block in enumerate(self._blocks)}
        return {"convolutions": [self._front], **blocks}

    def linear_layers(self, which: LinearLayers) -> Sequence[str]:
        """The layers of the blocks, whatever is asked for."""
        return [f"blocks.{block}.{layer}" for block in range(LAYERS - 1) for layer in ("first", "second")]

    def upstream(self) -> Upstream:
        """What encodes with these weights."""
        self.module.to("cpu").eval().requires_grad_(True)
        return _Tuned(self)

    def save_memory(self) -> None:
        """There is nothing to save."""


class _Tuned(ToyUpstream):
    """The toy upstream with other weights."""

    def __init__(self, own: ToyTrainable) -> None:
        self._own = own

    def trainable(self) -> Trainable:
        """The network with those weights."""
        import copy

        return copy.deepcopy(self._own)
