"""A model that was pre-trained here, as an upstream: the contract, the layers, and whom it is not taken for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sound_files import voice
from tiny_pretraining import request, write_audio

from benchmark.contracts import check_upstream
from benchmark.errors import BenchError, UsageError
from benchmark.io.settings import Settings
from benchmark.progress import Unheard
from benchmark.registry.known import known_trained_on
from benchmark.registry.registry import Registry
from upstreams.pretraining.pretrain import pretrain
from upstreams.pretraining.upstream import Pretrained, PretrainedUtterance


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    where = Settings(folder / "cache", folder / "results")
    pretrain(request(write_audio(folder / "audio", 4), folder / "own"), where, Unheard())
    return folder / "own"


@pytest.fixture
def copied(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "own"))


@pytest.mark.parametrize("kind", [Pretrained, PretrainedUtterance])
def test_contract(kind: Any, model: Path) -> None:
    names = [check.run() or check.name for check in check_upstream(lambda: kind(str(model)))]
    assert "features do not depend on the batch" in names


def test_what_it_declares(model: Path) -> None:
    upstream = Pretrained(str(model))
    assert (upstream.name, upstream.layers, upstream.dim, upstream.frame_rate) == ("pretrained:own", 4, 24, 50.0)
    assert upstream.params == {"model": "own"}
    assert upstream.min_duration * 16_000 == 400
    state = torch.load(model / "model.pt", weights_only=True)["model"]
    assert upstream.parameters() == sum(one.numel() for name, one in state.items() if ".decoder." not in name)


def test_the_utterance_embedding_is_the_mean_of_the_tokens(model: Path) -> None:
    frames, whole = Pretrained(str(model)), PretrainedUtterance(str(model))
    seen: list[torch.Tensor] = []
    frames.get_ready()
    for block in frames._encoder.blocks:
        block.register_forward_hook(lambda _, __, output: seen.append(output[0]))
    frames.encode(voice(0.6))
    found = whole.encode(voice(0.6))
    assert (found.layers.shape, found.frame_rate, whole.name) == ((4, 1, 24), None, "pretrained-utterance:own")
    for layer, state in zip(found.layers[1:], seen, strict=True):
        np.testing.assert_allclose(layer[0], state[0, :3].mean(dim=0).numpy(), atol=1e-6)


@pytest.mark.parametrize("prefix", ["emotion2vec:", "data2vec2:", "hf:", "pretrained:"])
def test_a_folder_says_by_which_prefix_it_is_read(prefix: str, model: Path) -> None:
    upstream = Registry().upstream(f"{prefix}{model}")
    assert type(upstream) is Pretrained
    assert upstream.name == "pretrained:own"
    (entry,) = Registry().upstream_entries(f"{prefix}{model}@last")
    assert (entry[0].name, entry[0].extra) == ("pretrained:", None)  # no FunASR
    assert type(Registry().upstream(f"pretrained-utterance:{model}")) is PretrainedUtterance


def test_a_folder_that_names_no_upstream_is_refused(copied: Path) -> None:
    path = copied / "pretraining.json"
    about = json.loads(path.read_text())
    for value, told in (("logmel", "names the upstream 'logmel'"), (3, "names the upstream 3"), ("x:", "reads no")):
        path.write_text(json.dumps({**about, "upstream": value}))
        with pytest.raises(UsageError, match=told):
            Registry().upstream(f"emotion2vec:{copied}")
    path.write_text("[" * 9000)
    with pytest.raises(UsageError, match="does not say which upstream"):
        Registry().upstream(f"emotion2vec:{copied}")


def test_it_is_marked_by_what_it_heard_and_not_by_what_emotion2vec_heard(copied: Path) -> None:
    path = copied / "pretraining.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "trained_on": ["urdu"]}))
    assert Registry().upstream(f"emotion2vec:{copied}").trained_on == ("urdu",)
    assert Registry().upstream(f"emotion2vec:{copied}@last").trained_on == ("urdu",)
    assert known_trained_on("pretrained:own@last") == frozenset()


def test_what_a_folder_says_of_itself_is_closed(copied: Path) -> None:
    path = copied / "pretraining.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, "trained_in": []}))
    with pytest.raises(UsageError, match=r"unknown key 'trained_in' in pretraining\.json of own .*'trained_on'"):
        Pretrained(str(copied))
    path.unlink()
    with pytest.raises(BenchError, match=r"holds no pretraining\.json"):
        Pretrained(str(copied))


def test_weights_must_be_those_of_the_folder(copied: Path) -> None:
    state = torch.load(copied / "model.pt", weights_only=True)["model"]
    state["blocks.1.mlp.fc1.weight"] = torch.zeros(2, 2)
    torch.save({"model": state}, copied / "model.pt")
    with pytest.raises(BenchError, match=r"the weight 'blocks\.2\.up\.weight' is of another shape"):
        Pretrained(str(copied)).encode(voice(0.5))
    del state["blocks.1.mlp.fc1.weight"]
    torch.save({"model": state}, copied / "model.pt")
    with pytest.raises(BenchError, match=r"'blocks\.2\.up\.weight' is missing"):
        Pretrained(str(copied)).encode(voice(0.5))
