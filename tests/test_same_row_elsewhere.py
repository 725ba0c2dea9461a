"""A row comes out equal on another processor: the demo, with the same features, under two instruction sets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.records import RecordStore
from benchmark.records.grouping import group
from benchmark.statistics import cell_scores

ROOT = Path(__file__).parents[1]
UPSTREAMS = ("logmel", "mfcc")
EQUAL = 0.001  # of a share: 0.1 of the score that is shown
# torch's own kernels without vector instructions, and the libraries of linear algebra as on an older processor.
OLDER = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3",
}


def scores(folder: Path, environment: dict[str, str]) -> dict[tuple[str, str], float]:
    """The row of each upstream and head of a run on the demo."""
    command = "from benchmark.cli import main; main()"
    arguments = ["run", "--task", "demo", *(part for name in UPSTREAMS for part in ("--upstream", name))]
    arguments += ["--downstream", "superb", "--downstream", "svm"]
    known = {**os.environ, "BENCH_CACHE": str(folder / "cache"), **environment}
    results = folder / ("older" if environment else "here")
    subprocess.run(
        [sys.executable, "-c", command, *arguments, "--results", str(results)],
        check=True, cwd=ROOT, env=known, capture_output=True, timeout=1200,
    )  # fmt: skip
    cells = group(RecordStore(results)).cells
    return {(cell.upstream.name, cell.downstream.name): cell_scores(cell, "uar").mean for cell in cells}


@pytest.mark.slow
def test_rows_of_the_demo_are_equal_under_two_instruction_sets(tmp_path: Path) -> None:
    """The features are stored by the first run and read by the second: heads alone are compared."""
    here, older = scores(tmp_path, {}), scores(tmp_path, OLDER)
    assert sorted(here) == [(upstream, head) for upstream in UPSTREAMS for head in ("superb", "svm")]
    assert older == pytest.approx(here, abs=EQUAL)
