"""A downstream, fitted on easy examples and on noise, as often as its checks need it and no oftener."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Downstream
from benchmark.contracts.common import attempt, require
from benchmark.contracts.toy_upstream import ToyUpstream
from benchmark.contracts.toys import select, toy_of
from benchmark.run.asking import scores_of
from benchmark.threads import threads as computing_in
from benchmark.types import Examples, Kind, Selection

# As wide as a small network: how far a recipe of few steps gets is their number times the rate times the values.
DIM = 256
# Of an utterance, fewest and most: enough for a codebook of 500 words, and few, as training takes their number in time.
FRAMES = (6, 12)


class FittedToys:
    """A downstream, the examples of one kind that it is checked with, and what it makes of them.

    Args:
        make: Makes a new head.
        kind: Of the examples.
        brief: Makes the same head with a shorter training; None where one is as good as the other.

    Attributes:
        head: One that is never fitted, for what it says of itself.
        train: 60 easy utterances.
        dev: 30 of them.
        labelled_test: 30 more; `test` without their targets.
        labelled_noise: 300 utterances of which the features say nothing; `noise` without their targets.
    """

    def __init__(self, make: Callable[[], Downstream], kind: Kind, brief: Callable[[], Downstream] | None) -> None:
        self.make: Callable[[], Downstream] = lambda: _with_upstream(make)
        self._brief: Callable[[], Downstream] = self.make if brief is None else lambda: _with_upstream(brief)
        self.kind = kind
        self.head = attempt(self.make, "making the downstream")
        shorter = attempt(self._brief, "making the brief downstream")
        require(
            isinstance(shorter, type(self.head)),
            f"the brief downstream is a {type(shorter).__name__}, not a {type(self.head).__name__}",
            "it is the same head with a shorter training",
        )
        self.train = self.toy(60, speakers=6, seed=0)
        self.dev = self.toy(30, speakers=3, seed=1)
        self.labelled_test = self.toy(30, speakers=3, seed=2)
        self.test = select(self.labelled_test, list(range(30)))
        self._fitted: tuple[Downstream, Selection] | None = None
        self._noisy: dict[tuple[int, bool], tuple[Selection, NDArray[np.float64]]] = {}
        self.labelled_noise = self.toy(300, speakers=10, seed=3, noise=True)
        self.noise = select(self.labelled_noise, list(range(300)))

    def toy(self, utterances: int, speakers: int, seed: int, **about: Any) -> Examples:
        """Examples of the kind that the head takes; with what else `toy` takes."""
        # Of a waveform the upstream makes its own width, and learns the less the shorter they are.
        if self.head.needs != "waveform":
            about = {"frames": FRAMES, **about}
            # Turns make a narrow one wide, and training long.
            about = about if self.head.sequences else {"dim": DIM, **about}
        return toy_of(self.head, utterances=utterances, speakers=speakers, seed=seed, kind=self.kind, **about)

    def fitted(self) -> tuple[Downstream, Selection]:
        """The head fitted with seed 0, once."""
        if self._fitted is None:
            self._fitted = self._fit(self.make, 0, self.train, self.dev, "the toy")
        return self._fitted

    def noisy(self, seed: int, *, brief: bool = True) -> tuple[Selection, NDArray[np.float64]]:
        """A head fitted on noise, once for each seed: what it selected, and its scores of 300 utterances of noise.

        Args:
            seed: Of the training.
            brief: Whether the brief one will do.
        """
        key = seed, brief and self._brief is not self.make
        if key not in self._noisy:
            self._noisy[key] = self.noisy_again(seed, brief=brief)
        return self._noisy[key]

    def noisy_again(self, seed: int, *, brief: bool = True, threads: int = 1) -> tuple[Selection, NDArray[np.float64]]:
        """As `noisy`, by a head that is fitted for it."""
        train, dev = self.toy(60, 6, seed=0, noise=True), self.toy(30, 3, seed=1, noise=True)
        head, selection = self._fit(self._brief if brief else self.make, seed, train, dev, "noise", threads)
        return selection, self.predict(head, self.noise, threads)

    def _fit(
        self,
        make: Callable[[], Downstream],
        seed: int,
        train: Examples,
        dev: Examples,
        what: str,
        threads: int = 1,
    ) -> tuple[Downstream, Selection]:
        """Fit a new head, in one thread as a run does."""
        head = attempt(make, "making the downstream")
        more = {"adapt": self.test} if head.adapts else {}
        with computing_in(threads):
            return head, attempt(lambda: head.fit(train, dev, seed=seed, **more), f"fitting on {what} with seed {seed}")

    def predict(self, head: Downstream, examples: Examples, threads: int = 1) -> NDArray[np.float64]:
        """Scores of a fitted head, taken as a run takes them."""
        with computing_in(threads):
            return attempt(lambda: scores_of(head, examples), f"predicting {len(examples)} utterances")

    def scores(self) -> NDArray[np.float64]:
        """Scores of the test utterances by the head fitted with seed 0."""
        return self.predict(self.fitted()[0], self.test)


def _with_upstream(make: Callable[[], Downstream]) -> Downstream:
    """A new head, with an upstream where it trains one."""
    head = make()
    if head.needs == "waveform":
        head.upstream = ToyUpstream()
    return head
