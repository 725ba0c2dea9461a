"""Threads: how many an encoder gets, and that they are given back."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmark.threads import available_cores, batches_at_once, encoding_threads, threads


@pytest.mark.parametrize(("given", "number"), [("", 1), ("3", 3), ("0", 1), ("-2", 1), ("many", 1)])
def test_an_encoder_gets_one_thread_unless_somebody_says_how_many(
    monkeypatch: pytest.MonkeyPatch, given: str, number: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert encoding_threads() == number
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert encoding_threads() == 1


def test_as_many_batches_at_once_as_there_are_cores_or_as_somebody_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert batches_at_once() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert batches_at_once() == available_cores()


def test_threads_are_given_back() -> None:
    import torch

    before = torch.get_num_threads()
    with threads(2):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


def test_numbers_are_made_to_repeat_without_loading_a_compiler() -> None:
    """Which takes as long as all of torch, in every process that computes."""
    code = (
        "import sys; from benchmark.threads import resolve_device; resolve_device('auto'); import torch\n"
        "print(torch.are_deterministic_algorithms_enabled(), 'torch._inductor' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
