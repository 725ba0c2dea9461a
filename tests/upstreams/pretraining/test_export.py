"""The folder of a model: what it says, and that FunASR's class makes of it what we make of it.

The test that needs funasr runs where it is installed; `make test-funasr` makes such a place, and there it is not
skipped.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from sound_files import voice
from tiny_pretraining import ABLATIONS, SMALL, as_changes, request, tiny, write_audio

from benchmark.io.settings import Settings
from benchmark.progress import Unheard
from benchmark.registry.registry import Registry
from upstreams.funasr.checkpoint_files import FunASRCheckpoint
from upstreams.funasr.emotion2vec import Emotion2vec
from upstreams.pretraining.pretrain import Request, pretrain
from upstreams.pretraining.speech import Source
from upstreams.pretraining.training import new_student
from upstreams.pretraining.upstream import Pretrained

HAS_FUNASR = importlib.util.find_spec("funasr") is not None or "BENCH_TEST_FUNASR" in os.environ
needs_funasr = pytest.mark.skipif(not HAS_FUNASR, reason="needs funasr: make test-funasr")


def made(folder: Path, changes: dict[str, Any] | None = None) -> Path:
    where = Settings(folder / "cache", folder / "results")
    pretrain(request(write_audio(folder / "audio", 4), folder / "own", changes), where, Unheard())
    return folder / "own"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("models"))


@needs_funasr
@pytest.mark.parametrize("name", [SMALL, *ABLATIONS])
def test_funasr_makes_the_same_of_it(name: str, tmp_path: Path) -> None:
    folder = made(tmp_path, {**ABLATIONS.get(name, {}), "start": "cold"})
    ours, theirs = (kind(str(folder)) for kind in (Pretrained, Emotion2vec))
    expected = theirs.encode(voice(0.9)).layers
    assert ours.parameters() == theirs.parameters()
    np.testing.assert_allclose(ours.encode(voice(0.9)).layers, expected, atol=2e-5)


def test_the_weights_are_those_of_the_student(model: Path) -> None:
    checkpoint = FunASRCheckpoint(str(model))
    assert (checkpoint.settings.blocks, checkpoint.settings.embed_dim, checkpoint.settings.normalize) == (3, 24, True)
    found = set(checkpoint.state())
    student = new_student(tiny())
    assert len(found) == len(list(student.named_parameters()))
    assert "modality_encoders.AUDIO.context_encoder.blocks.0.attn.qkv.weight" in found
    assert "blocks.1.mlp.fc2.bias" in found
    assert all(one.dtype == torch.float32 for one in checkpoint.state().values())


def test_other_features_than_at_the_start(model: Path, tmp_path: Path) -> None:
    changes = {"optimiser.learning_rate": 1e-12}  # as good as none
    start = made(tmp_path, changes)
    one, two = (Pretrained(str(folder)).encode(voice(0.9)).layers for folder in (model, start))
    assert all(np.abs(a - b).max() > 0.01 for a, b in zip(one[1:], two[1:], strict=True))


def test_the_folder_says_how_it_was_made(model: Path) -> None:
    about = json.loads((model / "pretraining.json").read_text())
    assert (about["upstream"], about["recipe"]["name"], about["trained_on"]) == ("pretrained:", SMALL, [])
    assert about["changed"] == list(as_changes())
    assert about["data"][0]["recordings"] == 4
    assert about["last"]["step"] == 4
    assert set(about["versions"]) == {"serbench", "torch", "numpy", "safetensors"}
    config = yaml.safe_load((model / "config.yaml").read_text())
    assert config["model"] == "Emotion2vec"
    card = (model / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert front["license"] == "other"
    assert "audio (a folder of audio) | 4 |" in card
    assert str(model.parent) not in card + json.dumps(about)


def test_corpora_are_written_into_it(toy_corpus: Path, tmp_path: Path) -> None:
    changes = {"audio.shortest": 0.3, "schedule.steps": 2}
    where = Settings(tmp_path / "cache", tmp_path / "results", data={"csv": toy_corpus})
    corpus = Registry().corpus("csv")
    wanted = Request(SMALL, as_changes(changes), None, (Source("csv", corpus=corpus),), tmp_path / "own", "cpu")
    pretrain(wanted, where, Unheard())
    assert Registry().upstream(f"emotion2vec:{tmp_path / 'own'}").trained_on == ("csv",)
    assert "marked as contaminated: csv" in (tmp_path / "own" / "README.md").read_text()
    # What it heard goes with what is begun with it.
    onward = request(write_audio(tmp_path / "audio", 4), tmp_path / "next", {"start": "emotion2vec"})
    onward = Request(SMALL, onward.changes, f"emotion2vec:{tmp_path / 'own'}", onward.sources, onward.out, "cpu")
    assert pretrain(onward, where, Unheard())["trained_on"] == ["csv"]
