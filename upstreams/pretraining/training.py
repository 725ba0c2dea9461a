"""The training, step by step."""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmark.errors import BenchError, MissingError
from upstreams.pretraining.dealing import Deal, Drawn, MicroBatch, generator
from upstreams.pretraining.logbook import Log, Step
from upstreams.pretraining.masking import draw_masks
from upstreams.pretraining.processes import Processes
from upstreams.pretraining.recipe import PretrainingRecipe
from upstreams.pretraining.saved import Saved
from upstreams.pretraining.schedules import decay, learning_rate
from upstreams.pretraining.speech import Read, Reader
from upstreams.pretraining.student import Student
from upstreams.pretraining.teacher import Teacher

SECONDS = 300.0  # of training that a kill can cost
FIRST_SCALE = 128.0  # of losses in fp16: facebookresearch/fairseq, fp16_init_scale
LOWEST_SCALE = 1e-6  # base_audio_only_task.yaml: min_loss_scale


@dataclass(frozen=True)
class Told:
    """What is told after each step: steps done, the warning of a collapse if there is one."""

    step: int
    warning: str | None


class Training:
    """Everything that a step needs.

    Args:
        recipe: Everything that decides the weights.
        student: With the weights of the start.
        deal: Deals micro-batches.
        reader: Reads them.
        processes: Those that train together.

    Raises:
        MissingError: The recipe computes in fp16, and there is no GPU.
    """

    def __init__(
        self, recipe: PretrainingRecipe, student: Student, deal: Deal, reader: Reader, processes: Processes
    ) -> None:
        self.recipe, self.student, self._deal, self._reader = recipe, student, deal, reader
        self._processes = processes
        device = processes.device
        if recipe.precision == "fp16" and not device.startswith("cuda"):
            raise MissingError("precision fp16 needs a GPU", "--set precision=null, or bf16")
        self.student.to(device)
        self.teacher = Teacher(student.encoder, recipe)
        one = recipe.optimiser
        self.optimiser = torch.optim.AdamW(
            student.parameters(), lr=0.0, betas=one.betas, eps=one.epsilon, weight_decay=one.weight_decay
        )
        self.scaler = torch.amp.GradScaler(
            torch.device(device).type, enabled=recipe.precision == "fp16", init_scale=FIRST_SCALE
        )
        self._shared = processes.shared(student, leaves_out=recipe.dropout.blocks > 0)
        self.done = 0

    def run(self, saved: Saved, log: Log, tell: Callable[[Told], None], seconds: float = SECONDS) -> None:
        """Take all steps that are left.

        Args:
            saved: Where the state is kept.
            log: Where figures go.
            tell: Called after each step, by every process.
            seconds: Between two states that are kept.

        Raises:
            BenchError: A loss or a gradient is not finite; the state before that step is kept.
        """
        recipe, leads = self.recipe, self._processes.leads
        told = saved.resume()
        if told is not None:
            self.done = told["step"]
            log.resume(self.done, told["window"], told["warned"])
        written = time.monotonic()
        steps = range(self.done, recipe.schedule.steps)
        rank, world = self._processes.rank, self._processes.world
        micro_batches = itertools.chain.from_iterable(self._deal.step(step, rank, world) for step in steps)
        with contextlib.closing(self._reader.read(micro_batches)) as reading:
            for step in steps:
                try:
                    figures, settings = self._step(step, reading)
                except BenchError:
                    if leads:
                        saved.write(self.done, log.window, log.warned)
                    raise
                self.done = step + 1
                epoch = self._deal.micro_batch(step * recipe.batch.micro_batches).epoch + 1
                warning = log.add(self.done, epoch, figures, settings) if leads else None
                if leads and (time.monotonic() - written >= seconds or self.done == recipe.schedule.steps):
                    saved.write(self.done, log.window, log.warned)
                    written = time.monotonic()
                tell(Told(self.done, warning))

    def _step(self, step: int, reading: Iterator[Read]) -> tuple[dict[str, float], dict[str, float]]:
        """One optimiser step: its figures, and its learning rate and decay."""
        recipe, processes, device = self.recipe, self._processes, self._processes.device
        schedule, teacher = recipe.schedule, recipe.teacher
        rate = learning_rate(step, recipe.optimiser.learning_rate, schedule.steps, schedule.warm_up)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        number = recipe.batch.micro_batches // processes.world
        drawn = [self._drawn(*next(reading)) for _ in range(number)]
        masked = processes.sum(torch.tensor(float(sum(int(masks.sum()) for _, _, masks in drawn)), device=device))
        sums = Step(recipe.model.dim, device)
        self.student.train()
        self.optimiser.zero_grad(set_to_none=True)
        for place, (micro_batch, waves, masks) in enumerate(drawn):
            is_last = place == number - 1
            with self._alone(is_last), self._drawing(micro_batch):
                with self._precision():
                    outcome = self._shared(waves.to(device), masks.to(device), self.teacher)
                # Gradients are averaged over processes; a step divides their sum by its masked frames.
                self.scaler.scale(outcome.loss * processes.world / masked).backward()
            sums.add(outcome, waves.numel())
        processes.sum(sums.sums)
        figures = sums.figures()
        self._refuse_not_finite(step, "loss", figures["loss"])
        self.scaler.unscale_(self.optimiser)
        norm = float(nn.utils.clip_grad_norm_(self.student.parameters(), recipe.optimiser.clip_norm or math.inf))
        if not self.scaler.is_enabled():  # in fp16 the scaler leaves such a step out
            self._refuse_not_finite(step, "gradient", norm)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if self.scaler.is_enabled() and self.scaler.get_scale() < LOWEST_SCALE:
            self._refuse_not_finite(step, "gradient in fp16", math.inf)
        kept = decay(step + 1, teacher.first, teacher.last, teacher.steps)
        self.teacher.follow(self.student.encoder, kept)
        figures["gradient_norm"] = norm if math.isfinite(norm) else 0.0
        return figures, {"learning_rate": rate, "ema_decay": kept}

    def _drawn(
        self, micro_batch: MicroBatch, waves: NDArray[np.float32], random: np.random.Generator
    ) -> tuple[MicroBatch, torch.Tensor, torch.Tensor]:
        frames = self.recipe.model.frames(waves.shape[1])
        rows = len(micro_batch.recordings) * self.recipe.masking.copies
        masks = draw_masks(rows, frames, self.recipe.masking, random)
        return micro_batch, torch.from_numpy(waves), torch.from_numpy(masks)

    def _alone(self, is_last: bool) -> contextlib.AbstractContextManager[None]:
        """Gradients of all micro-batches but the last stay with their process."""
        return contextlib.nullcontext() if is_last or self._processes.world == 1 else self._shared.no_sync()

    @contextlib.contextmanager
    def _drawing(self, micro_batch: MicroBatch) -> Iterator[None]:
        """Let dropout and noise follow from the seed and the number of a micro-batch, and nothing else."""
        device = torch.device(self._processes.device)
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):
            torch.manual_seed(int(generator(self.recipe.seed, Drawn.DROPOUT, micro_batch.number).integers(2**63)))
            yield

    def _precision(self) -> contextlib.AbstractContextManager[object]:
        chosen = {"bf16": torch.bfloat16, "fp16": torch.float16}
        if self.recipe.precision is None:
            return contextlib.nullcontext()
        return torch.autocast(torch.device(self._processes.device).type, chosen[self.recipe.precision])

    def _refuse_not_finite(self, step: int, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise BenchError(
                f"the {what} of step {step + 1} is {value}: training diverged; the state after step {step} is kept",
                "a smaller optimiser.learning_rate, or optimiser.clip_norm, by --set and in another --out",
            )


def new_student(recipe: PretrainingRecipe) -> Student:
    """A student with random weights that follow from the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator(recipe.seed, Drawn.WEIGHTS).integers(2**63)))
        return Student(recipe)
