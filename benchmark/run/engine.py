"""The seam to processes that work for a run: jobs of plain values go in, plain values come out as they are finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from benchmark.errors import BenchError


class LostJobError(BenchError):
    """Every process that was given a job ended while it was at it."""


@dataclass(frozen=True)
class Finished:
    """What became of a job.

    Attributes:
        ticket: What `submit` gave for it.
        value: What the function returned; None where it raised.
        error: What it raised; `LostJobError` where no process survived it.
    """

    ticket: int
    value: Any
    error: Exception | None


class Engine(Protocol):
    """Processes on this machine or on others. Whatever starts and feeds them, a job that a process lost is done again.

    Attributes:
        workers: How many jobs are worked on at the same time.
        gpus: How many of those workers have a GPU of their own; jobs that ask for one go to these.
    """

    workers: int
    gpus: int

    def submit(self, job: Callable[..., Any], *arguments: object, gpu: bool = False) -> int:
        """Hand a job over.

        Args:
            job: A function of a module, which every process imports by its name.
            *arguments: Plain values.
            gpu: Whether it needs a worker with a GPU.

        Returns:
            The job's ticket.
        """

    def completed(self, tell: Callable[[str], None]) -> Iterator[Finished]:
        """Each job when it is finished, until none is left; more may be submitted meanwhile.

        Args:
            tell: Is told what is being waited for.

        Raises:
            BenchError: Whoever hands out the jobs is gone, or nobody is left to work on them.
        """

    def everywhere(self, job: Callable[..., Any], *arguments: object, tell: Callable[[str], None]) -> Mapping[str, Any]:
        """What a function returns on each worker, by the worker's address.

        Args:
            job: As for `submit`.
            *arguments: As for `submit`.
            tell: Is told what is being waited for.
        """

    def close(self) -> None:
        """Let the processes go; those that were started for this run end."""
