"""What the layers of every architecture are, how their input is prepared, and checkpoints as they were published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tiny_models import ARCHITECTURES, EXTRACTORS, quiet_transformers, save_model

from benchmark.contracts.upstream import probe
from benchmark.errors import BenchError, UsageError
from upstreams.pretrained.huggingface import HuggingFace

Models = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("one_thread")

# Frames of half a second, and whether the last block is followed by a layer norm.
EXPECTED = {
    "wav2vec2-base": (24, False),
    "wav2vec2-large": (24, True),
    "hubert-base": (24, False),
    "hubert-large": (24, True),
    "wavlm-base": (24, False),
    "wavlm-large": (24, True),
    "data2vec-audio": (24, False),
    "distilhubert": (24, False),
    "moonshine": (19, True),
    "wav2vec2-bert": (24, False),
    "whisper": (25, True),
}
RATES = {"moonshine": 16_000 / 384}
# Keys that published configurations hold besides those of today: of older versions of transformers, of training, of
# heads. The last three would change what a call returns.
OLD_KEYS = {
    "_name_or_path": "torch",
    "_attn_implementation_autoset": True,
    "apply_spec_augment": True,
    "architectures": ["Wav2Vec2ForSpeechClassification"],
    "feat_extract_dropout": 0.0,
    "feat_quantizer_dropout": 0.0,
    "finetuning_task": "wav2vec2_reg",
    "freeze_feat_extract_train": True,
    "gradient_checkpointing": False,
    "id2label": {"0": "arousal", "1": "dominance", "2": "valence"},
    "label2id": {"arousal": 0, "dominance": 1, "valence": 2},
    "mask_channel_length": 10,
    "mask_channel_prob": 0.0,
    "mask_time_min_space": 1,
    "mask_time_prob": 0.05,
    "no_mask_time_overlap": False,
    "num_ctc_classes": 80,
    "pooling_mode": "mean",
    "problem_type": "regression",
    "tokenizer_class": "Wav2Vec2CTCTokenizer",
    "torch_dtype": "float16",
    "transformers_version": "4.17.0.dev0",
    "use_cache": True,
    "output_attentions": True,
    "output_hidden_states": True,
    "return_dict": False,
}


def wave(duration: float = 0.5, seed: int = 0) -> NDArray[np.float32]:
    return probe(duration, 16_000, seed)


def layers(folder: Path, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return HuggingFace(str(folder)).encode(samples).layers


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def reference(folder: Path, architecture: str) -> tuple[Any, Any]:
    """The model as transformers loads the whole of it, and its encoder."""
    import transformers

    with quiet_transformers():
        model = getattr(transformers, f"{ARCHITECTURES[architecture][0]}Model").from_pretrained(folder).eval()
    return model, model.encoder if architecture in ("whisper", "moonshine") else model


def prepared_by_hand(samples: NDArray[np.float32], architecture: str) -> Any:
    """The model's input, without a call of the upstream."""
    import torch
    import transformers

    prefix, _, normalise = ARCHITECTURES[architecture]
    if prefix in EXTRACTORS:
        extractor = getattr(transformers, EXTRACTORS[prefix])(feature_size=80)
        return extractor(samples, sampling_rate=16_000, return_tensors="pt").input_features
    scaled = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7) if normalise else samples
    return torch.from_numpy(scaled)[None]


# -- what the layers are ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_layers_are_the_input_of_the_first_block_the_blocks_and_the_final_state(
    architecture: str, tiny_model: Models
) -> None:
    """Seen by hooks of our own on the model, not by what transformers reports."""
    import torch

    samples = wave()
    _, encoder = reference(tiny_model(architecture), architecture)
    blocks = encoder.layers if hasattr(encoder, "layers") else encoder.encoder.layers
    seen: list[Any] = []
    blocks[0].register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
    for block in blocks:
        block.register_forward_hook(
            lambda _, __, output: seen.append((output[0] if type(output) is tuple else output).clone())
        )
    with torch.inference_mode():
        final = encoder(prepared_by_hand(samples, architecture)).last_hidden_state
    frames, is_normalised_last = EXPECTED[architecture]
    assert len(seen) == len(blocks) + 1
    expected = torch.cat([*seen[:-1], final])[:, :frames].numpy()
    found = HuggingFace(str(tiny_model(architecture))).encode(samples)
    assert found.layers.shape == expected.shape == (len(blocks) + 1, frames, 24)
    np.testing.assert_allclose(found.layers, expected, atol=1e-5)
    assert bool(torch.any(seen[-1] != final)) == is_normalised_last
    if is_normalised_last:  # the layer norm of a random model has weights 1 and biases 0
        np.testing.assert_allclose(found.layers[-1].mean(axis=-1), 0, atol=1e-5)
    for index in range(len(blocks)):  # all differ, so that no two can be confused
        assert np.abs(expected[index] - expected[index + 1]).max() > 0.01


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_declared_figures_are_those_of_the_features(architecture: str, tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model(architecture)))
    declared = (upstream.layers, upstream.dim, upstream.frame_rate)
    assert upstream._model is None
    found = upstream.encode(wave())
    assert declared == (found.layers.shape[0], found.layers.shape[2], found.frame_rate)
    assert found.frame_rate == pytest.approx(RATES.get(architecture, 50.0))


# -- w2v-BERT 2.0 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("samples", "frames"), [(560, 1), (879, 1), (880, 2), (1040, 2), (1200, 3), (16_000, 49)])
def test_w2v_bert_invents_no_frames(samples: int, frames: int, tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model("wav2vec2-bert")))
    assert round(upstream.min_duration * 16_000) == 560
    found = upstream.encode(wave(1.0)[:samples]).layers
    assert found.shape[1] == frames
    assert np.isfinite(found).all()


def test_w2v_bert_is_what_transformers_makes_of_a_padded_and_masked_utterance(tiny_model: Models) -> None:
    import torch
    import transformers

    samples = wave(1.0)[:1360]  # seven spectra
    model, _ = reference(tiny_model("wav2vec2-bert"), "wav2vec2-bert")
    prepared = transformers.SeamlessM4TFeatureExtractor()(samples, sampling_rate=16_000, return_tensors="pt")
    assert prepared.attention_mask.tolist() == [[1, 1, 1, 0]]
    with torch.inference_mode():
        expected = model(**prepared).last_hidden_state[0, :3].numpy()
    found = layers(tiny_model("wav2vec2-bert"), samples)
    np.testing.assert_allclose(found[-1], expected, atol=1e-5)


def test_w2v_bert_normalises_every_band_of_the_spectrum(tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model("wav2vec2-bert")))
    seen: list[Any] = []
    upstream.encode(wave())
    upstream._model.feature_projection.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    upstream.encode(wave())
    spectra = seen[0][0].numpy().reshape(-1, 80)
    np.testing.assert_allclose(spectra.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(spectra.std(axis=0, ddof=1), 1, atol=1e-3)


def test_w2v_bert_with_a_feature_extractor_of_another_size(own_model: Models) -> None:
    folder = own_model("wav2vec2-bert")
    change_json(folder / "preprocessor_config.json", num_mel_bins=40)
    with pytest.raises(BenchError, match=r"gives 80 values a frame and its config\.json expects 160"):
        HuggingFace(str(folder))


def test_w2v_berts_block_before_the_adapter_is_left_out_with_it(tmp_path: Path) -> None:
    adapted = {"add_adapter": True, "use_intermediate_ffn_before_adapter": True, "output_hidden_size": 24}
    folder = save_model(tmp_path / "m", "wav2vec2-bert", **adapted)
    stored = load_file(folder / "model.safetensors")
    assert any(name.startswith("adapter.") for name in stored)
    assert any(name.startswith("intermediate_ffn.") for name in stored)
    found = layers(folder, wave())
    kept = {name: array for name, array in stored.items() if not name.startswith(("adapter.", "intermediate_ffn."))}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    change_json(folder / "config.json", add_adapter=False, use_intermediate_ffn_before_adapter=False)
    np.testing.assert_array_equal(found, layers(folder, wave()))


@pytest.mark.parametrize("position", ["rotary", "relative", None])
def test_w2v_bert_with_other_positions(position: str | None, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "m", "wav2vec2-bert", position_embeddings_type=position, max_source_positions=40)
    upstream = HuggingFace(str(folder))
    first = upstream.encode(wave()).layers
    upstream.encode(wave(2.0))  # makes the table of positions longer
    np.testing.assert_array_equal(upstream.encode(wave()).layers, first)


# -- Moonshine --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("samples", "frames"), [(895, 1), (1278, 1), (1279, 2), (16_000, 40)])
def test_moonshine_has_a_frame_every_384_samples(samples: int, frames: int, tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model("moonshine")))
    assert round(upstream.min_duration * 16_000) == 895
    assert upstream.encode(wave(1.0)[:samples]).layers.shape[1] == frames


def test_moonshine_is_normalised_as_the_checkpoint_says(own_model: Models) -> None:
    folder = own_model("moonshine")
    samples = wave() / wave().std() * np.float32(0.3)
    as_it_is = layers(folder, samples)
    change_json(folder / "preprocessor_config.json", do_normalize=True)
    normalised = layers(folder, samples)
    assert np.abs(as_it_is - normalised).max() > 0.1
    np.testing.assert_allclose(layers(folder, samples * np.float32(0.5)), normalised, atol=1e-2)
    change_json(folder / "preprocessor_config.json", do_normalize=False)
    by_hand = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    np.testing.assert_allclose(layers(folder, by_hand), normalised, atol=1e-5)


def test_moonshines_rotation_may_be_given_as_older_versions_did(own_model: Models) -> None:
    folder = own_model("moonshine")
    expected = layers(folder, wave())
    content = json.loads((folder / "config.json").read_text())
    del content["rope_parameters"]
    old = {"rope_theta": 10_000.0, "rope_scaling": None, "partial_rotary_factor": 0.9}
    (folder / "config.json").write_text(json.dumps({**content, **old}))
    np.testing.assert_array_equal(layers(folder, wave()), expected)
    change_json(folder / "config.json", partial_rotary_factor=0.4)
    assert np.abs(layers(folder, wave()) - expected).max() > 0.01


# -- checkpoints as they were published -------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_configurations_with_old_keys(architecture: str, own_model: Models) -> None:
    folder = own_model(architecture)
    expected = layers(folder, wave())
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**OLD_KEYS, **content, **dict(list(OLD_KEYS.items())[-3:])}))
    np.testing.assert_array_equal(layers(folder, wave()), expected)


def test_distilhubert_is_a_hubert_of_two_blocks_without_a_layer_norm_in_the_projection(tiny_model: Models) -> None:
    stored = load_file(tiny_model("distilhubert") / "model.safetensors")
    assert "feature_projection.layer_norm.weight" not in stored
    upstream = HuggingFace(str(tiny_model("distilhubert")))
    assert (upstream.layers, upstream.params["model_type"]) == (3, "hubert")


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_a_regression_head_of_another_class_is_left_out(file: str, tmp_path: Path) -> None:
    """As the dimensional model of audEERING: twelve blocks of the large kind, a custom class with its own head."""
    import torch

    folder = save_model(tmp_path / "m", "wav2vec2-large", num_hidden_layers=12)
    expected = layers(folder, wave())
    assert expected.shape[0] == 13
    change_json(folder / "config.json", **{key: value for key, value in OLD_KEYS.items() if key != "torch_dtype"})
    stored = load_file(folder / "model.safetensors")
    head = {"dense.weight": (24, 24), "dense.bias": (24,), "out_proj.weight": (3, 24), "out_proj.bias": (3,)}
    whole = {f"wav2vec2.{name}": array for name, array in stored.items()}
    whole |= {f"classifier.{name}": np.ones(shape, dtype=np.float32) for name, shape in head.items()}
    (folder / "model.safetensors").unlink()
    if file.endswith(".bin"):
        torch.save({name: torch.from_numpy(array) for name, array in whole.items()}, folder / file)
    else:
        save_file(whole, folder / file, {"format": "pt"})
    upstream = HuggingFace(str(folder))
    np.testing.assert_array_equal(upstream.encode(wave()).layers, expected)
    assert upstream.parameters() == sum(array.size for array in stored.values()) - stored["masked_spec_embed"].size


def test_another_feature_extractor_for_the_new_types_is_refused(own_model: Models) -> None:
    folder = own_model("wav2vec2-bert")
    change_json(folder / "preprocessor_config.json", feature_extractor_type="Wav2Vec2FeatureExtractor")
    with pytest.raises(UsageError, match=r"models of type 'wav2vec2-bert' are supported with SeamlessM4T"):
        HuggingFace(str(folder))
