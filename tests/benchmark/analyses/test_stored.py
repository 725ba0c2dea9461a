"""Features that a run left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.analyses.stored import stored_means
from benchmark.errors import MissingError
from benchmark.io.settings import Settings
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.run.unit import Setup
from benchmark.run.worker import Worker


@pytest.mark.parametrize("head", ["svm", "svm-statistics"])
def test_means_are_read_where_a_run_left_them(
    head: str, toy_task: Path, plugin: Path, settings: Settings, progress: object
) -> None:
    registry = Registry([str(plugin)])
    worker = Worker(Setup(settings, (str(plugin),)), registry)
    message = r"40 of 40 utterances of .*toy.yaml have no stored features of 'spectrum' \(bench run --upstream spectrum"
    with pytest.raises(MissingError, match=message):
        stored_means(worker, str(toy_task), "spectrum", progress)  # type: ignore[arg-type]
    run(Request(["spectrum"], [str(toy_task)], [head]), registry, settings, progress)  # type: ignore[arg-type]
    before = list(progress.encoded)  # type: ignore[attr-defined]
    found = stored_means(worker, str(toy_task), "spectrum", progress)  # type: ignore[arg-type]
    assert progress.encoded == before  # type: ignore[attr-defined]
    assert len(found) == 40
    assert {values.shape for values in found.values()} == {(1, 16)}
    assert np.std([values[0, 3] for values in found.values()]) > 0
