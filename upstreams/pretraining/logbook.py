"""The log of a pre-training: one line of JSON every so many steps, without times, so that it repeats byte by byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmark.io.files import write_atomically
from upstreams.pretraining.losses import deviation
from upstreams.pretraining.recipe import RATE, Collapse
from upstreams.pretraining.student import Outcome


class Step:
    """Sums over the micro-batches of a step that one process takes, to be added to those of the others."""

    def __init__(self, dim: int, device: str) -> None:
        self._sums = torch.zeros(6 + 4 * dim, dtype=torch.float64, device=device)
        self._dim = dim

    def add(self, outcome: Outcome, samples: int) -> None:
        """Take in a micro-batch."""
        figures = [
            outcome.loss.detach().double(),
            torch.tensor(float(outcome.masked), dtype=torch.float64),
            torch.tensor(float(outcome.utterances), dtype=torch.float64),
            outcome.frame_loss.double(),
            outcome.utterance_loss.double(),
            torch.tensor(float(samples), dtype=torch.float64),
        ]
        heads = torch.stack([one.to(self._sums.device) for one in figures])
        self._sums += torch.cat([heads, outcome.targets.flatten().double(), outcome.predictions.flatten().double()])

    @property
    def sums(self) -> Tensor:
        """To be summed over processes."""
        return self._sums

    def figures(self) -> dict[str, float]:
        """Numbers of the step."""
        loss, masked, utterances, frames, whole, samples = map(float, self._sums[:6])
        moments = self._sums[6:].view(2, 2, self._dim)
        count = torch.tensor(masked, device=self._sums.device)
        return {
            "loss": loss / masked,
            "masked": masked,
            "utterances": utterances,
            "frame_loss": frames,
            "utterance_loss": whole,
            "samples": samples,
            "target_deviation": deviation(count, moments[0, 0], moments[0, 1]),
            "prediction_deviation": deviation(count, moments[1, 0], moments[1, 1]),
        }


class Log:
    """Writes lines of figures, each the mean since the line before.

    Args:
        path: The file.
        every: Steps between two lines.
        collapse: When to warn.
        has: Which losses there are: of frames, of utterances.
    """

    def __init__(self, path: Path, every: int, collapse: Collapse, has: tuple[bool, bool]) -> None:
        self._path = path
        self._every = every
        self._collapse = collapse
        self._has = has
        self.window: dict[str, float] = {}
        self.warned = False
        self.lines: list[dict[str, Any]] = []

    def resume(self, step: int, window: Mapping[str, float], warned: bool) -> None:
        """Go on after a step: lines of later ones are written again."""
        self.window, self.warned = dict(window), warned
        if self._path.is_file():
            lines = [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]
            self.lines = [line for line in lines if line["step"] <= step]

    def add(self, step: int, epoch: int, figures: Mapping[str, float], settings: Mapping[str, float]) -> str | None:
        """Take in a step.

        Args:
            step: Steps that are done.
            epoch: Of its first micro-batch, from 1.
            figures: As `Step.figures`, and the norm of the gradient.
            settings: Learning rate and decay.

        Returns:
            A warning, where the model collapses.
        """
        for name, value in {**figures, "steps": 1.0}.items():
            self.window[name] = self.window.get(name, 0.0) + value
        if step % self._every:
            return None
        sums, steps = self.window, self.window["steps"]
        line: dict[str, Any] = {
            "step": step,
            "epoch": epoch,
            "loss": sums["loss"] / steps,
            "frame_loss": sums["frame_loss"] / sums["masked"] if self._has[0] else None,
            "utterance_loss": sums["utterance_loss"] / sums["utterances"] if self._has[1] else None,
            **settings,
            "target_deviation": sums["target_deviation"] / steps,
            "prediction_deviation": sums["prediction_deviation"] / steps if self._has[0] else None,
            "gradient_norm": sums["gradient_norm"] / steps,
            "audio_hours": (self.lines[-1]["audio_hours"] if self.lines else 0.0) + sums["samples"] / RATE / 3600,
        }
        self.window = {}
        self.lines.append(line)
        warning = self._collapsed(line)
        if warning is not None:
            line["warning"] = warning
        self.write()
        return warning

    def _collapsed(self, line: Mapping[str, Any]) -> str | None:
        """What is wrong, told once."""
        if self.warned or line["step"] <= self._collapse.after:
            return None
        for what, least in (("target", self._collapse.target), ("prediction", self._collapse.prediction)):
            found = line[f"{what}_deviation"]
            if found is not None and found < least:
                self.warned = True
                return f"the model collapses: the deviation of {what}s is {found:.4f}, below {least:g}"
        return None

    def write(self) -> None:
        """Write all lines."""
        write_atomically(self._path, "".join(json.dumps(line) + "\n" for line in self.lines).encode())
