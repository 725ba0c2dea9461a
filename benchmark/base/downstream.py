"""The abstract downstream: a head that reads a representation out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.io.yamls import Closed
from benchmark.types import Examples, Needs, Selection


class HeadParams(Closed):
    """Base of a downstream's parameters: a closed schema, so that a misspelt key in a recipe is refused."""


class Downstream(ABC):
    """Reads a representation out: a head that is fitted on train, selected on dev and then predicts.

    One instance is one head: the run makes a new one for every fold and seed.

    Attributes:
        name: The class, as recipes name it.
        version: Raised whenever its numbers change; what is published is told apart by it. None where none is
            declared: the digest of the code stands for it then.
        needs: What it needs of every utterance, see `Examples.x`; a property where the recipe decides.
        libraries: Distributions whose version decides the numbers; part of the identity.
        sequences: Whether it takes what was said before an utterance, in tasks with context, and only there.
        adapts: Whether `fit` takes unlabelled utterances of the target, in tasks between two corpora, and only there.
        concurrent: Whether several heads may be fitted in threads at once: they use nothing that all threads share,
            such as torch's own random generator.
        Params: The recipe's keys, a subclass of `HeadParams` (pydantic).
        params: The recipe's values.
        device: Where to compute, "cpu" or "cuda".
    """

    name: ClassVar[str]
    version: ClassVar[int | None] = None
    needs: Needs = "mean"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    sequences: ClassVar[bool] = False
    adapts: ClassVar[bool] = False
    concurrent: ClassVar[bool] = False
    Params: ClassVar[type[HeadParams]] = HeadParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        self.params: Any = params
        self.device = device

    @property
    def stochastic(self) -> bool:
        """Whether the seed matters; a head that ignores it is run with the task's first seed only."""
        return True

    @property
    def uses_dev(self) -> Literal["select", "fit", "no"]:
        """Whether the head selects on dev (and cannot do without), is fitted on it too, or leaves it alone."""
        return "no"

    @property
    def transductive(self) -> bool:
        """Whether the head uses unlabelled statistics of the test utterances; the record and leaderboard say so."""
        return False

    @abstractmethod
    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Fit on train and select on dev.

        A head that `adapts` takes a further keyword, `adapt`: utterances of the target, without targets.

        Args:
            train: At least one example, with targets.
            dev: With targets; empty where the protocol has no dev set.
            seed: Decides initialisation and order.

        Raises:
            BenchError: The data do not suit the head, for example an empty dev set for a head that selects.
        """

    @abstractmethod
    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Score utterances after `fit`.

        Returns:
            (n, K) class scores whose argmax is the decision, or (n, k) values of the dimensions.
        """

    def parameters(self) -> int:
        """Number of trained values after `fit`."""
        return 0
