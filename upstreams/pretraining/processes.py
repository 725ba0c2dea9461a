"""Several processes, one for each GPU, as torchrun starts them; one process where it does not."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from benchmark.errors import UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Attributes:
        rank: Of this one, from 0.
        world: How many there are.
        device: Of this one.
    """

    rank: int
    world: int
    device: str

    @property
    def leads(self) -> bool:
        """Whether this one speaks and writes."""
        return self.rank == 0

    def check(self, micro_batches: int) -> None:
        """Refuse a number of processes that cannot share the micro-batches of a step.

        Raises:
            UsageError: It does not divide their number.
        """
        if micro_batches % self.world:
            raise UsageError(
                f"{self.world} processes cannot share {micro_batches} micro-batches of a step",
                f"--set batch.micro_batches=N with a multiple of {self.world} (which changes the recipe), or other "
                "processes",
            )

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.world > 1:
            torch.distributed.all_reduce(values)
        return values

    def shared(self, module: nn.Module, *, leaves_out: bool) -> Any:
        """A module whose gradients are the mean over all processes.

        Args:
            module: Equal in all of them.
            leaves_out: Whether a step may leave weights out, and not the same ones everywhere.
        """
        if self.world == 1:
            return module
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(
            module,
            device_ids=[torch.device(self.device)] if self.device.startswith("cuda") else None,
            find_unused_parameters=leaves_out,
        )

    def first(self, work: Callable[[], T]) -> T:
        """Let the leader work, then the others, who find what it left."""
        if self.world > 1 and not self.leads:
            torch.distributed.barrier()
        done = work()
        if self.world > 1 and self.leads:
            torch.distributed.barrier()
        return done


@contextlib.contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started.

    Args:
        device: "cpu" or "cuda".
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes(0, 1, device)
        return
    rank, place = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    own = f"cuda:{place}" if device == "cuda" else "cpu"
    if device == "cuda":
        torch.cuda.set_device(place)
    torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Processes(rank, world, own)
    finally:
        torch.distributed.destroy_process_group()
