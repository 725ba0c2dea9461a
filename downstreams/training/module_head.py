"""Heads that are torch modules on padded frames; what they have in common.

A subclass makes its module; the rest is the same for all: reading and standardising frames, dealing them into batches,
the loss that the recipe says, training, the choice of the best state on dev, and predicting.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.base import Downstream, HeadParams
from benchmark.errors import BenchError
from benchmark.metrics import Metric
from benchmark.metrics import score as score_of
from benchmark.threads import threads
from benchmark.types import Examples, Selection
from downstreams.modules.drawing import build, give_dropout
from downstreams.modules.interface import Outputs, Shape
from downstreams.modules.layers import LayerSum
from downstreams.params.frames import FramesParams, LearningParams
from downstreams.training.first_layer import first_linear
from downstreams.training.frames import MIB, Batch, Dealing, Figures, Frames, Reading
from downstreams.training.learnt import Learnt, Supervised
from downstreams.training.module_loop import train_module
from downstreams.training.module_state import trained
from downstreams.training.targets import Targets, refuse_nothing_to_select_on, selecting_metric, truth_of


class ModuleHead(Downstream):
    """Base of heads that are torch modules on frames.

    Threads share nothing: random numbers come from generators of the head's own.
    """

    Params: ClassVar[type[HeadParams]] = FramesParams
    params: LearningParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        self.module: nn.Module | None = None  # fitted, in its best state
        self._shape = (0, 0)  # (L, D) of the features that it was fitted on
        self._figures: Figures | None = None
        self._targets: Targets | None = None

    # What one head does otherwise than another.

    @abstractmethod
    def _module(self, shape: Shape) -> nn.Module:
        """Make the module: of x (B, L, T, D) and mask (B, T) it gives `Outputs`.

        It is made of torch's layers and of those in `downstreams.modules`; whatever else has parameters is derived from
        `Drawn`. Nothing is computed here: it is made without values, which are drawn afterwards.
        """

    def _forward(self, module: nn.Module, batch: Batch) -> Outputs:
        """What the module makes of a batch."""
        outputs: Outputs = module(batch.x, batch.mask)
        return outputs

    def _supervised_weight(self, epoch: int) -> float:
        """Weight of the losses of the targets in an epoch, counted from 1, beside `_penalty`."""
        return 1.0

    def _penalty(
        self, module: nn.Module, outputs: Outputs, batch: Batch, target: Batch | None, epoch: int
    ) -> Tensor | None:
        """What is added to the loss of a batch; nothing, unless a head says otherwise.

        Args:
            module: What is trained.
            outputs: Of the module for the batch.
            batch: Of train.
            target: As many utterances of `adapt`, for a head that adapts.
            epoch: Counted from 1.
        """
        return None

    def _read_shape(self, frames: Frames) -> tuple[int, int]:
        """(L, D) of what the module reads."""
        return frames.shape

    def _network(self, shape: Shape, initial: np.random.Generator) -> nn.Module:
        """What is trained, with initial values, on the CPU."""
        return build(lambda: self._module(shape), self.params.initial, initial)

    def _gradients(
        self, module: nn.Module, batch: Batch, loss: Callable[[Outputs], Tensor], random: np.random.Generator
    ) -> float:
        """Add the gradients of the loss of a batch, divided by the batches in a step; the loss.

        Args:
            module: In training.
            batch: Of train.
            loss: Of the outputs for it.
            random: Decides on dropout.
        """
        value = loss(self._forward(module, batch))
        (value / self.params.accumulate).backward()  # type: ignore[no-untyped-call]
        return float(value.detach())

    # What is the same for all.

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Train, stop early on dev and keep what is best there.

        Args:
            train: At least one example, with targets.
            dev: At least one example, with targets.
            seed: Decides initial values, order and dropout unless the recipe fixes it.

        Returns:
            What was selected on; dev score, epoch (or step) and layer weights of the chosen state; every evaluation.

        Raises:
            BenchError: There is no dev set, examples are not as they should be, the recipe selects on a metric of
                the other kind, or training diverged at once.
        """
        return self._fit(train, dev, None, seed)

    def _fit(self, train: Examples, dev: Examples, adapt: Examples | None, seed: int) -> Selection:
        """As `fit`; a head that adapts gives `adapt`, which its own `fit` takes."""
        with threads(1):
            return self._fit_in_one_thread(train, dev, adapt, seed)

    def _fit_in_one_thread(self, train: Examples, dev: Examples, adapt: Examples | None, seed: int) -> Selection:
        params = self.params
        refuse_nothing_to_select_on(self.name, train, dev)
        metric = None if params.select_on == "loss" else selecting_metric(params.select_on, train)
        fitted_on = self._targets = Targets.fit(train, "train")
        learnt = self._learnt(train, "train", None, params.memory * MIB)
        self._shape = learnt.frames.given_shape
        self._figures = learnt.frames.figures()
        learnt.frames.standardise(self.params.standardised, self._figures)
        # What train leaves; where it does not fit, its windows take half.
        free = params.memory * MIB - (learnt.frames.kept or params.memory * MIB / 2)
        held_out = self._learnt(dev, "dev", self._shape, free if adapt is None else free / 2)
        held_out.frames.standardise(self.params.standardised, self._figures)

        seeds = np.random.SeedSequence(seed if params.seed is None else params.seed).spawn(4)
        initial, order, dropout, target_order = (np.random.Generator(np.random.PCG64(one)) for one in seeds)
        layers, dim = self._read_shape(learnt.frames)
        classes = 0 if learnt.auxiliary is None else len(train.auxiliary_outputs)
        parts = tuple(size for _, size in train.parts) or (dim,)
        shape = Shape(layers, dim, parts, len(train.outputs), classes)
        module = self._network(shape, initial).to(self.device)
        give_dropout(module, dropout)
        supervised = Supervised.of(params, train.kind, learnt.y)
        score = None if metric is None else _dev_score(metric, dev, fitted_on)
        targets = self._targets_of_adapt(adapt, free - held_out.frames.kept, target_order)

        def gradients(batch: Batch, epoch: int) -> float:
            def loss(outputs: Outputs) -> Tensor:
                value = self._supervised_weight(epoch) * supervised(outputs, learnt, batch.rows)
                more = self._penalty(module, outputs, batch, targets(len(batch.rows)), epoch)
                return value if more is None else value + more

            return self._gradients(module, batch, loss, dropout)

        def evaluate() -> tuple[float, float] | None:
            outputs = self._outputs(module, held_out.frames)
            dev_loss = float(supervised(outputs, held_out, torch.arange(len(dev))))
            if not (np.isfinite(dev_loss) and bool(outputs.scores.isfinite().all())):
                return None
            return -dev_loss if score is None else score(outputs.scores), dev_loss

        dealing = self._dealing()
        best, curve = train_module(
            module,
            params,
            epoch=lambda: learnt.frames.epoch(dealing, order, self.device),
            gradients=gradients,
            evaluate=evaluate,
            report=self.report,
            checkpoint=None if adapt is not None else self.checkpoint,  # what was dealt of the target is not kept
            order=order,
            others={"dropout": dropout},
        )
        if best is None:
            raise BenchError(
                "training diverged before the first evaluation on dev",
                "a smaller learning rate, clip_norm, or normalisation: global, keep it finite",
            )
        give_dropout(module, None)
        self.module = module.to("cpu").eval()
        sign = 1.0 if metric is not None and metric.higher_is_better else -1.0
        return Selection(
            on=f"dev {'loss' if metric is None else metric.name}",
            score=sign * best.score,
            epoch=best.when,
            layer_weights=_layer_weights(self.module),
            curve=tuple(curve),
        )

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Log-probabilities (n, K) of the classes, or values (n, k) of the dimensions.

        Raises:
            BenchError: The head is not fitted, or the features are not like those it was fitted on.
        """
        outputs = self.outputs(examples).scores.double()
        if examples.kind == "classification":
            outputs = torch.log_softmax(outputs, dim=-1)
        return self._fitted_targets.scores(outputs.numpy())

    def outputs(self, examples: Examples) -> Outputs:
        """What the fitted module gives for utterances, on the CPU."""
        module = self._fitted_module
        with threads(1):
            frames = self._frames(examples, "test", self._shape, self.params.memory * MIB)
            frames.standardise(self.params.standardised, self._figures)
            return self._outputs(module.to(self.device), frames, to="cpu")

    def embeddings(self, examples: Examples) -> NDArray[np.float32]:
        """What the scores are made of, (n, E), on the CPU.

        Raises:
            BenchError: As `predict`; or the module has none.
        """
        found = self.outputs(examples).embedding
        return super().embeddings(examples) if found is None else found.numpy()

    def first_layer(self, examples: Examples) -> NDArray[np.float32]:
        """What the first linear layer makes of utterances, the mean over frames: (n, E).

        Raises:
            BenchError: As `predict`; or the module has none.
        """
        module = self._fitted_module
        with threads(1):
            frames = self._frames(examples, "test", self._shape, self.params.memory * MIB)
            frames.standardise(self.params.standardised, self._figures)
            batches = frames.in_order(self._dealing(), self.device)
            return first_linear(module.to(self.device), lambda batch: self._forward(module, batch), batches)

    def parameters(self) -> int:
        """Number of trained values."""
        return 0 if self.module is None else sum(parameter.numel() for parameter in trained(self.module))

    def _frames(self, examples: Examples, what: str, shape: tuple[int, int] | None, memory: float) -> Frames:
        return Frames(examples, what, Reading(self.params.layers, self.params.longest), memory, shape)

    def _learnt(self, examples: Examples, what: str, shape: tuple[int, int] | None, memory: float) -> Learnt:
        y = torch.from_numpy(self._fitted_targets.learnt(examples, what)).float().to(self.device)
        has_classes = self.params.auxiliary > 0 and examples.auxiliary is not None
        auxiliary = torch.from_numpy(examples.auxiliary).to(self.device) if has_classes else None
        return Learnt(self._frames(examples, what, shape, memory), y, auxiliary)

    @property
    def _fitted_module(self) -> nn.Module:
        if self.module is None:
            raise BenchError(f"the head {self.name} predicts before it is fitted", "call fit first")
        return self.module

    @property
    def _fitted_targets(self) -> Targets:
        if self._targets is None:
            raise BenchError(f"the head {self.name} predicts before it is fitted", "call fit first")
        return self._targets

    def _dealing(self) -> Dealing:
        return Dealing(self.params.batch_size, self.params.most_at_once, self.params.sort_batches)

    def _targets_of_adapt(
        self, adapt: Examples | None, memory: float, random: np.random.Generator
    ) -> Callable[[int], Batch | None]:
        """Deals as many utterances of the target as are asked for, in a new order whenever all were dealt."""
        if adapt is None:
            return lambda count: None
        frames = self._frames(adapt, "adapt", self._shape, memory)
        frames.standardise(self.params.standardised, self._figures)
        rows = frames.endless(random)
        return lambda count: frames.batch(np.array([next(rows) for _ in range(count)]), self.device)

    def _outputs(self, module: nn.Module, frames: Frames, to: str | None = None) -> Outputs:
        """Outputs for all utterances of a set, in its order."""
        module.eval()
        found: list[Outputs] = []
        rows = []
        with torch.no_grad():
            for batch in frames.in_order(self._dealing(), self.device):
                found.append(self._forward(module, batch))
                rows.append(batch.rows)
        back = torch.argsort(torch.cat(rows))

        def joined(values: Iterable[Tensor | None]) -> Tensor | None:
            there = [value for value in values if value is not None]
            return torch.cat(there)[back.to(there[0].device)].to(to or there[0].device) if there else None

        scores = joined(one.scores for one in found)
        if scores is None:
            raise BenchError("there is no utterance to predict")
        return Outputs(scores, joined(one.auxiliary for one in found), joined(one.embedding for one in found))


def _dev_score(metric: Metric, dev: Examples, targets: Targets) -> Callable[[Tensor], float]:
    """From outputs on dev (n, K) to the score that selects; higher is better."""
    truth, sign = truth_of(dev, "dev"), 1.0 if metric.higher_is_better else -1.0
    return lambda outputs: sign * score_of(metric.name, truth, targets.scores(outputs.double().cpu().numpy()))


def _layer_weights(module: nn.Module) -> tuple[float, ...] | None:
    """Those of the learnt layer sum, in its place; None where there is none, or where some are negative."""
    sums = [part for part in module.modules() if isinstance(part, LayerSum) and part.scores.numel()]
    if not sums:
        return None
    with torch.no_grad():
        weights = tuple(sums[0].weights().double().tolist())
    return weights if min(weights) >= 0 else None
