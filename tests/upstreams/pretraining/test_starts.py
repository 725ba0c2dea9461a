"""Starts: the same function as the model that it comes from, and no other model."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from sound_files import voice
from tiny_pretraining import request, tiny, write_audio

from benchmark.errors import BenchError, UsageError
from benchmark.io.settings import Settings
from benchmark.progress import Unheard
from upstreams.pretrained.huggingface import HuggingFace
from upstreams.pretraining.pretrain import pretrain
from upstreams.pretraining.speech import normalised
from upstreams.pretraining.starts import begin, parse_start
from upstreams.pretraining.student import Student
from upstreams.pretraining.training import new_student
from upstreams.pretraining.upstream import Pretrained


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of this package, of two blocks in its trunk and one before."""
    folder = tmp_path_factory.mktemp("start")
    where = Settings(folder / "cache", folder / "results")
    pretrain(request(write_audio(folder / "audio", 4), folder / "own", {"seed": 9}), where, Unheard())
    return folder / "own"


def hidden(student: Student, wave: np.ndarray) -> np.ndarray:
    """(layers, T, D) without tokens."""
    with torch.no_grad():
        encoder = student.encoder.eval()
        states = encoder.contextual(encoder.local(torch.from_numpy(normalised(wave))[None])).hidden
    return torch.cat(states)[:, student.recipe.model.tokens :].numpy()


def test_a_start_gives_what_its_model_gives(model: Path) -> None:
    student = new_student(tiny({"start": "emotion2vec"}))
    before = hidden(student, voice(0.7))
    start = begin("emotion2vec", str(model), student)
    expected = Pretrained(str(model)).encode(voice(0.7)).layers
    np.testing.assert_allclose(hidden(student, voice(0.7)), expected, atol=1e-5)
    assert np.abs(before - expected).max() > 0.01
    assert (start.label, start.new, len(start.sha256 or "")) == ("own", (), 64)
    assert start.trained_on == ()  # a folder of audio is no corpus


def test_blocks_may_be_divided_otherwise(model: Path) -> None:
    student = new_student(tiny({"model.prenet": 0, "model.trunk": 3}))
    begin("data2vec2", str(model), student)
    expected = Pretrained(str(model)).encode(voice(0.7)).layers
    np.testing.assert_allclose(hidden(student, voice(0.7)), expected, atol=1e-5)


def test_what_a_recipe_varies_begins_at_random(model: Path) -> None:
    changes = {"model.tokens": 1, "model.decoder": None, "masking.masked": "replaced", "utterance_loss.method": "token"}
    start = begin("data2vec2", str(model), new_student(tiny(changes)))
    assert start.new == ("masked_vector", "encoder.tokens", "decoder.weight", "decoder.bias")


def test_a_published_emotion2vec_has_heard_its_corpora(model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "published"))
    (folder / "pretraining.json").unlink()
    for kind, heard in (("emotion2vec", ("iemocap", "meld", "cmu-mosei", "msp-podcast")), ("data2vec2", ())):
        assert begin(kind, str(folder), new_student(tiny())).trained_on == heard


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model.trunk": 3}, "blocks 3, not 4.*prenet and model.trunk"),
        ({"model.dim": 48}, "dim 24, not 48"),
        ({"model.alibi": False}, "alibi True, not False"),
        ({"model.feed_forward": 4.0}, "feed_forward 2.0, not 4.0"),
    ],
)
def test_another_shape_is_refused(changes: dict[str, Any], told: str, model: Path) -> None:
    with pytest.raises(UsageError, match="has another shape than the recipe") as error:
        begin("data2vec2", str(model), new_student(tiny(changes)))
    assert re.search(told, str(error.value))


def test_models_that_are_none_of_this_network_are_refused(model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "other"))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["model_conf"]["layer_norm_first"] = True
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(UsageError, match="cannot be trained here: layer_norm_first True is not False"):
        begin("data2vec2", str(folder), new_student(tiny()))
    shutil.copy(model / "config.yaml", folder)
    state = torch.load(folder / "model.pt", weights_only=True)["model"]
    del state["blocks.0.norm1.weight"]
    torch.save({"model": state}, folder / "model.pt")
    with pytest.raises(BenchError, match=r"has no weight 'blocks\.0\.norm1\.weight'"):
        begin("data2vec2", str(folder), new_student(tiny()))


def test_data2vec_is_the_same_network_without_distances(tmp_path: Path) -> None:
    from transformers import Data2VecAudioConfig, Data2VecAudioModel, Wav2Vec2FeatureExtractor

    torch.manual_seed(0)
    config = Data2VecAudioConfig(
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=48,
        conv_dim=[8] * 7,
        num_feat_extract_layers=7,
        conv_pos_kernel_size=4,
        num_conv_pos_embeddings=2,
        num_conv_pos_embedding_groups=4,
        vocab_size=12,
        initializer_range=0.2,
    )
    Data2VecAudioModel(config).save_pretrained(tmp_path / "d2v")
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path / "d2v")
    recipe = tiny({"model.alibi": False, "model.decoder": None, "model.tokens": 0, "utterance_loss.method": "global"})
    student = new_student(recipe.model_copy(update={"masking": tiny({"masking.masked": "replaced"}).masking}))
    start = begin("data2vec", str(tmp_path / "d2v"), student)
    assert start.new == ("masked_vector", "decoder.weight", "decoder.bias")
    expected = HuggingFace(str(tmp_path / "d2v")).encode(voice(0.7)).layers
    np.testing.assert_allclose(hidden(student, voice(0.7)), expected, atol=1e-4)
    with pytest.raises(UsageError, match="has another shape"):
        begin("data2vec", str(tmp_path / "d2v"), new_student(tiny()))


@pytest.mark.parametrize(
    ("text", "wanted", "told"),
    [
        ("hubert:x", "cold", "is no start"),
        ("data2vec2", "data2vec2", "is no start"),
        ("cold:x", "cold", "is no start"),
        ("data2vec2:x", "cold", "starts from 'cold', and there is --start data2vec2:x"),
        (None, "data2vec2", "starts from 'data2vec2', and there is no --start"),
        ("cold", "data2vec2", r"--start data2vec2:PATH, or --set start=cold"),
    ],
)
def test_a_start_must_be_the_recipes(text: str | None, wanted: Any, told: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_start(text, wanted)
    assert re.search(told, str(error.value))


def test_what_is_given_is_taken() -> None:
    assert parse_start(None, "cold") == parse_start("cold", "cold") == ""
    assert parse_start("data2vec2:a:b", "data2vec2") == "a:b"
