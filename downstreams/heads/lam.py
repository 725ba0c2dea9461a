"""Layer anchoring: a transformer that makes some layers of two corpora vary alike while it learns the emotions of one.

Upadhyay, Busso and Lee, "A layer-anchoring strategy for enhancing cross-lingual speech emotion recognition" (2024):
cross entropy on the source plus gamma times the correlation alignment of anchored layers. The paper does not say of
what the covariances are. Features are frozen, so that those of the layers themselves cannot be changed; here they are
of what the network makes of each layer: utterance means in the projection by which every layer enters the encoder.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.base import HeadParams
from benchmark.errors import BenchError
from benchmark.types import Examples, Selection
from downstreams import checks as check
from downstreams.heads.transformer import TransformerModule
from downstreams.modules.coral import coral
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.pooling import masked_mean
from downstreams.params.lam import NAMED_LAYERS, LAMParams
from downstreams.training.frames import Batch
from downstreams.training.module_head import ModuleHead


class LAM(ModuleHead):
    """Transformer that aligns anchored layers of source and target."""

    name = "lam"
    version = 2
    Params: ClassVar[type[HeadParams]] = LAMParams
    params: LAMParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        self._anchors: tuple[int, ...] = ()  # places of the anchored layers in the features

    def fit(  # type: ignore[override]
        self, train: Examples, dev: Examples, *, seed: int, adapt: Examples
    ) -> Selection:
        """Train on the source, align with the target, select on dev.

        Args:
            train: Of the source, with targets.
            dev: Of the source, with targets.
            seed: Decides initial values, order and dropout.
            adapt: Of the target, without targets; at least one.

        Returns:
            As the transformer; with the places of the anchored layers where they were chosen.

        Raises:
            BenchError: As the transformer; nothing of the target is there; or the upstream has not the layers that the
                recipe names.
        """
        if not len(adapt):
            raise BenchError("the fold has no utterance of the target to adapt to", "use a head that does not adapt")
        chosen = {}
        if self.params.most_similar is None:
            self._anchors = self._named(train)
        else:
            # What enters the first block is no layer of the paper's figure 1: it is passed over where others are there.
            similarity = layer_similarity(train, adapt)
            first = 1 if len(similarity) > self.params.most_similar else 0
            self._anchors = tuple(first + place for place in most_similar(similarity[first:], self.params.most_similar))
            chosen = {"anchors": ",".join(map(str, self._anchors))}
        return replace(self._fit(train, dev, adapt, seed), chosen=chosen)

    def _module(self, shape: Shape) -> nn.Module:
        return TransformerModule(shape, self.params)

    def _penalty(
        self, module: nn.Module, outputs: Outputs, batch: Batch, target: Batch | None, epoch: int
    ) -> Tensor | None:
        if target is None:
            return None
        project = cast(TransformerModule, module).encoder.projection
        apart = [
            coral(
                project(masked_mean(batch.x[:, place], batch.mask)),
                project(masked_mean(target.x[:, place], target.mask)),
            )
            for place in self._anchors
        ]
        return self.params.gamma * sum(apart[1:], start=apart[0])

    def _named(self, train: Examples) -> tuple[int, ...]:
        """The places of the layers that the recipe names for the upstream."""
        layers = train.x[0].shape[0]
        if layers not in (NAMED_LAYERS, NAMED_LAYERS + 1):
            raise BenchError(
                f"the recipe names layers of networks with {NAMED_LAYERS} layers, and the upstream has {layers} with "
                "its input",
                "lam-auto chooses layers of any network by itself",
            )
        anchors = {} if self.params.anchors == "most-similar" else self.params.anchors
        network = next((word for word in anchors if word in train.upstream), None)
        if network is None:
            raise BenchError(
                f"the recipe names layers of {', '.join(anchors)}, and the upstream is {train.upstream!r}",
                "lam-auto chooses layers of any network by itself",
            )
        # The input is the first of 13, and is left out of 12.
        return tuple(number - 1 + layers - NAMED_LAYERS for number in anchors[network])


def layer_similarity(source: Examples, target: Examples) -> NDArray[np.float64]:
    """How similar each layer is in two corpora: the mean cosine of an utterance of one and an utterance of the other.

    Of all pairs, so that it needs no labels: (L,). The paper's figure 1 has it by emotion, which no target tells here.

    Args:
        source: With frames.
        target: With frames.
    """
    directions = []
    for what, examples in (("train", source), ("adapt", target)):
        total = np.zeros(())
        for frames in check.frames(examples, what):
            mean = frames.mean(axis=1, dtype=np.float64)
            total = total + mean / np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), np.finfo(np.float64).tiny)
        directions.append(total / len(examples))
    return np.asarray((directions[0] * directions[1]).sum(axis=-1))


def most_similar(similarity: NDArray[np.float64], number: int) -> tuple[int, ...]:
    """The places of the largest of L similarities, in order; of equals the first, and all where L is less."""
    return tuple(sorted(np.argsort(-similarity, kind="stable")[:number].tolist()))
