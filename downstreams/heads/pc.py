"""The phonetic constraint: a transformer that makes vowels of two corpora alike while it learns the emotions of one.

The baselines PC, PC-Avg and PC-Atn of Upadhyay, Busso and Lee, "A layer-anchoring strategy for enhancing cross-lingual
speech emotion recognition" (2024), table 2: their own earlier method (Upadhyay et al., "Phonetic anchor-based transfer
learning to facilitate unsupervised cross-lingual speech emotion recognition", ICASSP 2023), which takes common vowels
as anchors, on the last layer, the mean of all layers, and their attention-weighted sum. The paper does not say how the
constraint is computed, and there is no public code. Here it is a triplet loss on the mean of each common vowel in a
batch of source and in one of target, of frames as the encoder makes them.
"""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.base import HeadParams
from benchmark.errors import BenchError
from benchmark.types import Examples, Selection
from downstreams.heads.transformer import TransformerModule
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.phonetic import phonetic_constraint, vowel_means
from downstreams.params.pc import PCParams
from downstreams.training.frames import Batch
from downstreams.training.module_head import ModuleHead


class PhoneticConstraint(ModuleHead):
    """Transformer that aligns common vowels of source and target."""

    name = "pc"
    version = 1
    Params: ClassVar[type[HeadParams]] = PCParams
    params: PCParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        self._spoken: dict[str, tuple[np.ndarray, ...]] = {}  # vowels by frame, of train and adapt, while it is fitted
        self._vowels = 0
        self._encoded: Tensor | None = None  # frames of the batch of train that the module saw last

    def fit(  # type: ignore[override]
        self, train: Examples, dev: Examples, *, seed: int, adapt: Examples
    ) -> Selection:
        """Train on the source, bring vowels of the target to those of the source, select on dev.

        Args:
            train: Of the source, with targets and phones.
            dev: Of the source, with targets.
            seed: Decides initial values, order and dropout.
            adapt: Of the target, without targets, with phones; at least one.

        Returns:
            As the transformer.

        Raises:
            BenchError: As the transformer; nothing of the target is there; or phones are not known.
        """
        if not len(adapt):
            raise BenchError("the fold has no utterance of the target to adapt to", "use a head that does not adapt")
        for what, examples in (("train", train), ("adapt", adapt)):
            if examples.phones is None:
                raise BenchError(f"the phones of {what} are not known", "--phones FOLDER with alignments")
            self._spoken[what] = examples.phones
        self._vowels = len(train.phone_names)
        try:
            return self._fit(train, dev, adapt, seed)
        finally:
            self._spoken, self._encoded = {}, None

    def _module(self, shape: Shape) -> nn.Module:
        return TransformerModule(shape, self.params, self.params.layer_weights)

    def _forward(self, module: nn.Module, batch: Batch) -> Outputs:
        network = cast(TransformerModule, module)
        encoded = network.encode(batch.x, batch.mask)
        self._encoded = encoded if network.training else None
        return network.read_out(encoded, batch.mask)

    def _penalty(
        self, module: nn.Module, outputs: Outputs, batch: Batch, target: Batch | None, epoch: int
    ) -> Tensor | None:
        if target is None or self._encoded is None:
            return None
        heard = cast(TransformerModule, module).encode(target.x, target.mask)
        means = [
            vowel_means(encoded, self._vowels_of(what, part), self._vowels)
            for what, part, encoded in (("train", batch, self._encoded), ("adapt", target, heard))
        ]
        return self.params.gamma * phonetic_constraint(means[0], means[1], self.params.margin)

    def _vowels_of(self, what: str, batch: Batch) -> Tensor:
        """The vowel of every frame of a batch (B, T), -1 for none, in padding too."""
        found = np.full(tuple(batch.mask.shape), -1, dtype=np.int64)
        for place, row in enumerate(batch.rows.tolist()):
            spoken = self._spoken[what][row][: found.shape[1]]
            found[place, : len(spoken)] = spoken
        vowels = torch.from_numpy(found).to(batch.mask.device)
        return torch.where(batch.mask, vowels, -1)
