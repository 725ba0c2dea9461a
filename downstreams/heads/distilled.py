"""A student that learns, beside its targets, the embeddings of a trained teacher on another upstream.

Source: Mitra et al., "Speech emotion: Investigating model representations, multi-task learning and knowledge
distillation" (Interspeech 2022), section 3.4.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.base import HeadParams
from benchmark.errors import BenchError
from benchmark.types import Examples, Selection
from downstreams import checks as check
from downstreams.heads.recurrent import RecurrentModule
from downstreams.modules.interface import Outputs, Shape
from downstreams.params.distilled import DistilledParams
from downstreams.training.frames import Batch
from downstreams.training.module_head import ModuleHead

EPSILON = 1e-8  # of the product of norms, equation 3


def confidence(truth: Tensor, taught: Tensor) -> Tensor:
    """How sure the teacher is of each utterance, equation 4: 1 less its mean error by the range of the targets.

    Args:
        truth: (n, k) values.
        taught: (n, k) the teacher's.

    Returns:
        (n,) from 0 to 1; 1 where all targets are the same number.
    """
    spread = truth.max() - truth.min()
    error = (truth - taught).abs().mean(dim=1)
    return (1 - error / spread).clamp(min=0) if spread > 0 else torch.ones_like(error)


def distance(own: Tensor, taught: Tensor, weights: Tensor) -> Tensor:
    """The mean of the cosine distances of embeddings (n, E), each by its weight (n,): equation 3, a scalar."""
    norms = (own.norm(dim=1) * taught.norm(dim=1)).clamp(min=EPSILON)
    cosines: Tensor = (own * taught).sum(dim=1) / norms
    return ((1 - cosines) * weights).mean()


class Distilled(ModuleHead):
    """Convolution over time or not and GRU, as the head `recurrent`, taught by the embeddings of a trained teacher."""

    name = "distilled"
    version = 1
    Params: ClassVar[type[HeadParams]] = DistilledParams
    params: DistilledParams

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Train on targets and on what the teacher says of train; see `ModuleHead.fit`.

        Raises:
            BenchError: As there; or train comes without a teacher, or its embeddings are not as wide as these.
        """
        if train.taught is None:
            raise BenchError(f"the head {self.name} needs a teacher", "a run trains the one that the recipe names")
        embeddings = train.taught.embeddings
        if embeddings.shape != (len(train), self.params.embedding):
            raise BenchError(
                f"the teacher's embeddings have shape {embeddings.shape}",
                f"expected {(len(train), self.params.embedding)}: embedding must be that of the teacher",
            )
        truth = torch.from_numpy(check.values(train, "train"))
        weights = confidence(truth, torch.from_numpy(np.asarray(train.taught.values, np.float64)))
        self._embeddings = torch.from_numpy(embeddings).to(self.device)
        self._confidence = weights.float().to(self.device)
        try:
            return super().fit(train, dev, seed=seed)
        finally:
            del self._embeddings, self._confidence

    def _module(self, shape: Shape) -> nn.Module:
        return RecurrentModule(shape, self.params)

    def _supervised_weight(self, epoch: int) -> float:
        return self.params.supervised[epoch > self.params.first_epochs]

    def _penalty(
        self, module: nn.Module, outputs: Outputs, batch: Batch, target: Batch | None, epoch: int
    ) -> Tensor | None:
        if outputs.embedding is None:
            return None
        rows = batch.rows.to(self._embeddings.device)
        apart = distance(outputs.embedding, self._embeddings[rows], self._confidence[rows])
        return self.params.distilled[epoch > self.params.first_epochs] * apart
