"""The dense head with a second branch for low-level descriptors, which joins after the first layer.

Source: Pepino, Riera and Ferrer, "Emotion recognition from speech using wav2vec 2.0 embeddings" (Interspeech 2021),
section 2.3 and figure 1; habla-liaa/ser-with-w2v2.
"""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from benchmark.base import HeadParams
from benchmark.errors import BenchError
from downstreams.heads.dense import DenseModule
from downstreams.modules.interface import Shape
from downstreams.params.fusion import FusionParams
from downstreams.training.module_head import ModuleHead


class Fusion(ModuleHead):
    """The dense head with a second branch, which joins after the first layer, for an upstream A+B."""

    name = "fusion"
    version = 1
    Params: ClassVar[type[HeadParams]] = FusionParams
    params: FusionParams

    def _module(self, shape: Shape) -> nn.Module:
        if len(shape.parts) != 2:
            raise BenchError(
                f"the head {self.name} was given features of {len(shape.parts)} upstream{'s'[: len(shape.parts) - 1]}",
                f"join two, as in --upstream A+{self.params.beside}",
            )
        return DenseModule(shape, self.params)
