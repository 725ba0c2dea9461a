"""Heads that are trained by gradient from per-layer means and selected on what they were not fitted on.

A subclass says how its parameters begin and what it makes of means; the rest is the same for all: standardisation,
the search for a fold's learning rate, early stopping, and the choice of the best state: on dev, or on inner folds by
speaker of train, after which the head is fitted again on all of train.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.base import Downstream, HeadParams
from benchmark.errors import BenchError
from benchmark.types import Examples, HeldOut, Selection
from downstreams import checks as check
from downstreams.normalisation import Normaliser
from downstreams.params.trained import TrainedParams
from downstreams.training.batches import Schedule
from downstreams.training.gradients import Autograd, Data, Gradients
from downstreams.training.initial import generator_of
from downstreams.training.loop import Split, Training, train_members
from downstreams.training.losses import CCC, CROSS_ENTROPY, Loss
from downstreams.training.rate_search import FoldData, Found, Searches
from downstreams.training.selection import Judge, Search, State
from downstreams.training.targets import Targets, refuse_nothing_to_select_on

Array = NDArray[np.float32]
Rows = NDArray[np.intp]

SEARCHES = Searches()  # of all heads of this process


class Trained(Downstream):
    """Base of heads that train from per-layer means, in float64.

    Threads share nothing but the searches, which are guarded: random numbers come from a generator of its own.
    """

    Params: ClassVar[type[HeadParams]] = TrainedParams
    params: TrainedParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        self._normaliser = Normaliser("none")
        self._parameters: list[Tensor] = []  # of the one chosen member, on the CPU
        self._targets: Targets | None = None
        self._held_out: HeldOut | None = None

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Train with the fold's learning rate and keep what is best on held-out utterances.

        The rate is searched once: every rate is trained with the recipe's `search_seed`, and the one whose best state
        is best is the fold's. On dev, the unit of that very seed is what the search found, and any other trains the
        fold's rate with its own initialisation and order, and stops by dev itself. With inner folds the search finds
        the epoch too, and every seed trains all of train for so long. Should a rate diverge with a seed, then the
        search's next best is trained in its place, and so on.

        Args:
            train: At least one example, with targets; with inner folds where the protocol has them.
            dev: At least one example, with targets; none with inner folds.
            seed: Decides initialisation and order unless the recipe fixes it.

        Returns:
            Metric, score, epoch (or step) and layer weights of the chosen state; the learning rate if searched.

        Raises:
            BenchError: There is nothing to select on, examples are not as they should be, the recipe selects on a
                metric of the other kind, or training diverged at every learning rate.
        """
        x = self._means(train, "train")
        refuse_nothing_to_select_on(self.name, train, dev)
        _, layers, dim = x.shape
        x_dev = self._means(dev, "dev", shape=(layers, dim)) if len(dev) else x[:0]
        own = seed if self.params.seed is None else self.params.seed
        searched = len(self.params.learning_rates) > 1
        shared = own if self.params.search_seed is None or not searched else self.params.search_seed

        def search(features: tuple[Array, Array]) -> Found:
            fold = self._fold_data(train, dev, features)
            found = self._train(fold, self.params.learning_rates, shared)
            if not found.ranking():
                raise self._diverged()
            return Found(fold, tuple(found.best), tuple(found.ranking()))

        said = tuple(
            (
                part.ids,
                part.speakers,
                np.asarray(part.y).tobytes(),
                None if part.inner is None else part.inner.tobytes(),
            )
            for part in (train, dev)
        )
        task = (train.kind, train.outputs, train.metric, x.shape, x_dev.shape, said)
        circumstances = (self.device, torch.get_num_threads())
        key = (type(self), self.params.model_dump_json(), shared, task, circumstances)
        found = SEARCHES.get(key, (x, x_dev), search)
        member, state, parameters = self._chosen(found, own, searched_with=shared)
        self._normaliser, self._targets = found.fold.normaliser, found.fold.targets
        self._parameters = [tensor.cpu() for tensor in parameters]
        judge, splits = found.fold.judge, len(found.fold.splits)
        self._held_out = _held_out(judge, state) if found.fold.inner and train.kind == "classification" else None
        return Selection(
            on=f"{judge.on} pooled over {splits} inner folds" if found.fold.inner else f"dev {judge.on}",
            score=judge.reported(state),
            epoch=state.when,
            layer_weights=tuple(torch.softmax(self._parameters[0], dim=0).tolist()),
            chosen={"learning_rate": self.params.learning_rates[member]} if searched else {},
            inner_folds=splits if found.fold.inner else None,
            above_chance=judge.is_above_chance(state),
        )

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Log-probabilities (n, K) of the classes, or values (n, k) of the dimensions.

        Raises:
            BenchError: The head is not fitted, or the features are not like those it was fitted on.
        """
        if self._targets is None:
            raise BenchError(f"the head {self.name} predicts before it is fitted", "call fit first")
        _, dim = self._parameters[1].shape
        x = self._means(examples, "test", shape=(len(self._parameters[0]), dim))
        everything = np.arange(len(examples))
        data = self._data(self._stored(x, examples), self._normaliser, everything, np.empty((len(examples), 0)))
        with torch.no_grad():
            stacked = [tensor.unsqueeze(0).to(self.device) for tensor in self._parameters]
            outputs = self._forward(stacked, data.standardised())[0].cpu()
        if examples.kind == "classification":
            outputs = torch.log_softmax(outputs, dim=-1)
        return self._targets.scores(outputs.numpy())

    def held_out(self) -> HeldOut | None:
        """Log-probabilities by the heads of the search, of all inner folds together; None where there are none."""
        return self._held_out

    def parameters(self) -> int:
        """Number of trained values of the chosen head."""
        return sum(tensor.numel() for tensor in self._parameters)

    # What one head does otherwise than another.

    @abstractmethod
    def _initial_parameters(self, layers: int, dim: int, outputs: int, generator: np.random.Generator) -> list[Tensor]:
        """Draw one head: float64 on the CPU, the first the weights of the layers before their softmax (L,)."""

    @abstractmethod
    def _forward(self, parameters: Sequence[Tensor], x: Tensor) -> Tensor:
        """From stacked parameters (M, ...) and standardised means (L', n, D) to outputs (M, n, K)."""

    def _gradients(self, loss: Loss) -> Gradients:
        """How the loss is differentiated by the parameters."""
        return Autograd(self._forward, loss)

    def _means(self, examples: Examples, what: str, shape: tuple[int, int] | None = None) -> Array:
        """Features (n * T, L, D) of what is heard of the examples, T of each."""
        return check.means(examples, what, shape)

    def _layers_first(self, x: Array, examples: int) -> Array:
        """The same features as (L', n, D), as `_forward` takes them: L' = T * L, the L of the first of T first."""
        del examples
        layers_first: Array = x.transpose(1, 0, 2)
        return layers_first

    # What is the same for all.

    def _fold_data(self, train: Examples, dev: Examples, features: tuple[Array, Array]) -> FoldData:
        """Prepare the search: what is fitted and what judges, each standardised by what is fitted."""
        x, x_dev = features
        targets = Targets.fit(train, "train")
        loss = CROSS_ENTROPY if train.kind == "classification" else CCC
        stored, everything = self._stored(x, train), np.arange(len(train))
        normaliser = self._fitted_normaliser(x, everything, len(train))
        data = self._data(stored, normaliser, everything, targets.learnt(train, "train"))
        if train.inner is None:
            all_dev = np.arange(len(dev))
            held_out = self._data(self._stored(x_dev, dev), normaliser, all_dev, np.empty((len(dev), 0)))
            splits = [Split(data, held_out.standardised())]
            judge = Judge.of(self.params.select_on, loss, [targets], targets, [dev])
        else:
            folds = list(_inner_folds(train))
            own_targets = [Targets.fit(train, "train", fitted) for fitted, _ in folds]
            splits = [self._split(train, x, stored, own, fold) for own, fold in zip(own_targets, folds, strict=True)]
            held_outs = [train.part(held_out) for _, held_out in folds]
            judge = Judge.of(self.params.select_on, loss, own_targets, targets, held_outs)
        shape = (x.shape[1], x.shape[2], len(train.outputs))
        return FoldData(normaliser, targets, data, tuple(splits), judge, train.inner is not None, shape, loss)

    def _split(self, train: Examples, x: Array, stored: Tensor, targets: Targets, fold: tuple[Rows, Rows]) -> Split:
        """One inner fold of train."""
        fitted, held_out = fold
        normaliser = self._fitted_normaliser(x, fitted, len(train))
        learnt = targets.learnt(train, "train")
        data, judging = (self._data(stored, normaliser, rows, learnt[rows]) for rows in (fitted, held_out))
        return Split(data, judging.standardised())

    def _fitted_normaliser(self, x: Array, rows: Rows, examples: int) -> Normaliser:
        """What standardises by some of the examples; by speaker it is done already, see `_stored`."""
        each = len(x) // examples
        of_examples = x.reshape(examples, each, *x.shape[1:])[rows].reshape(-1, *x.shape[1:])
        return Normaliser.fit(self.params.normalisation, of_examples)

    def _stored(self, x: Array, examples: Examples) -> Tensor:
        """Means as (L', n, D) on the device, by speaker standardised, else as they are: float32."""
        if self.params.normalisation == "speaker":
            x = Normaliser("speaker").apply(x, examples.speakers)
        layers_first = self._layers_first(x, len(examples))
        return torch.from_numpy(np.require(layers_first, requirements=["C", "W"])).to(self.device)

    def _data(self, stored: Tensor, normaliser: Normaliser, rows: Rows, learnt: NDArray[np.float64]) -> Data:
        """Some of the examples as they are fitted."""
        by_layer = [
            torch.from_numpy(values).repeat(len(stored) // len(values), 1).unsqueeze(1).to(self.device)
            for values in normaliser.shift_and_factor(stored.shape[-1])
        ]
        y, positions = torch.from_numpy(learnt).to(self.device), torch.from_numpy(rows).to(self.device)
        return Data(stored, y, positions, *by_layer)

    def _chosen(self, found: Found, seed: int, *, searched_with: int) -> tuple[int, State, Sequence[Tensor]]:
        """The learning rate, the state that selected it, and the parameters with a seed."""
        for member in found.ranking:
            state, rate = found.best[member], self.params.learning_rates[member]
            if state is None:
                continue
            if found.fold.inner:
                parameters = self._refit(found.fold, rate, state.when, seed)
                if parameters is not None:
                    return member, state, parameters
                continue
            if seed != searched_with:
                (state,) = self._train(found.fold, [rate], seed).best
            if state is not None:
                return member, state, state.parameters[0]
        raise self._diverged()

    def _train(self, fold: FoldData, learning_rates: Sequence[float], seed: int) -> Search:
        generator = generator_of(seed)
        start = [tensor.to(self.device) for tensor in self._initial_parameters(*fold.shape, generator)]
        return train_members(
            self._forward,
            [self._gradients(fold.loss) for _ in fold.splits],
            start=start,
            learning_rates=learning_rates,
            splits=fold.splits,
            judge=fold.judge,
            schedule=_schedule(self.params),
            generators=generator.spawn(len(fold.splits)) if fold.inner else [generator],
            keep_parameters=not fold.inner,
        )

    def _refit(self, fold: FoldData, learning_rate: float, until: int, seed: int) -> list[Tensor] | None:
        """Train all of train for so many epochs or steps; None where that diverges."""
        generator = generator_of(seed)
        training = Training(
            self._gradients(fold.loss),
            start=[tensor.to(self.device) for tensor in self._initial_parameters(*fold.shape, generator)],
            learning_rates=[learning_rate],
            train=fold.data,
            schedule=_schedule(self.params),
            generator=generator,
        )
        done: int | None = 0
        while done is not None and done < until:
            done = training.advance()
        parameters = [stack[0] for stack in training.parameters]
        return parameters if all(bool(tensor.isfinite().all()) for tensor in parameters) else None

    def _diverged(self) -> BenchError:
        tried = ", ".join(f"{rate:g}" for rate in self.params.learning_rates)
        return BenchError(
            f"training diverged at every learning rate: {tried}",
            "smaller learning rates, or normalisation: global, keep it finite",
        )


def _inner_folds(train: Examples) -> Iterator[tuple[Rows, Rows]]:
    """Rows that are fitted and rows that are held out, of each inner fold."""
    inner = np.asarray(train.inner)
    for fold in np.unique(inner[inner >= 0]):
        yield np.flatnonzero(inner != fold), np.flatnonzero(inner == fold)


def _held_out(judge: Judge, state: State) -> HeldOut | None:
    """What the chosen state's heads said of the inner folds' held-out utterances."""
    if state.scores is None:
        return None
    return HeldOut(judge.truth, torch.log_softmax(torch.from_numpy(state.scores), dim=-1).numpy())


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
