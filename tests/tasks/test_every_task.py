"""Every registered task is held to its contract somewhere, on a complete corpus that is made there."""

from __future__ import annotations

import test_tasks_acted
import test_tasks_licensed
import test_tasks_open

from benchmark.metrics import METRICS
from benchmark.registry.registry import Registry

# On the demo and on real speech: tests/benchmark/test_contracts_task.py.
ELSEWHERE = {"demo", "urdu", "urdu-random"}
REGISTRY = Registry()


def test_every_task_is_held_to_its_contract() -> None:
    held = {
        *test_tasks_acted.TASKS,
        *test_tasks_licensed.PLACES,
        *test_tasks_open.INDEPENDENT,
        *test_tasks_open.RANDOM,
        *test_tasks_open.OFFICIAL,
    }
    assert held | ELSEWHERE == set(REGISTRY.tasks())


def test_every_corpus_has_a_task() -> None:
    used = {part.corpus for name in REGISTRY.tasks() for part in REGISTRY.task(name).parts}
    assert {entry.name for entry in REGISTRY.corpora()} == used | {"csv"}


def test_every_task_has_a_line_metrics_with_directions_and_a_mark_where_speakers_overlap() -> None:
    for name in REGISTRY.tasks():
        task = REGISTRY.task(name)
        assert len(task.title) <= 100, name
        assert all(METRICS[metric].higher_is_better in (True, False) for metric in task.metrics)
        assert len(task.seeds) >= 3
        assert task.licence
        assert task.citation
        if name.endswith("-random"):
            assert not task.speaker_independent
            assert "speakers overlap" in task.title
