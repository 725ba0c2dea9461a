"""Threads and devices: how torch computes the same numbers whatever else the machine does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from benchmark.errors import MissingError

GIVEN = "OMP_NUM_THREADS"


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch and the libraries of linear algebra compute in so many threads, one for heads and by rule for encoding.

    Heads are small: threads would cost more than they bring, many times more where another process keeps a core busy,
    and the order in which they add up would make numbers depend on how many cores there are.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    use_threads(number)
    try:
        with threadpool_limits(number):
            yield
    finally:
        torch.set_num_threads(before)


def use_threads(number: int) -> None:
    """Let torch compute in so many threads for the calling one; a thread that is started later needs it said again."""
    import torch

    torch.set_num_threads(number)


def given_threads() -> int | None:
    """What OMP_NUM_THREADS says; None where it says nothing."""
    given = os.environ.get(GIVEN, "")
    return int(given) if given.isdecimal() and int(given) > 0 else None


def encoding_threads() -> int:
    """Threads of one encoder on a CPU that encodes a batch at a time: one, or as many as OMP_NUM_THREADS says.

    All cores, which is what torch takes of itself, wait for the slowest of them in every layer: where other processes
    keep one busy, a small model is many times slower with two threads than with one (`docs/speed.md`), and what a
    number costs depends on who else computes. With one thread the same numbers cost the same processor time anywhere.
    """
    return given_threads() or 1


def batches_at_once() -> int:
    """Batches that are encoded at once on a CPU, in one thread each, where the upstream allows it.

    As many as there are cores, or as OMP_NUM_THREADS says. No thread waits for another, and the bytes do not depend on
    their number.
    """
    return given_threads() or available_cores()


def gpus() -> int:
    """CUDA devices that torch finds here."""
    import torch

    return torch.cuda.device_count()


def resolve_device(device: str) -> str:
    """Turn "auto" into "cuda" where there is one, else "cpu", and make torch repeat its numbers exactly.

    Raises:
        MissingError: "cuda" is asked for and there is none.
    """
    # Read by cuBLAS when it is first used; without it matrix products on a GPU may differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    # As `use_deterministic_algorithms`, which imports torch's compiler beside and takes a second more for it.
    torch.set_deterministic_debug_mode("error")
    if device == "cuda" and not torch.cuda.is_available():
        raise MissingError("--device cuda: torch finds no CUDA device", "use --device cpu, or install torch for CUDA")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device
