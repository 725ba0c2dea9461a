"""Heads that are trained by gradient from per-layer means and selected on dev; what they have in common.

A subclass says how its parameters begin and what it makes of means; the rest is the same for all: standardisation,
the search for a fold's learning rate, early stopping, and the choice of the best state on dev.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.base import Downstream, HeadParams
from benchmark.errors import BenchError
from benchmark.types import Examples, Selection
from downstreams import checks as check
from downstreams.normalisation import Normaliser
from downstreams.params.trained import TrainedParams
from downstreams.training.batches import Schedule
from downstreams.training.gradients import Autograd, Data, Gradients
from downstreams.training.loop import Search, State, train_members
from downstreams.training.losses import CCC, CROSS_ENTROPY, Loss
from downstreams.training.rate_search import FoldData, Found, Searches
from downstreams.training.targets import Scale, dev_score, refuse_no_dev, selecting_metric

Array = NDArray[np.float32]

SEARCHES = Searches()  # of all heads of this process


class Trained(Downstream):
    """Base of heads that train from per-layer means.

    Threads share nothing but the searches, which are guarded: random numbers come from a generator of its own.
    """

    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch")
    concurrent: ClassVar[bool] = True
    Params: ClassVar[type[HeadParams]] = TrainedParams
    params: TrainedParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        self._normaliser = Normaliser("none")
        self._parameters: list[Tensor] = []  # of the one chosen member, on the CPU
        self._scale = Scale(np.zeros(1), np.ones(1))

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Train with the fold's learning rate, stop early on dev and keep what is best there.

        The rate is searched once: every rate is trained with the recipe's `search_seed`, and the one whose best state
        on dev is best is the fold's. The unit of that very seed is what the search found; any other trains the
        fold's rate with its own initialisation and order. Should it diverge before the first evaluation, then the
        search's next best rate is trained in its place, and so on.

        Args:
            train: At least one example, with targets.
            dev: At least one example, with targets.
            seed: Decides initialisation and order unless the recipe fixes it.

        Returns:
            Metric, dev score, epoch (or step) and layer weights of the chosen state; the learning rate if searched.

        Raises:
            BenchError: There is no dev set, examples are not as they should be, the recipe selects on a metric of
                the other kind, or training diverged at every learning rate.
        """
        x = self._means(train, "train")
        refuse_no_dev(self.name, dev)
        _, layers, dim = x.shape
        x_dev = self._means(dev, "dev", shape=(layers, dim))
        metric = selecting_metric(self.params.select_on, train)
        self._scale = Scale.of(train)
        y, y_dev = self._scale.targets(train, "train"), self._scale.targets(dev, "dev")
        own = seed if self.params.seed is None else self.params.seed
        searched = len(self.params.learning_rates) > 1
        shared = own if self.params.search_seed is None or not searched else self.params.search_seed

        def search(features: tuple[Array, Array]) -> Found:
            normaliser = self._normaliser = Normaliser.fit(self.params.normalisation, features[0])
            data = FoldData(
                Data(self._features(features[0], train.speakers), torch.from_numpy(y).to(self.device)),
                Data(self._features(features[1], dev.speakers), torch.from_numpy(y_dev).to(self.device)),
                shape=(layers, dim, len(train.outputs)),
                loss=CROSS_ENTROPY if train.kind == "classification" else CCC,
                score=dev_score(metric, dev, self._scale),
            )
            return self._search(normaliser, data, shared)

        targets = tuple((part.ids, part.speakers, np.asarray(part.y).tobytes()) for part in (train, dev))
        task = (train.kind, train.outputs, metric.name, x.shape, x_dev.shape, targets)
        circumstances = (self.device, torch.get_num_threads())
        key = (type(self), self.params.model_dump_json(), shared, task, circumstances)
        found = SEARCHES.get(key, (x, x_dev), search)
        self._normaliser = found.normaliser
        member, state = (found.ranking[0], found.state) if own == shared else self._replicate(found, own)
        self._parameters = [tensor.cpu() for tensor in state.parameters]
        return Selection(
            on=f"dev {metric.name}",
            score=state.score if metric.higher_is_better else -state.score,
            epoch=state.when,
            layer_weights=tuple(torch.softmax(self._parameters[0].double(), dim=0).tolist()),
            chosen={"learning_rate": self.params.learning_rates[member]} if searched else {},
        )

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Log-probabilities (n, K) of the classes, or values (n, k) of the dimensions.

        Raises:
            BenchError: The head is not fitted, or the features are not like those it was fitted on.
        """
        if not self._parameters:
            raise BenchError(f"the head {self.name} predicts before it is fitted", "call fit first")
        _, dim = self._parameters[1].shape
        x = self._means(examples, "test", shape=(len(self._parameters[0]), dim))
        with torch.no_grad():
            stacked = [tensor.unsqueeze(0).to(self.device) for tensor in self._parameters]
            outputs = self._forward(stacked, self._features(x, examples.speakers))[0].cpu().double()
        if examples.kind == "classification":
            outputs = torch.log_softmax(outputs, dim=-1)
        return self._scale.values(outputs)

    def parameters(self) -> int:
        """Number of trained values of the chosen head."""
        return sum(tensor.numel() for tensor in self._parameters)

    # What one head does otherwise than another.

    @abstractmethod
    def _initial_parameters(self, layers: int, dim: int, outputs: int, generator: torch.Generator) -> list[Tensor]:
        """Draw one head: float32 on the CPU, the first the weights of the layers before their softmax (L,)."""

    @abstractmethod
    def _forward(self, parameters: Sequence[Tensor], x: Tensor) -> Tensor:
        """From stacked parameters (M, ...) and what `_features` returns to outputs (M, n, K)."""

    def _gradients(self, loss: Loss) -> Gradients:
        """How the loss is differentiated by the parameters."""
        return Autograd(self._forward, loss)

    def _means(self, examples: Examples, what: str, shape: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Features (n, L, D) of what is heard of the examples."""
        return check.means(examples, what, shape)

    def _features(self, x: NDArray[np.float32], speakers: Sequence[str]) -> Tensor:
        """Normalised means as (L, n, D) on the device."""
        layers_first = self._normaliser.apply(x, speakers).transpose(1, 0, 2)
        return torch.from_numpy(np.require(layers_first, requirements=["C", "W"])).to(self.device)

    # What is the same for all.

    def _search(self, normaliser: Normaliser, data: FoldData, seed: int) -> Found:
        """Train every learning rate with one initialisation and order."""
        search = self._train(self.params.learning_rates, data, seed)
        winner = search.winner()
        if winner is None:
            raise self._diverged()
        return Found(normaliser, data, tuple(search.ranking()), winner[1])

    def _replicate(self, found: Found, seed: int) -> tuple[int, State]:
        """Train the fold's learning rate with another seed; the next best one where it diverges."""
        for member in found.ranking:
            (state,) = self._train([self.params.learning_rates[member]], found.data, seed).best
            if state is not None:
                return member, state
        raise self._diverged()

    def _train(self, learning_rates: Sequence[float], data: FoldData, seed: int) -> Search:
        generator = torch.Generator(device="cpu").manual_seed(seed)
        start = self._initial_parameters(*data.shape, generator)
        return train_members(
            self._forward,
            data.loss,
            self._gradients(data.loss),
            start=[tensor.to(self.device) for tensor in start],
            learning_rates=learning_rates,
            train=data.train,
            dev=data.dev,
            score=data.score,
            schedule=_schedule(self.params),
            generator=generator,
        )

    def _diverged(self) -> BenchError:
        tried = ", ".join(f"{rate:g}" for rate in self.params.learning_rates)
        return BenchError(
            f"training diverged at every learning rate: {tried}",
            "smaller learning rates, or normalisation: global, keep it finite",
        )


def _schedule(params: TrainedParams) -> Schedule:
    """The part of the recipe that the training loop reads."""
    return Schedule(
        batch_size=params.batch_size,
        accumulate=params.accumulate,
        clip=params.clip,
        unit=params.unit,
        maximum=params.maximum,
        evaluate_every=params.evaluate_every,
        patience=params.patience,
        ties=params.ties,
    )
