"""Fine-tuning in a run: waveforms reach the head, nothing is encoded, and the record says what was trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import save_model

from benchmark.errors import UsageError
from benchmark.io.settings import Settings
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request

QUICK = (
    "downstream.maximum=3",
    "downstream.batch_size=8",
    "downstream.accumulate=1",
    "downstream.optimiser.learning_rate=0.003",
)


def test_a_unit_trains_the_upstream_and_is_ranked_apart(
    toy_task: Path, settings: Settings, progress, tmp_path: Path
) -> None:
    model = save_model(tmp_path / "small", "moonshine")
    registry = Registry((), QUICK)
    asked = Request([f"hf:{model}"], [str(toy_task)], ["finetune"], folds=["anna"])
    (outcome,) = run(asked, registry, settings, progress, "cpu")
    assert (outcome.failed, outcome.completed, outcome.newly_encoded) == ({}, 1, 0)
    assert progress.encoded == []
    assert not (settings.cache / "features").exists()
    (record,) = RecordStore(settings.results)
    upstream = registry.upstream(f"hf:{model}")
    assert (record.upstream.layers, record.upstream.dim, record.upstream.parameters) == (4, 24, upstream.parameters())
    assert record.downstream.needs == "waveform"
    assert 0 < record.downstream.parameters < record.upstream.parameters + 24 * 256 + 256 + 256 * 2 + 2 + 4
    assert len(record.selection.layer_weights) == 4
    assert record.cost.encode_s is None
    losses = [point.train_loss for point in record.selection.curve]
    assert losses[-1] < losses[0]
    (again,) = run(asked, Registry((), QUICK), settings, progress, "cpu")
    assert (again.completed, again.kept) == (0, 1)


def test_what_cannot_be_trained_is_refused_before_any_work(toy_task: Path, settings: Settings, progress) -> None:
    for name in ("logmel", "logmel+mfcc"):
        with pytest.raises(UsageError, match=r"the downstream 'lora' trains the upstream, and 'logmel.*' cannot be"):
            run(Request([name], [str(toy_task)], ["lora"]), Registry(), settings, progress, "cpu")
