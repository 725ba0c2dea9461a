"""What a pre-training that was killed goes on from: weights, teacher, optimiser and position, in one file.

The file is safetensors with JSON in its header, written atomically. What is random follows from the seed and the number
of the step, so that no generator has a state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from benchmark.errors import BenchError, UsageError
from benchmark.io.files import write_atomically
from upstreams.pretraining.teacher import Teacher

FORMAT = 1


class Saved:
    """Keeps a training on disk, and brings it back.

    Args:
        path: The file.
        identity: Digest of all that decides the weights.
        student: What is trained.
        teacher: What follows it.
        optimiser: What it is trained by.
        scaler: Of gradients in fp16.
    """

    def __init__(
        self,
        path: Path,
        identity: str,
        student: nn.Module,
        teacher: Teacher,
        optimiser: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
    ) -> None:
        self.path = path
        self._identity = identity
        self._student, self._teacher = student, teacher
        self._optimiser, self._scaler = optimiser, scaler

    def write(self, step: int, window: Mapping[str, float], warned: bool) -> None:
        """Write the state after a step.

        Args:
            step: Steps that are done.
            window: Sums since the last line of the log.
            warned: Whether collapse was told.
        """
        tensors: dict[str, Tensor] = {f"student/{name}": value for name, value in self._student.named_parameters()}
        tensors |= {f"teacher/{name}": value for name, value in self._teacher.encoder.named_parameters()}
        for number, values in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{number}/{key}": value for key, value in values.items()}
        told = {
            "format": FORMAT,
            "identity": self._identity,
            "step": step,
            "window": dict(window),
            "warned": warned,
            "scaler": self._scaler.state_dict(),
        }
        content = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        write_atomically(self.path, save(content, {"training": json.dumps(told)}))

    def told(self) -> dict[str, Any] | None:
        """What the file says of itself; None where there is none.

        Raises:
            BenchError: It cannot be read.
            UsageError: It is of another training.
        """
        if not self.path.is_file():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                told: dict[str, Any] = json.loads(file.metadata()["training"])
            if told["format"] != FORMAT:
                raise ValueError(f"format {told['format']}")
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise BenchError(f"{self.path} cannot be read: {error}", "remove it to begin anew") from error
        if told["identity"] != self._identity:
            raise UsageError(
                f"{self.path.parent.parent} holds a training of another recipe, start or data, at step {told['step']}",
                "give the options that it was begun with, or another --out",
            )
        return told

    def resume(self) -> dict[str, Any] | None:
        """Go on from the file, and return what it says of itself; None where there is none.

        Raises:
            BenchError: It cannot be read.
            UsageError: It is of another training.
        """
        told = self.told()
        if told is None:
            return None
        with safe_open(self.path, "pt") as file, torch.no_grad():
            for room, module in (("student", self._student), ("teacher", self._teacher.encoder)):
                for name, value in module.named_parameters():
                    value.copy_(file.get_tensor(f"{room}/{name}"))
            state: dict[int, dict[str, Tensor]] = {}
            for name in file.keys():  # noqa: SIM118  no mapping
                if name.startswith("optimiser/"):
                    _, number, key = name.split("/")
                    state.setdefault(int(number), {})[key] = file.get_tensor(name)
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": state, "param_groups": groups})
        if told["scaler"]:
            self._scaler.load_state_dict(told["scaler"])
        return told
