"""What a training that was killed goes on from: weights, optimiser, generators and position, in one file.

The file is safetensors with JSON in its header, written atomically. Nothing in it is a pickle. Training that goes on
from it takes the same steps as it would have taken: on one machine it ends with the same bytes.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from benchmark.io.files import write_atomically
from benchmark.types import Evaluation
from downstreams.training.module_state import changing, restore
from downstreams.training.selection import Search

log = logging.getLogger(__name__)

FORMAT = 1
SECONDS = 300.0  # of training that a kill can cost


@dataclass
class Position:
    """How far a training is, after a step.

    Attributes:
        epoch: Of the last batch, counted from 1.
        batches: Of this epoch that are done.
        steps: Optimiser steps that are done.
        losses: Of the batches since the last evaluation.
    """

    epoch: int = 1
    batches: int = 0
    steps: int = 0
    losses: list[float] = field(default_factory=list)


class Checkpoint:
    """Keeps a training of one module on disk, and brings it back.

    Args:
        path: The file; its folder is made.
        module: What is trained.
        optimiser: What it is trained by.
        search: The best state so far.
        curve: Every evaluation so far.
        order: Decides on the order of the utterances, drawn from at the beginning of an epoch and within it.
        others: All that is drawn from beside.
    """

    def __init__(
        self,
        path: Path,
        module: nn.Module,
        optimiser: torch.optim.Optimizer,
        search: Search,
        curve: list[Evaluation],
        order: np.random.Generator,
        others: Mapping[str, np.random.Generator],
    ) -> None:
        self._path = path
        self._module = module
        self._optimiser = optimiser
        self._search = search
        self._curve = curve
        self._order = order
        self._others = others
        self._epoch_begins: Any = order.bit_generator.state
        self._written = time.monotonic()

    def begin_epoch(self) -> None:
        """Take note of what decides on the order of this epoch."""
        self._epoch_begins = self._order.bit_generator.state

    def write_if_due(self, position: Position) -> None:
        """Write where the last file is old; gradients must be used up."""
        if time.monotonic() - self._written >= SECONDS:
            self.write(position)

    def write(self, position: Position) -> None:
        """Write how far the training is."""
        tensors = {f"module/{name}": value for name, value in changing(self._module).items()}
        state = self._optimiser.state_dict()["state"]
        for number, values in state.items():
            named = {key: value for key, value in values.items() if isinstance(value, Tensor)}
            tensors |= {f"optimiser/{number}/{key}": value for key, value in named.items()}
        about, best = self._search.told(0)
        tensors |= {f"best/{number}": value for number, value in enumerate(best)}
        told = {
            "format": FORMAT,
            "position": asdict(position),
            "search": about,
            "curve": [asdict(point) for point in self._curve],
            "order": self._epoch_begins,
            "others": {name: random.bit_generator.state for name, random in self._others.items()},
        }
        content = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        write_atomically(self._path, save(content, {"training": json.dumps(told)}))
        self._written = time.monotonic()

    def resume(self) -> Position:
        """Go on from the file; from the beginning where there is none, or none that can be read."""
        if not self._path.is_file():
            return Position()
        try:
            with safe_open(self._path, "pt") as file:
                told = json.loads(file.metadata()["training"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
            if told["format"] != FORMAT:
                raise ValueError(f"format {told['format']}")
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the checkpoint %s cannot be read (%s); training begins anew", self._path.name, error)
            return Position()
        self._take(tensors, told)
        return Position(**told["position"])

    def _take(self, tensors: Mapping[str, Tensor], told: Mapping[str, Any]) -> None:
        def below(room: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(f"{room}/"): value for name, value in tensors.items() if name.startswith(f"{room}/")
            }

        restore(self._module, below("module"))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in below("optimiser").items():
            number, _, key = name.partition("/")
            state.setdefault(int(number), {})[key] = value
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": state, "param_groups": groups})
        best = below("best")
        device = next(self._module.parameters()).device
        self._search.restore(0, told["search"], [best[str(number)].to(device) for number in range(len(best))])
        self._curve.extend(Evaluation(**point) for point in told["curve"])
        self._order.bit_generator.state = told["order"]
        for name, random in self._others.items():
            random.bit_generator.state = told["others"][name]
