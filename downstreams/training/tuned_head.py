"""Heads that train the upstream: the loop, losses, batches and selection of heads on frames, on waveforms.

A waveform is read as frames of one layer and one value. The upstream stands before the head in one module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.base import HeadParams, Upstream
from benchmark.base.downstream import TrainingSize
from benchmark.errors import BenchError, MissingError
from benchmark.io.packages import find_module
from benchmark.lazy import LazyMapping, LazySequence
from benchmark.types import Examples, Precision, Selection
from downstreams.modules.drawing import build, give_dropout
from downstreams.modules.interface import Outputs, Shape
from downstreams.params.finetune import FinetuneParams
from downstreams.training.frames import Batch, Dealing, Frames, Reading
from downstreams.training.module_head import ModuleHead
from downstreams.training.module_state import changing, restore, trained
from downstreams.training.tuned_module import TunedModule, choose, merge

DTYPES: Mapping[Precision, str] = {"bf16": "bfloat16", "fp16": "float16"}


class TunedHead(ModuleHead):
    """Base of heads that train the upstream; a subclass makes the module that reads its frames.

    Raises:
        MissingError: The recipe needs peft, which is not installed.
        BenchError: While fitting: a loss, or an output on dev, is not finite.
    """

    Params: ClassVar[type[HeadParams]] = FinetuneParams
    params: FinetuneParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        if self.params.low_rank is not None and find_module("peft") is None:
            raise MissingError("low-rank matrices need peft", "pip install 'serbench[lora]'")
        self._made_for: Shape | None = None

    @property
    def _source(self) -> Upstream:
        if self.upstream is None:
            raise BenchError(f"the head {self.name} has no upstream to train", "a run gives it that of its cell")
        return self.upstream

    def _samples(self, seconds: float | None) -> int | None:
        return None if seconds is None else max(1, round(seconds * self._source.sample_rate))

    def _frames(self, examples: Examples, what: str, shape: tuple[int, int] | None, memory: float) -> Frames:
        reading = Reading("all", self._samples(self.params.max_seconds))
        return Frames(replace(examples, x=_columns(examples)), what, reading, memory, shape)

    def _dealing(self) -> Dealing:
        return Dealing(self.params.batch_size, self._samples(self.params.batch_seconds), self.params.sort_batches)

    def _read_shape(self, frames: Frames) -> tuple[int, int]:
        return self._source_shape()

    def _source_shape(self) -> tuple[int, int]:
        layers, dim = self._source.layers, self._source.dim
        if layers is None or dim is None:
            raise BenchError(
                f"the upstream {self._source.name!r} declares no layers and dim", "one that is trained does"
            )
        return (layers if self.params.layers == "all" else 1), dim

    def _network(self, shape: Shape, initial: np.random.Generator) -> nn.Module:
        self._made_for = shape
        trainable = self._source.trainable()
        choose(trainable, self.params, int(initial.integers(2**63)))
        if self.params.checkpointing:
            trainable.save_memory()
        head = build(lambda: self._module(shape), self.params.initial, initial)
        return TunedModule(trainable, head, self.params)

    def training_size(self, outputs: int) -> TrainingSize:
        """See `Downstream.training_size`; the upstream is loaded for it."""
        layers, dim = self._source_shape()
        network = self._network(Shape(layers, dim, (dim,), outputs, 0), np.random.Generator(np.random.PCG64(0)))
        learns = sum(parameter.numel() for parameter in trained(network))
        state = sum(value.numel() for value in changing(network).values())
        # The state, the best one, and what Adam remembers.
        return TrainingSize(learns, state * (4 if self.params.kept is None else 2), 4 * (2 * state + 2 * learns))

    def _fit_in_one_thread(self, train: Examples, dev: Examples, adapt: Examples | None, seed: int) -> Selection:
        selection = super()._fit_in_one_thread(train, dev, adapt, seed)
        if self.module is not None and self.params.kept is not None:
            restore(self.module, {name: _long(_short(value, self.params.kept)) for name, value in self._state()})
        return selection

    def _state(self) -> list[tuple[str, Tensor]]:
        return [] if self.module is None else list(changing(self.module).items())

    def to_keep(self) -> dict[str, Any]:
        """What training has changed, and nothing of what the upstream was."""
        state = {name: _short(value, self.params.kept) for name, value in self._state()}
        attributes = {name: value for name, value in super().to_keep().items() if name != "module"}
        return {**attributes, "state": state}

    def from_kept(self, learnt: Mapping[str, Any]) -> None:
        """Make the module anew from the upstream, and change it as it was changed.

        Raises:
            BenchError: The upstream is another one.
        """
        super().from_kept({name: value for name, value in learnt.items() if name != "state"})
        if self._made_for is None:
            raise BenchError(f"the head {self.name} was kept before it was fitted", "remove it and run again")
        module = self._network(self._made_for, np.random.Generator(np.random.PCG64(0)))
        there = {name: value.shape for name, value in changing(module).items()}
        if there != {name: value.shape for name, value in learnt["state"].items()}:
            raise BenchError(
                f"what {self.name} has learnt is of another network than {self._source.name!r}", "remove it, run again"
            )
        restore(module, {name: _long(value) for name, value in learnt["state"].items()})
        give_dropout(module, None)
        self.module = module.eval()

    def tuned(self) -> Upstream:
        """The upstream with its new weights, to which low-rank matrices are added.

        Raises:
            BenchError: The head is not fitted.
        """
        if not isinstance(self.module, TunedModule):
            raise BenchError(f"the head {self.name} has trained no upstream", "call fit first")
        merge(self.module.trainable)
        return self.module.trainable.upstream()

    def write_tuned(self, folder: Path) -> None:
        """Write the upstream with its new weights in the layout of its family; see `Trainable.save`.

        Raises:
            BenchError: The head is not fitted, or the upstream cannot be written.
        """
        if not isinstance(self.module, TunedModule):
            raise BenchError(f"the head {self.name} has trained no upstream", "call fit first")
        merge(self.module.trainable)
        self.module.trainable.save(folder)

    def _gradients(
        self, module: nn.Module, batch: Batch, loss: Callable[[Outputs], Tensor], random: np.random.Generator
    ) -> float:
        """As for heads on frames, a part of the batch in memory at a time.

        The loss may tie utterances to each other, as the CCC does: where a batch is cut, all outputs are computed first
        without gradients, then those of the loss by the outputs, and then, part by part, those by the weights.
        """
        count, share = len(batch.rows), self.params.accumulate
        seeds = random.integers(2**63, size=count, dtype=np.uint64)
        size = self.params.micro_batch or count
        parts = [slice(begin, begin + size) for begin in range(0, count, size)]

        def scores(part: slice) -> Tensor:
            module.seeds = seeds[part]  # type: ignore[assignment]
            outputs: Outputs = module(batch.x[part], batch.mask[part])
            return outputs.scores

        if len(parts) == 1:
            value = loss(Outputs(scores(parts[0])))
            found = _finite(value)
            (value / share).backward()  # type: ignore[no-untyped-call]
            return found
        with torch.no_grad():
            whole = torch.cat([scores(part) for part in parts])
        value = loss(Outputs(whole.requires_grad_()))
        found = _finite(value)
        (by_output,) = torch.autograd.grad(value / share, whole)
        for part in parts:
            scores(part).backward(by_output[part])  # type: ignore[no-untyped-call]
        return found

    def _outputs(self, module: nn.Module, frames: Frames, to: str | None = None) -> Outputs:
        outputs = super()._outputs(module, frames, to)
        if not bool(outputs.scores.isfinite().all()):
            raise BenchError("outputs are not finite: training diverged", "a smaller learning rate, or clip_norm")
        return outputs


def _short(value: Tensor, kept: Precision | None) -> Tensor:
    """A value in the precision in which it is kept."""
    return value.to(getattr(torch, DTYPES[kept])) if kept is not None and value.is_floating_point() else value


def _long(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _columns(examples: Examples) -> Sequence[NDArray[np.float32]]:
    """Waveforms (n,) as frames (1, n, 1), decoded when they are asked for."""
    rows = {name: row for row, name in enumerate(examples.ids)}

    def column(name: str) -> NDArray[np.float32]:
        wave = examples.x[rows[name]]
        if getattr(wave, "ndim", None) != 1:
            raise BenchError(f"{name!r} has no waveform", "expected a float32 array of shape (samples,)")
        return np.asarray(wave)[np.newaxis, :, np.newaxis]

    return LazySequence(LazyMapping(examples.ids, column), examples.ids)


def _finite(loss: Tensor) -> float:
    value = float(loss.detach())
    if not math.isfinite(value):
        raise BenchError(f"the loss of a batch is {value}: training diverged", "a smaller learning rate, or clip_norm")
    return value
