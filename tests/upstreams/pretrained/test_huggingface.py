"""Pretrained encoders: the right layers of the right weights, or an error."""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tiny_models import ARCHITECTURES, quiet_transformers, save_model

from benchmark.base.identity import identity_of
from benchmark.contracts import check_upstream
from benchmark.contracts.upstream import probe
from benchmark.errors import BenchError, UsageError
from benchmark.registry.registry import Registry
from upstreams.pretrained.families import FAMILIES
from upstreams.pretrained.huggingface import HuggingFace

Models = Callable[[str], Path]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="session")
def whisper_tiny() -> Path:
    """The published Whisper tiny, where BENCH_WEIGHTS has it."""
    folder = Path(os.environ.get("BENCH_WEIGHTS", "")) / "whisper-tiny"
    if not (folder / "model.safetensors").is_file():
        pytest.skip("BENCH_WEIGHTS names no folder with whisper-tiny")
    return folder


def wave(duration: float = 0.5, seed: int = 0) -> NDArray[np.float32]:
    return probe(duration, 16_000, seed)


def layers(folder: Path, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return HuggingFace(str(folder)).encode(samples).layers


def change_json(path: Path, **changes) -> None:
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


# -- contract ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_contract(architecture: str, tiny_model: Models) -> None:
    for check in check_upstream(lambda: HuggingFace(str(tiny_model(architecture)))):
        check.run()


def test_every_supported_type_has_a_tiny_model(tiny_model: Models) -> None:
    types = {json.loads((tiny_model(name) / "config.json").read_text())["model_type"] for name in ARCHITECTURES}
    assert types == set(FAMILIES)


# -- Whisper's window -------------------------------------------------------------------------------------------------


def test_whisper_is_encoded_in_its_padded_window_and_the_padding_cut(tiny_model: Models) -> None:
    import torch
    from transformers import WhisperFeatureExtractor, WhisperModel

    samples = wave(1.01)
    with quiet_transformers(), torch.inference_mode():
        encoder = WhisperModel.from_pretrained(tiny_model("whisper")).encoder.eval()
        padded = np.zeros(480_000, dtype=np.float32)
        padded[: len(samples)] = samples
        inputs = WhisperFeatureExtractor()(padded, sampling_rate=16_000, return_tensors="pt").input_features
        output = encoder(inputs, output_hidden_states=True)
        expected = torch.cat(output.hidden_states).numpy()
    assert expected.shape == (3, 1500, 24)
    found = HuggingFace(str(tiny_model("whisper"))).encode(samples)
    assert found.layers.shape == (3, math.ceil(16_160 / 320), 24)
    np.testing.assert_allclose(found.layers, expected[:, :51], atol=1e-5)
    np.testing.assert_allclose(found.layers[-1], output.last_hidden_state[0, :51].numpy(), atol=1e-5)


@pytest.mark.parametrize(("samples", "frames"), [(400, 2), (320, 1), (321, 2), (6400, 20), (480_000, 1500)])
def test_whisper_keeps_the_frames_whose_centre_lies_in_the_audio(samples: int, frames: int, tiny_model: Models) -> None:
    assert layers(tiny_model("whisper"), wave(30.0)[:samples]).shape[1] == frames


def test_whisper_encodes_a_long_utterance_window_by_window(tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model("whisper")))
    long = wave(61.5)
    found = upstream.encode(long).layers
    assert found.shape[1] == 3075
    parts = [upstream.encode(long[start : start + 480_000]).layers for start in (0, 480_000, 960_000)]
    np.testing.assert_array_equal(found, np.concatenate(parts, axis=1))


# -- how the waveform is prepared -------------------------------------------------------------------------------------


def test_the_waveform_is_normalised_as_the_checkpoint_says(own_model: Models) -> None:
    folder = own_model("wav2vec2-large")
    samples = wave() / wave().std() * np.float32(0.3)
    normalised = layers(folder, samples)
    np.testing.assert_allclose(layers(folder, samples * np.float32(0.5)), normalised, atol=1e-2)
    change_json(folder / "preprocessor_config.json", do_normalize=False)
    as_it_is = layers(folder, samples)
    assert np.abs(as_it_is - normalised).max() > 0.1
    by_hand = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    np.testing.assert_allclose(layers(folder, by_hand), normalised, atol=1e-5)


def test_the_preprocessor_may_stand_in_the_processors_file(own_model: Models) -> None:
    folder = own_model("wav2vec2-large")
    expected = layers(folder, wave())
    content = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    (folder / "processor_config.json").write_text(json.dumps({"feature_extractor": content}))
    np.testing.assert_array_equal(layers(folder, wave()), expected)


def test_the_sample_rate_is_that_of_the_checkpoint(own_model: Models) -> None:
    folder = own_model("wav2vec2-base")
    change_json(folder / "preprocessor_config.json", sampling_rate=8000)
    upstream = HuggingFace(str(folder))
    assert upstream.sample_rate == 8000
    assert upstream.min_duration == 0.05
    assert upstream.encode(wave()).frame_rate == 25.0


@pytest.mark.parametrize("architecture", ["wav2vec2-base", "hubert-base", "data2vec-audio"])
def test_the_shortest_input_gives_one_frame(architecture: str, tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model(architecture)))
    assert round(upstream.min_duration * 16_000) == 400
    assert upstream.encode(wave()[:400]).layers.shape[1] == 1
    assert upstream.encode(wave()[:719]).layers.shape[1] == 1
    assert upstream.encode(wave()[:720]).layers.shape[1] == 2


def test_a_read_only_waveform_is_encoded(tiny_model: Models) -> None:
    samples = wave()
    samples.flags.writeable = False
    assert layers(tiny_model("wav2vec2-base"), samples).shape == (4, 24, 24)


def test_nothing_of_training_is_left(tmp_path: Path) -> None:
    """SpecAugment, dropout and layer drop are off, and torch's global generator is not drawn from."""
    import torch

    rates = ("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout", "layerdrop")
    wild = dict.fromkeys(rates, 0.5)
    calm = dict.fromkeys(rates, 0.0)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = layers(save_model(tmp_path / "wild", "hubert-base", mask_time_prob=0.9, **wild), wave())
    second = layers(save_model(tmp_path / "calm", "hubert-base", mask_time_prob=0.9, **calm), wave())
    np.testing.assert_array_equal(first, second)
    upstream = HuggingFace(str(tmp_path / "calm"))
    torch.set_rng_state(state)
    upstream.encode(wave())
    assert torch.equal(torch.get_rng_state(), state)


def test_an_adapter_after_the_encoder_is_left_out(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "m", "wav2vec2-large", add_adapter=True, output_hidden_size=24)
    assert layers(folder, wave()).shape == (4, 24, 24)


# -- which weights ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("architecture", "head"),
    [
        ("wav2vec2-base", "ForCTC"),
        ("wav2vec2-large", "ForPreTraining"),
        ("hubert-large", "ForCTC"),
        ("wavlm-base", "ForSequenceClassification"),
        ("data2vec-audio", "ForCTC"),
        ("distilhubert", "ForCTC"),
        ("wav2vec2-bert", "ForCTC"),
        ("moonshine", "ForConditionalGeneration"),
        ("whisper", "ForConditionalGeneration"),
        ("whisper", "ForAudioClassification"),
    ],
)
def test_checkpoints_for_a_purpose_give_their_encoder(architecture: str, head: str, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "m", architecture, head=head, half=True)
    stored = load_file(folder / "model.safetensors")
    upstream = HuggingFace(str(folder))
    found = upstream.encode(wave()).layers
    assert found.dtype == np.float32
    # the same encoder written by itself, in float32
    plain = save_model(tmp_path / "plain", architecture)
    names = load_file(plain / "model.safetensors")
    of_encoder = {}
    for name in names:
        source = next((key for key in stored if key == name or key.endswith(f".{name}")), None)
        of_encoder[name] = names[name] if source is None else stored[source].astype(np.float32)
    missing = [name for name in names if not any(key == name or key.endswith(f".{name}") for key in stored)]
    assert all("decoder" in name or "masked_spec_embed" in name for name in missing)
    save_file(of_encoder, plain / "model.safetensors", {"format": "pt"})
    np.testing.assert_array_equal(found, layers(plain, wave()))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_parameters_are_those_of_the_stored_encoder(architecture: str, tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model(architecture)))
    counted = upstream.parameters()
    stored = load_file(tiny_model(architecture) / "model.safetensors")
    unused = [name for name in stored if name.startswith("decoder.") or name == "masked_spec_embed"]
    assert counted == sum(array.size for array in stored.values()) - sum(stored[name].size for name in unused)


def test_weights_of_the_old_format_and_with_the_old_names_of_weight_normalisation(own_model: Models) -> None:
    import torch

    folder = own_model("hubert-base")
    expected = layers(folder, wave())
    old = {}
    for name, array in load_file(folder / "model.safetensors").items():
        new = name.replace("parametrizations.weight.original0", "weight_g")
        old[f"hubert.{new.replace('parametrizations.weight.original1', 'weight_v')}"] = torch.from_numpy(array)
    assert sum(name.endswith(("weight_g", "weight_v")) for name in old) == 2
    (folder / "model.safetensors").unlink()
    torch.save(old, folder / "pytorch_model.bin")
    np.testing.assert_array_equal(layers(folder, wave()), expected)


def test_weights_in_several_files(tiny_model: Models, own_model: Models) -> None:
    from transformers import Wav2Vec2Model

    folder = own_model("wav2vec2-base")
    (folder / "model.safetensors").unlink()
    with quiet_transformers():
        model = Wav2Vec2Model.from_pretrained(tiny_model("wav2vec2-base"))
        model.save_pretrained(folder, max_shard_size="40KB")
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 1
    np.testing.assert_array_equal(layers(folder, wave()), layers(tiny_model("wav2vec2-base"), wave()))
    next(folder.glob("model-00002-*")).unlink()
    with pytest.raises(BenchError, match="names 'model-00002-of-"):
        HuggingFace(str(folder)).weights_sha256()


class Exploit:
    """Runs code when it is unpickled by a reader that allows it."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_pickle_with_code_is_refused_and_not_run(writer: str, own_model: Models, tmp_path: Path) -> None:
    import torch

    folder, target = own_model("wav2vec2-base"), tmp_path / "executed"
    (folder / "model.safetensors").unlink()
    content = {"encoder.layer_norm.weight": Exploit(target)}
    if writer == "torch":
        torch.save(content, folder / "pytorch_model.bin")
    else:
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(BenchError, match=r"'wav2vec2-base' cannot be used, its weights cannot be loaded"):
        layers(folder, wave())
    assert not target.exists()


def rewrite(folder: Path, change: Callable[[dict[str, NDArray]], dict[str, NDArray]]) -> None:
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("architecture", "victim"),
    [
        ("wav2vec2-base", "encoder.layers.1.final_layer_norm.weight"),
        ("wavlm-large", "encoder.layers.1.final_layer_norm.weight"),
        ("wav2vec2-bert", "feature_projection.layer_norm.weight"),
        ("moonshine", "encoder.groupnorm.weight"),
        ("whisper", "encoder.layers.1.final_layer_norm.weight"),
    ],
)
def test_a_missing_weight_is_not_made_up(architecture: str, victim: str, own_model: Models) -> None:
    folder = own_model(architecture)
    rewrite(folder, lambda weights: {key: array for key, array in weights.items() if key != victim})
    with pytest.raises(BenchError, match=r"do not fit its config.json: 1 missing, such as '.*norm.weight'"):
        layers(folder, wave())


@pytest.mark.parametrize(("architecture", "key"), [("hubert-base", "num_hidden_layers"), ("whisper", "encoder_layers")])
def test_fewer_or_more_layers_than_the_weights_have_are_refused(architecture: str, key: str, own_model: Models) -> None:
    folder = own_model(architecture)
    change_json(folder / "config.json", **{key: 1})
    with pytest.raises(BenchError, match=r"\d+ left over, such as '.*layers\.1\."):
        layers(folder, wave())
    change_json(folder / "config.json", **{key: 5})
    with pytest.raises(BenchError, match=r"\d+ missing, such as '.*layers\.[2-4]\."):
        layers(folder, wave())


def test_weights_of_another_architecture_are_refused(own_model: Models) -> None:
    """A WavLM taken for a wav2vec 2.0 would lose its relative positions without a word."""
    folder = own_model("wavlm-base")
    change_json(folder / "config.json", model_type="wav2vec2")
    with pytest.raises(BenchError, match=r"left over, such as '.*(gru_rel_pos|rel_attn)"):
        layers(folder, wave())


def test_weights_of_another_shape_are_refused(own_model: Models) -> None:
    folder = own_model("wav2vec2-base")
    change_json(folder / "config.json", intermediate_size=40)
    with pytest.raises(BenchError, match=r"9 of another shape, such as 'encoder\.layers\.0\.feed_forward"):
        layers(folder, wave())


@pytest.mark.parametrize("size", [0, 5, 300, -100])
@pytest.mark.parametrize("architecture", ["wav2vec2-base", "whisper"])
def test_truncated_weights_are_refused(architecture: str, size: int, own_model: Models) -> None:
    file = own_model(architecture) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(BenchError, match=f"'{architecture}' cannot be used, its weights cannot be loaded"):
        layers(file.parent, wave())


def test_a_configuration_that_transformers_refuses(own_model: Models) -> None:
    folder = own_model("wav2vec2-base")
    change_json(folder / "config.json", hidden_act=3)
    upstream = HuggingFace(str(folder))
    with pytest.raises(BenchError, match=r"cannot be used, its config\.json is refused"):
        upstream.encode(wave())


@pytest.mark.parametrize(
    ("architecture", "changes"),
    [
        ("wav2vec2-base", {"num_conv_pos_embedding_groups": 0}),
        ("wav2vec2-base", {"hidden_act": "nothing"}),
        ("moonshine", {"encoder_num_attention_heads": 0}),
    ],
)
def test_a_configuration_that_contradicts_itself(architecture: str, changes: dict, own_model: Models) -> None:
    folder = own_model(architecture)
    change_json(folder / "config.json", **changes)
    upstream = HuggingFace(str(folder))
    with pytest.raises(BenchError, match=r"cannot be used, its config\.json is refused: \w+"):
        upstream.parameters()
    with pytest.raises(BenchError, match="cannot be used"):
        upstream.encode(wave())


def test_whisper_of_more_positions_than_samples(own_model: Models) -> None:
    folder = own_model("whisper")
    change_json(folder / "config.json", max_source_positions=10**6)
    with pytest.raises(BenchError, match="'max_source_positions' as 1000000, not a whole number up to 480000"):
        HuggingFace(str(folder))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"num_hidden_layers": "three"}, "gives 'num_hidden_layers' as 'three', not a positive number"),
        ({"hidden_size": None}, "gives 'hidden_size' as None"),
        ({"num_hidden_layers": 10**7}, "'num_hidden_layers' as 10000000, not a whole number up to 1000"),
        ({"num_hidden_layers": True}, "'num_hidden_layers' as True, not a whole number"),
        ({"num_hidden_layers": 2.5}, "'num_hidden_layers' as 2.5, not a whole number"),
        ({"num_hidden_layers": float("inf")}, "'num_hidden_layers' as inf, not a whole number"),
        ({"hidden_size": 10**9}, "'hidden_size' as 1000000000, not a whole number"),
        ({"conv_stride": [0] * 7}, "not two lists of one length of whole numbers from 1"),
        ({"conv_stride": ["a"] * 7}, "not two lists of one length of whole numbers from 1"),
        ({"conv_kernel": [10**9] * 7}, "not two lists of one length of whole numbers from 1"),
        ({"conv_stride": [5, 2]}, r"conv_stride \[5, 2\], not two lists of one length"),
    ],
)
def test_a_configuration_without_the_needed_figures(changes: dict, text: str, own_model: Models) -> None:
    folder = own_model("wav2vec2-base")
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(BenchError, match=text):
        HuggingFace(str(folder))


@pytest.mark.parametrize("model_type", ["bert", "sew", None])
def test_other_types_of_model_are_refused_with_what_is_supported(model_type: str | None, own_model: Models) -> None:
    folder = own_model("wav2vec2-base")
    change_json(folder / "config.json", model_type=model_type)
    with pytest.raises(UsageError) as error:
        HuggingFace(str(folder))
    assert f"is a model of type {str(model_type)!r}" in error.value.message
    assert error.value.hint == (
        "supported types: data2vec-audio, hubert, moonshine, wav2vec2, wav2vec2-bert, wavlm, whisper"
    )


def test_another_feature_extractor_is_refused(own_model: Models) -> None:
    folder = own_model("wav2vec2-base")
    change_json(folder / "preprocessor_config.json", feature_extractor_type="SeamlessM4TFeatureExtractor")
    with pytest.raises(UsageError, match="'SeamlessM4TFeatureExtractor'"):
        HuggingFace(str(folder))


def test_a_gpu_that_is_not_there_is_an_error(tiny_model: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    upstream = HuggingFace(str(tiny_model("wav2vec2-base")))
    upstream.device = "cuda"
    with pytest.raises(BenchError, match="'cuda'"):
        upstream.encode(wave())


# -- identity and habits ----------------------------------------------------------------------------------------------


def test_identity_depends_on_the_files_and_not_on_where_they_lie(tiny_model: Models, own_model: Models) -> None:
    here, there = tiny_model("hubert-base"), own_model("hubert-base")
    first = HuggingFace(str(here))
    assert first.name == "hf:hubert-base"
    assert identity_of(first) == identity_of(HuggingFace(str(there)))
    assert identity_of(first)["params"] == {"model": "hubert-base", "model_type": "hubert"}
    named = HuggingFace(str(there), name="my-hubert")
    assert named.name == "my-hubert"
    assert named.params["model"] == "my-hubert"
    for file, change in (
        ("preprocessor_config.json", lambda: change_json(there / "preprocessor_config.json", do_normalize=False)),
        ("model.safetensors", lambda: rewrite(there, lambda w: {key: array * 2 for key, array in w.items()})),
    ):
        before = HuggingFace(str(there)).weights_sha256()
        change()
        assert HuggingFace(str(there)).weights_sha256() != before, file


def test_the_named_row_is_the_same_wherever_its_weights_are_given(own_model: Models) -> None:
    folder = own_model("whisper")
    upstream = Registry().upstream("whisper-tiny", weights=lambda _: folder)
    lower = Registry().upstream("whisper-tiny@bf16", weights=lambda _: folder)
    assert (upstream.name, lower.name) == ("whisper-tiny", "whisper-tiny@bf16")
    assert upstream.params == lower.params == {"model": "whisper-tiny", "model_type": "whisper"}
    assert identity_of(lower) == {**identity_of(upstream), "precision": "bf16"}
    assert Registry().upstream(f"hf:{own_model('hubert-base')}").name == "hf:hubert-base"


def test_nothing_heavy_is_imported_before_the_first_encoding(tiny_model: Models) -> None:
    code = (
        "import sys; from upstreams.pretrained.huggingface import HuggingFace\n"
        "from benchmark.base.identity import identity_of; "
        "upstream = HuggingFace(sys.argv[1]); identity_of(upstream); assert upstream.layers == 4\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    folder = str(tiny_model("wav2vec2-base"))
    assert subprocess.run([sys.executable, "-c", code, folder], check=False).returncode == 0


def test_loading_prints_nothing_and_leaves_the_settings_of_transformers_alone(tmp_path: Path, capfd) -> None:
    from transformers.utils import logging

    folder = save_model(tmp_path / "m", "whisper", head="ForConditionalGeneration")
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    capfd.readouterr()
    HuggingFace(str(folder)).encode(wave())
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


# -- the published model ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.corpora
def test_contract_of_whisper_tiny(whisper_tiny: Path) -> None:
    for check in check_upstream(lambda: Registry().upstream("whisper-tiny", lambda _: whisper_tiny)):
        check.run()


@pytest.mark.corpora
def test_whisper_tiny_is_the_encoder_of_the_whole_model(whisper_tiny: Path) -> None:
    import torch
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    upstream = HuggingFace(str(whisper_tiny), name="whisper-tiny")
    samples = wave(3.3)
    with quiet_transformers(), torch.inference_mode():
        model = WhisperForConditionalGeneration.from_pretrained(
            whisper_tiny, dtype=torch.float32, attn_implementation="eager"
        ).eval()
        inputs = WhisperFeatureExtractor.from_pretrained(whisper_tiny)(
            samples, sampling_rate=16_000, return_tensors="pt"
        ).input_features
        states = model.model.encoder(inputs, output_hidden_states=True).hidden_states
    expected = torch.cat(states)[:, :165].numpy()
    found = upstream.encode(samples).layers
    assert found.shape == (5, 165, 384)
    np.testing.assert_allclose(found, expected, atol=2e-3)  # states reach 60; "sdpa" and "eager" round differently
    assert upstream.parameters() == 8_208_384
