"""Known figures on real speech, measured independently with opensmile 2.6.0, soxr and scikit-learn."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmark.io.settings import load_settings
from benchmark.records import RecordStore
from benchmark.records.grouping import group
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.statistics import cell_scores

pytestmark = [pytest.mark.corpora, pytest.mark.slow]

# Pooled UAR [%] of support vector machines on URDU, one speaker left out: linear C = 0.01, and RBF C = 1, gamma auto.
# Ties of one-vs-one votes go by the decision values, as by scikit-learn's `SVC(break_ties=True)` on the same features.
# (With ties by the order of the classes it is 49.75, 49.00, 52.25 and 44.00; and where samples beyond full scale, which
# resampling makes in 66 of 400 recordings, change their sign in openSMILE's 16 bits, 48.25, 47.25, 51.00 and 43.75.)
HELD_OUT = {
    ("egemaps", "svm"): 48.75,
    ("egemaps", "svm-rbf"): 48.75,
    ("compare", "svm"): 51.00,
    ("compare", "svm-rbf"): 44.00,
}


@pytest.mark.parametrize("upstream", ["egemaps", "compare"])
def test_functionals_on_urdu_score_what_they_are_known_to_score(upstream: str, progress) -> None:
    pytest.importorskip("opensmile", reason="the extra opensmile is not installed")
    settings = load_settings()
    if not (Path(os.environ.get("BENCH_DATA", "/nowhere")) / "urdu").is_dir():
        pytest.skip("URDU is not at hand: set BENCH_DATA")
    run(Request([upstream], ["urdu", "urdu-random"], ["svm", "svm-rbf"]), Registry(), settings, progress, "cpu")
    cells = group(RecordStore(settings.results)).cells
    scores = {(cell.task.name, cell.downstream.name): 100 * cell_scores(cell, "uar").mean for cell in cells}
    for downstream in ("svm", "svm-rbf"):
        assert scores["urdu", downstream] == pytest.approx(HELD_OUT[upstream, downstream], abs=1.0)
        assert scores["urdu-random", downstream] > 80
    assert any("26 of 29 speakers have one class only" in note for note in progress.notes)
