"""A training that was killed ends with the same bytes as one that was not."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from tiny_models import save_model

from benchmark.base import Downstream
from benchmark.contracts.toy_upstream import ToyUpstream
from benchmark.contracts.toys import toy
from benchmark.types import Selection
from downstreams.heads.finetune import Finetune
from downstreams.heads.linear import Linear
from downstreams.params.finetune import FinetuneMeanParams
from downstreams.params.linear import LinearParams
from downstreams.training import checkpoints
from upstreams.pretrained.huggingface import HuggingFace

SHARED = {
    "layers": "all",
    "hidden": 8,
    "batch_size": 8,
    "accumulate": 2,
    "dropout": 0.3,
    "optimiser": {"name": "adam", "learning_rate": 0.01},
    "maximum": 3,
    "patience": None,
    "select_on": "primary",
}
TUNED = {**SHARED, "trains": "all", "activation": "none", "max_seconds": None}
FRAMES = {**SHARED, "normalisation": "global", "max_frames": None}
LOW_RANK = {"trains": "low-rank", "low_rank": {"rank": 2, "alpha": 2, "targets": "feed-forward"}}
BY_STEPS = {"unit": "steps", "maximum": 9, "evaluate_every": 2}


class KilledError(Exception):
    """In place of the end of the process."""


def head(kind: str, path: Path | None, **changes: Any) -> Downstream:
    made: Downstream
    if kind == "waveform":
        made = Finetune(FinetuneMeanParams.model_validate({**TUNED, **changes}))
        made.upstream = ToyUpstream()
    else:
        made = Linear(LinearParams.model_validate({**FRAMES, **changes}))
    made.checkpoint = path
    return made


def data(kind: str) -> tuple[Any, Any, Any]:
    sets = [toy(kind, utterances=n, speakers=3, seed=seed, frames=(5, 9)) for seed, n in enumerate((45, 18, 18))]
    return sets[0], sets[1], replace(sets[2], y=None)


def batches(made: Downstream, kill_at: int | None = None) -> list[int]:
    """Count the batches that a head learns from; let it die at one of them."""
    seen: list[int] = []
    usual = made._gradients

    def gradients(module: Any, batch: Any, loss: Any, random: Any) -> float:
        if len(seen) == kill_at:
            raise KilledError
        seen.append(len(batch.rows))
        return usual(module, batch, loss, random)

    made._gradients = gradients
    return seen


def fit(made: Downstream, kind: str) -> tuple[Selection, bytes]:
    train, dev, test = data(kind)
    selection = made.fit(train, dev, seed=0)
    return selection, made.predict(test).tobytes()


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step is kept."""
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)


@pytest.mark.parametrize("kind", ["waveform", "frames"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sort_batches": 2},
        BY_STEPS,
        {"schedule": {"kind": "warmup", "rise": 2, "total": 9, "per": "step"}},
        {"optimiser": {"name": "sgd", "learning_rate": 0.01, "momentum": 0.9}},
    ],
    ids=["epochs", "sorted", "steps", "schedule", "momentum"],
)
def test_a_killed_training_ends_with_the_same_bytes(tmp_path: Path, kind: str, changes: dict[str, Any]) -> None:
    whole = head(kind, None, **changes)
    every = batches(whole)
    expected = fit(whole, kind)
    for kill_at in (3, 6, len(every) - 1):
        path = tmp_path / f"{kill_at}.safetensors"
        killed = head(kind, path, **changes)
        batches(killed, kill_at)
        with pytest.raises(KilledError):
            fit(killed, kind)
        again = head(kind, path, **changes)
        left = batches(again)
        assert fit(again, kind) == expected
        assert len(left) == len(every) - kill_at + kill_at % 2  # two batches make a step


def test_killed_twice(tmp_path: Path) -> None:
    expected = fit(head("waveform", None), "waveform")
    path = tmp_path / "unit.safetensors"
    for _ in range(2):
        killed = head("waveform", path)
        batches(killed, 4)
        with pytest.raises(KilledError):
            fit(killed, "waveform")
    assert fit(head("waveform", path), "waveform") == expected


def test_patience_counts_on(tmp_path: Path) -> None:
    changes = {"maximum": 30, "patience": 2, "optimiser": {"name": "adam", "learning_rate": 0.1}}
    expected = fit(head("frames", None, **changes), "frames")
    assert len(expected[0].curve) < 30
    killed = head("frames", tmp_path / "unit.safetensors", **changes)
    batches(killed, 3 * len(expected[0].curve))
    with pytest.raises(KilledError):
        fit(killed, "frames")
    assert fit(head("frames", tmp_path / "unit.safetensors", **changes), "frames") == expected


@pytest.mark.parametrize("changes", [{"frozen": ["convolutions"]}, LOW_RANK], ids=["all", "low-rank"])
def test_a_small_model_of_transformers_goes_on(tmp_path: Path, changes: dict[str, Any]) -> None:
    upstream = HuggingFace(str(save_model(tmp_path / "model", "wav2vec2-base", initializer_range=0.05)))

    def made(path: Path | None) -> Downstream:
        one = head("waveform", path, maximum=2, **changes)
        one.upstream = upstream
        return one

    expected = fit(made(None), "waveform")
    killed = made(tmp_path / "unit.safetensors")
    batches(killed, 8)
    with pytest.raises(KilledError):
        fit(killed, "waveform")
    with safe_open(tmp_path / "unit.safetensors", "pt") as file:
        names = [name for name in file.keys() if name.startswith("module/upstream")]  # noqa: SIM118
    is_low_rank = "low_rank" in changes
    assert all("lora_" in name for name in names) == is_low_rank
    assert not any("feature_extractor" in name for name in names)
    assert fit(made(tmp_path / "unit.safetensors"), "waveform") == expected


@pytest.mark.parametrize("content", [b"", b"junk", b"\x02\0\0\0\0\0\0\0{}"])
def test_what_is_no_checkpoint_is_told_and_training_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path = tmp_path / "unit.safetensors"
    path.write_bytes(content)
    expected = fit(head("frames", None), "frames")
    with caplog.at_level(logging.WARNING):
        assert fit(head("frames", path), "frames") == expected
    assert "the checkpoint unit.safetensors cannot be read" in caplog.text


def test_a_short_training_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS", 300.0)
    fit(head("frames", tmp_path / "unit.safetensors"), "frames")
    assert list(tmp_path.iterdir()) == []
