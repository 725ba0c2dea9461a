"""Attention maps: of every block and head, exact, and without a trace on the features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_models import ARCHITECTURES, quiet_transformers

from benchmark.contracts.upstream import probe
from benchmark.errors import BenchError, UsageError
from upstreams.handcrafted.chance import Chance
from upstreams.pretrained.attention import among, attention_maps
from upstreams.pretrained.huggingface import HuggingFace

Models = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("one_thread")


def wave(duration: float = 0.5, seed: int = 0) -> NDArray[np.float32]:
    return probe(duration, 16_000, seed)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_maps_are_distributions_and_leave_the_features_alone(architecture: str, tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model(architecture)))
    before = upstream.encode(wave())
    implementation = upstream._model.config._attn_implementation
    maps = upstream.attention(wave())
    after = upstream.encode(wave())
    assert before.layers.tobytes() == after.layers.tobytes()
    assert upstream._model.config._attn_implementation == implementation
    assert implementation == ("eager" if architecture.startswith("wavlm") else "sdpa")
    layers, frames, _ = before.layers.shape
    heads = 2 if architecture == "whisper" else 4
    assert maps.shape == (layers - 1, heads, frames, frames)
    assert maps.dtype == np.float32
    assert maps.min() >= 0
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)
    for block in maps:  # heads of random weights differ: not their mean
        assert np.abs(block[0] - block[1]).max() > 1e-3
    np.testing.assert_array_equal(upstream.attention(wave()), maps)


def test_maps_may_be_asked_for_first_and_in_lower_precision_are_those_of_float32(tiny_model: Models) -> None:
    expected = HuggingFace(str(tiny_model("hubert-large"))).attention(wave())
    lower = HuggingFace(str(tiny_model("hubert-large")))
    lower.precision = "fp16"
    np.testing.assert_array_equal(lower.attention(wave()), expected)


@pytest.mark.parametrize("architecture", ["wav2vec2-base", "hubert-large", "distilhubert"])
def test_a_map_is_the_softmax_of_queries_and_keys(architecture: str, tiny_model: Models) -> None:
    import torch

    upstream = HuggingFace(str(tiny_model(architecture)))
    upstream.encode(wave())
    seen: dict[tuple[int, str], Any] = {}
    for index, block in enumerate(upstream._model.encoder.layers):
        for name in ("q_proj", "k_proj"):
            getattr(block.attention, name).register_forward_hook(
                lambda _, __, output, key=(index, name): seen.update({key: output[0].clone()})
            )
    upstream.encode(wave())
    maps = upstream.attention(wave())
    for index in range(len(maps)):
        queries, keys = (seen[index, name].numpy().astype(np.float64) for name in ("q_proj", "k_proj"))
        for head in range(4):
            part = slice(6 * head, 6 * head + 6)
            scores = torch.from_numpy(queries[:, part] @ keys[:, part].T / np.sqrt(6))
            np.testing.assert_allclose(maps[index, head], scores.softmax(-1).numpy(), atol=1e-5)


@pytest.mark.parametrize("architecture", ["wavlm-base", "wavlm-large"])
def test_wavlm_has_a_map_of_each_head(architecture: str, tiny_model: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the maps that torch's own attention gives when it is kept from taking their mean."""
    import torch

    upstream = HuggingFace(str(tiny_model(architecture)))
    upstream.encode(wave())
    original, seen = torch.nn.functional.multi_head_attention_forward, []

    def of_each_head(*args: Any, **kwargs: Any) -> Any:
        seen.append(original(*args, **kwargs, average_attn_weights=False)[1][0].numpy().copy())
        return original(*args, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "multi_head_attention_forward", of_each_head)
    upstream.encode(wave())
    monkeypatch.undo()
    assert len(seen) == 3
    np.testing.assert_allclose(upstream.attention(wave()), np.stack(seen), atol=1e-5)


def test_whispers_map_is_that_of_the_window_cut_and_divided_by_what_is_left(tiny_model: Models) -> None:
    import torch
    import transformers

    samples = wave(1.01)
    with quiet_transformers(), torch.inference_mode():
        model = transformers.WhisperModel.from_pretrained(tiny_model("whisper"), attn_implementation="eager")
        inputs = transformers.WhisperFeatureExtractor()(samples, sampling_rate=16_000, return_tensors="pt")
        whole = torch.cat(model.encoder.eval()(inputs.input_features, output_attentions=True).attentions).numpy()
    assert whole.shape == (2, 2, 1500, 1500)
    kept = whole[:, :, :51, :51]
    assert kept.sum(axis=-1).max() < 0.9  # most of the window is silence
    expected = kept / kept.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(HuggingFace(str(tiny_model("whisper"))).attention(samples), expected, atol=1e-5)


def test_whispers_windows_do_not_attend_to_each_other(tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model("whisper")))
    long = wave(30.5)
    maps = upstream.attention(long)
    assert maps.shape == (2, 2, 1525, 1525)
    np.testing.assert_array_equal(maps[:, :, :1500, :1500], upstream.attention(long[:480_000]))
    np.testing.assert_array_equal(maps[:, :, 1500:, 1500:], upstream.attention(long[480_000:]))
    assert not maps[:, :, :1500, 1500:].any()
    assert not maps[:, :, 1500:, :1500].any()


def test_a_frame_that_takes_nothing_of_the_utterance_is_an_error() -> None:
    import torch

    maps = torch.full((2, 3, 4, 4), 0.25)
    np.testing.assert_allclose(among(maps, 2), np.full((2, 3, 2, 2), 0.5))
    assert among(maps, None) is maps
    maps[1, 2, 1] = torch.tensor([0.0, 0.0, 0.5, 0.5])
    assert among(maps, 3)[1, 2, 1].tolist() == [0, 0, 1]
    with pytest.raises(BenchError, match="frame 1 takes nothing of the utterance in block 1, head 2"):
        among(maps, 2)


def test_a_version_of_transformers_that_gives_no_maps(tiny_model: Models) -> None:
    import torch

    upstream = HuggingFace(str(tiny_model("wav2vec2-base")))
    upstream.encode(wave())
    model = upstream._model

    class Silent:
        config, set_attn_implementation = model.config, model.set_attn_implementation

        def __call__(self, *_: Any, **__: Any) -> Any:
            return type("Output", (), {"attentions": ()})

    with pytest.raises(BenchError, match="no attention maps of a model of type 'wav2vec2'"):
        attention_maps(Silent(), "wav2vec2", torch.zeros(1, 8000))
    assert model.config._attn_implementation == "sdpa"


def test_an_upstream_without_attention_says_so() -> None:
    with pytest.raises(UsageError, match="has no attention maps"):
        Chance().attention(wave())
