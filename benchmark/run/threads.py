"""Threads and devices: how torch computes the same numbers whatever else the machine does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from benchmark.errors import MissingError


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Fit heads in one thread.

    They are small: threads would cost more than they bring, many times more where another process keeps a core busy,
    and the order in which they add up would make numbers depend on how many cores there are.
    """
    with limited_threads(1):
        yield


@contextmanager
def limited_threads(most: int) -> Iterator[None]:
    """Let torch and the libraries of linear algebra compute in so many threads."""
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(most)
    try:
        with threadpool_limits(most):
            yield
    finally:
        torch.set_num_threads(threads)


def use_one_thread() -> None:
    """Let torch compute in the calling thread alone; a thread that is started later needs it said again."""
    use_threads(1)


def use_threads(count: int) -> None:
    """Let torch compute in so many threads."""
    import torch

    torch.set_num_threads(count)


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

    torch.use_deterministic_algorithms(True)
    if device == "cuda" and not torch.cuda.is_available():
        raise MissingError("--device cuda: torch finds no CUDA device", "use --device cpu, or install torch for CUDA")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device
