"""Votes of several heads.

The ensemble of cross-corpus studies, as Zehra et al., "Cross corpus multi-lingual speech emotion recognition using
ensemble learning" (Complex & Intelligent Systems 7, 2021): different classifiers, whose majority decides.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Downstream, HeadParams
from benchmark.registry.building import load
from benchmark.registry.source import scan_package
from benchmark.types import Examples, Selection
from downstreams.params.ensemble import EnsembleParams


class Ensemble(Downstream):
    """Several heads, of which the majority decides; of dimensions their mean."""

    name = "ensemble"
    version = 1
    Params: ClassVar[type[HeadParams]] = EnsembleParams
    params: EnsembleParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        targets = {entry.name: entry.target for entry in scan_package("downstream")}
        self.components: tuple[Downstream, ...] = tuple(
            load("the downstream", name, targets[name])(values, device) for name, values in self.params.components
        )

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Fit every member on the same utterances, each as it is fitted alone.

        Args:
            train: At least one example, with targets.
            dev: As the members want it.
            seed: Of every member.

        Returns:
            Nothing selected: members select for themselves.

        Raises:
            BenchError: A member cannot be fitted.
        """
        for member in self.components:
            member.fit(train, dev, seed=seed)
        return Selection()

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Votes (n, K) of the members, or the mean (n, k) of their values.

        Of classes with as many votes the one is decided that the earliest member is for: the vote of member j, from 0,
        weighs 1 + 2 ** -(j + 1), and all these excesses together are less than a vote.
        """
        scores = [member.predict(examples) for member in self.components]
        if examples.kind == "regression":
            return np.asarray(np.mean(scores, axis=0))
        votes = [np.eye(len(examples.outputs))[one.argmax(axis=1)] for one in scores]
        return np.asarray(sum(vote * (1 + 0.5 ** (place + 1)) for place, vote in enumerate(votes)))

    def parameters(self) -> int:
        """Trained values of all members."""
        return sum(member.parameters() for member in self.components)
