"""Utterances in one batch: every layer of each is what it is alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_models import LARGE_LIKE, SMALL, WHISPER, quiet_transformers

from benchmark.errors import BenchError, UsageError
from upstreams.pretrained.batches import SUPPORTED, batch_shape, encode_together

TOLERANCE = 1e-5
RATE = 16_000
TRANSFORMER = {key: SMALL[key] for key in ("num_hidden_layers", "num_attention_heads", "initializer_range")}
CONFORMER = {**TRANSFORMER, "hidden_size": 24, "intermediate_size": 32, "feature_projection_input_dim": 20}
MOONSHINE = {
    "hidden_size": 24,
    "intermediate_size": 32,
    "encoder_num_hidden_layers": 3,
    "encoder_num_attention_heads": 4,
    "decoder_num_hidden_layers": 1,
    "decoder_num_attention_heads": 4,
    "vocab_size": 64,
    "initializer_range": 0.1,  # with 0.2 its layers reach 22, where rounding alone comes near the tolerance
}
# name -> (prefix of the classes, settings)
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "wav2vec2-group": ("Wav2Vec2", SMALL),
    "wav2vec2-layer": ("Wav2Vec2", {**SMALL, **LARGE_LIKE, "do_stable_layer_norm": False}),
    "wav2vec2-large": ("Wav2Vec2", {**SMALL, **LARGE_LIKE}),
    "wav2vec2-group-stable": ("Wav2Vec2", {**SMALL, "do_stable_layer_norm": True}),
    "hubert-group": ("Hubert", SMALL),
    "hubert-large": ("Hubert", {**SMALL, **LARGE_LIKE}),
    "hubert-batch-norm": ("Hubert", {**SMALL, "conv_pos_batch_norm": True}),
    "wavlm-group": ("WavLM", {**SMALL, "num_buckets": 32}),
    "wavlm-large": ("WavLM", {**SMALL, **LARGE_LIKE, "num_buckets": 32}),
    "data2vec": ("Data2VecAudio", {**SMALL, "num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5}),
    "moonshine": ("Moonshine", MOONSHINE),
    "w2v-bert": ("Wav2Vec2Bert", CONFORMER),
    "w2v-bert-relative": ("Wav2Vec2Bert", {**CONFORMER, "position_embeddings_type": "relative"}),
    "w2v-bert-rotary": ("Wav2Vec2Bert", {**CONFORMER, "position_embeddings_type": "rotary"}),
    "whisper": ("Whisper", WHISPER),
}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "adapter": ("Wav2Vec2", {**SMALL, "add_adapter": True}),
    "base-size": ("Wav2Vec2", {}),
}
PADDED = [name for name in MODELS if name != "whisper"]
# [s]; two of one length, and no two with the same remainder of a frame.
MIXTURE = (0.1, 1.03, 4.777, 1.03, 0.3)
LONGEST = 30.0


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def random_model(name: str, attention: str = "sdpa") -> Any:
    prefix, settings = {**MODELS, **OTHERS}[name]
    torch.manual_seed(len(name))
    with quiet_transformers():
        config = getattr(transformers, f"{prefix}Config")(**settings)
        model = getattr(transformers, f"{prefix}Model")(config).eval()
    model = model.get_encoder() if prefix in {"Whisper", "Moonshine"} else model
    model.set_attn_implementation("eager" if prefix == "WavLM" else attention)
    # Biases and scales of normalisation start as zero and one, where a mistake would not show.
    for key, weight in [*model.named_parameters(), *model.named_buffers()]:
        if weight.ndim == 1 and "inv_freq" not in key:
            weight.data = weight.data + 0.2 * torch.rand_like(weight)
    return model


def random_input(model: Any, seconds: float, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1000 * seed + round(1000 * seconds))
    if model.config.model_type == "whisper":
        return torch.randn(1, 80, 3000, generator=generator)
    if model.config.model_type == "wav2vec2-bert":
        return torch.randn(1, round(50 * seconds), 20, generator=generator)
    # An offset, which zeros after the end would break off.
    return 0.3 * torch.randn(1, round(RATE * seconds), generator=generator) + 0.1


def alone(model: Any, values: torch.Tensor) -> torch.Tensor:
    output = model(values, output_hidden_states=True)
    return torch.cat([*output.hidden_states[:-1], output.last_hidden_state])


def together(model: Any, inputs: Sequence[torch.Tensor], shape: tuple[int, int] | None = None) -> list[torch.Tensor]:
    return encode_together(model, model.config.model_type, inputs, shape=shape)


def gap(first: torch.Tensor, second: torch.Tensor) -> float:
    """The largest difference of any layer; a wrong shape is infinite."""
    return (first - second).abs().max().item() if first.shape == second.shape else float("inf")


def hooks(model: Any) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


# -- as alone ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_an_utterance_has_the_features_it_has_alone_in_any_order_of_a_mixture(name: str) -> None:
    model = random_model(name)
    inputs = [random_input(model, seconds, seed) for seed, seconds in enumerate(MIXTURE)]
    for values, encoded in zip(inputs, together(model, inputs), strict=True):
        assert gap(encoded, alone(model, values)) < TOLERANCE
    # In float64 there is no rounding to speak of: what is left would be padding that reaches the features.
    model, inputs = model.double(), [inputs[index].double() for index in (2, 4, 0, 1, 3)]
    for values, encoded in zip(inputs, together(model, inputs), strict=True):
        expected = alone(model, values)
        assert gap(encoded, expected.float()) <= 1e-6 * expected.abs().max().item()


@pytest.mark.slow
@pytest.mark.parametrize("name", PADDED)
def test_the_shortest_beside_thirty_seconds_has_the_features_it_has_alone(name: str) -> None:
    model = random_model(name)
    inputs = [random_input(model, LONGEST), random_input(model, 0.1)]
    for values, encoded in zip(inputs, together(model, inputs), strict=True):
        assert gap(encoded, alone(model, values)) < TOLERANCE


@pytest.mark.parametrize("name", ["wav2vec2-group", "data2vec", "moonshine", "w2v-bert", "w2v-bert-relative"])
def test_with_eager_attention_as_well(name: str) -> None:
    model = random_model(name, "eager")
    inputs = [random_input(model, seconds, seed) for seed, seconds in enumerate(MIXTURE)]
    for values, encoded in zip(inputs, together(model, inputs), strict=True):
        assert gap(encoded, alone(model, values)) < TOLERANCE


@pytest.mark.parametrize("name", MODELS)
def test_one_alone_and_equal_lengths(name: str) -> None:
    model = random_model(name)
    inputs = [random_input(model, 1.1, seed) for seed in range(3)]
    expected = [alone(model, values) for values in inputs]
    assert torch.equal(together(model, inputs[:1])[0], expected[0])
    for encoded, values in zip(together(model, inputs), expected, strict=True):
        assert gap(encoded, values) < TOLERANCE


def test_every_frame_count_of_neighbouring_lengths() -> None:
    """Lengths around the edges of a frame, where a mask that is off by one would show."""
    for name in ("wav2vec2-group", "moonshine"):
        model = random_model(name)
        hop = 384 if name == "moonshine" else 320
        inputs = [random_input(model, (5 * hop + extra) / RATE) for extra in range(-2, hop + 3, 37)]
        for values, encoded in zip(inputs, together(model, inputs), strict=True):
            assert gap(encoded, alone(model, values)) < TOLERANCE


# -- why it is needed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["wav2vec2-group", "hubert-group", "hubert-batch-norm", "data2vec", "moonshine"],
)
def test_padding_with_an_attention_mask_alone_changes_the_features(name: str) -> None:
    model = random_model(name)
    short, long = random_input(model, 1.03), random_input(model, 4.777)
    batch = torch.nn.utils.rnn.pad_sequence([short[0], long[0]], batch_first=True)
    mask = (torch.arange(batch.shape[1]) < torch.tensor([[short.shape[1]], [long.shape[1]]])).long()
    output = model(batch, attention_mask=mask, output_hidden_states=True)
    expected = alone(model, short)
    naive = torch.stack([*output.hidden_states[:-1], output.last_hidden_state])[:, 0, : expected.shape[1]]
    assert gap(naive, expected) > 100 * TOLERANCE
    assert gap(together(model, [short, long])[0], expected) < TOLERANCE


# -- a fixed shape ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_in_a_fixed_shape_the_company_does_not_change_a_byte(name: str) -> None:
    model = random_model(name)
    inputs = [random_input(model, seconds, seed) for seed, seconds in enumerate((1.5, 1.45, 1.41))]
    shape = (3, inputs[0].shape[1])
    first = together(model, inputs[:1], shape=shape)[0]
    assert gap(first, alone(model, inputs[0])) < TOLERANCE
    assert torch.equal(first, together(model, inputs, shape=shape)[0])
    full = [random_input(model, 1.5, seed) for seed in (0, 7, 8)]
    assert torch.equal(first, together(model, full, shape=shape)[0])
    # Its place in the batch may: kernels take the last rows of a matrix apart.
    moved = together(model, inputs[::-1], shape=shape)[2]
    assert gap(first, moved) <= 1e-6 * first.abs().max().item()


@pytest.mark.parametrize("name", ["wav2vec2-group", "w2v-bert"])
def test_in_a_fixed_shape_attention_is_always_masked(name: str) -> None:
    """Without a mask other kernels run, so whether there is one must not depend on the company."""
    model = random_model(name)
    masks = []

    def record(_module: Any, _args: Any, options: dict[str, Any]) -> None:
        masks.append(options["attention_mask"])

    values = random_input(model, 1.0)
    model.encoder.layers[0].register_forward_pre_hook(record, with_kwargs=True)
    together(model, [values, values], shape=(2, values.shape[1]))
    together(model, [values, random_input(model, 0.9)], shape=(2, values.shape[1]))
    assert [mask is not None for mask in masks] == [True, True]


def test_the_shape_follows_from_the_length_alone_and_wastes_at_most_an_eighth() -> None:
    for length in [*range(1, 3000), 16_000, 479_999, 480_000]:
        rows, padded = batch_shape(length, 960_000)
        assert length <= padded <= length * 1.125
        assert rows * padded <= 960_000
        assert batch_shape(padded, 960_000) == (rows, padded)
    assert batch_shape(2_000_000, 960_000)[0] == 1
    assert len({batch_shape(length, 960_000) for length in range(16_000, 480_000, 160)}) < 50


@pytest.mark.parametrize("shape", [(1, 40_000), (2, 16_000)])
def test_inputs_that_do_not_fit_the_shape_are_refused(shape: tuple[int, int]) -> None:
    model = random_model("wav2vec2-group")
    inputs = [random_input(model, 1.0), random_input(model, 1.2)]
    with pytest.raises(UsageError, match=r"2 inputs of up to 19200 .* do not fit a batch"):
        together(model, inputs, shape=shape)


# -- and leaves no trace ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wav2vec2-group", "data2vec", "wavlm-group", "moonshine"])
def test_the_model_is_left_as_it_was_even_after_a_failure(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model(name)
    inputs = [random_input(model, 1.03), random_input(model, 0.5)]
    expected = alone(model, inputs[0])  # transformers keeps hooks of its own from here on
    before = hooks(model)
    together(model, inputs)
    assert hooks(model) == before
    last = model.layers[-1] if name == "moonshine" else model.encoder.layers[-1]

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(last, "forward", fail)
        with pytest.raises(RuntimeError, match="out of memory"):
            together(model, inputs)
    assert hooks(model) == before
    assert torch.equal(alone(model, inputs[0]), expected)


def test_the_inputs_are_not_changed() -> None:
    model = random_model("wav2vec2-group")
    inputs = [random_input(model, 1.03), random_input(model, 0.5)]
    copies = [values.clone() for values in inputs]
    together(model, inputs)
    assert all(torch.equal(values, copy) for values, copy in zip(inputs, copies, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_under_autocast_the_layers_are_float32_and_close(name: str) -> None:
    model = random_model(name)
    inputs = [random_input(model, 1.03), random_input(model, 0.5)]
    with torch.autocast("cpu", torch.bfloat16):
        encoded = together(model, inputs)
        expected = [alone(model, values).float() for values in inputs]
    for values, reference in zip(encoded, expected, strict=True):
        assert values.dtype == torch.float32
        assert values.shape == reference.shape
        # bfloat16 has eight bits: a wrong mask moves some values by their own size, rounding by a few hundredths.
        assert ((values - reference).norm() / reference.norm()).item() < 0.05


# -- refused ----------------------------------------------------------------------------------------------------------


def test_nothing_gives_nothing() -> None:
    assert together(random_model("wav2vec2-group"), []) == []


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(UsageError, match="'bert' cannot be batched exactly"):
        encode_together(random_model("wav2vec2-group"), "bert", [torch.zeros(1, 8000)])
    assert {random_model(name).config.model_type for name in MODELS} == SUPPORTED


def test_an_adapter_is_refused() -> None:
    model = random_model("adapter")
    with pytest.raises(UsageError, match="adapter"):
        together(model, [torch.zeros(1, 8000)])


@pytest.mark.parametrize("values", [torch.zeros(8000), torch.zeros(2, 8000), torch.zeros(1, 80, 3000)])
def test_anything_but_one_utterance_is_refused(values: torch.Tensor) -> None:
    with pytest.raises(BenchError, match="an input of shape"):
        together(random_model("wav2vec2-group"), [values])


def test_windows_of_two_lengths_are_refused() -> None:
    with pytest.raises(BenchError, match="windows of different shapes"):
        together(random_model("whisper"), [torch.zeros(1, 80, 3000), torch.zeros(1, 80, 2000)])


def test_what_is_shorter_than_a_frame_is_refused() -> None:
    with pytest.raises(BenchError, match="300 samples are shorter than one frame"):
        together(random_model("wav2vec2-group"), [torch.zeros(1, 8000), torch.zeros(1, 300)])


# -- at real size -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_model_of_base_size_differs_by_rounding_only() -> None:
    model = random_model("base-size")
    inputs = [random_input(model, seconds) for seconds in (0.1, 1.03, 3.3)]
    for values, encoded in zip(inputs, together(model, inputs), strict=True):
        assert gap(encoded, alone(model, values)) < TOLERANCE
    shape = batch_shape(inputs[1].shape[1], 3 * RATE)
    other = random_input(model, 1.03, seed=1)
    first = together(model, inputs[1:2], shape=shape)[0]
    assert torch.equal(first, together(model, [other, inputs[1]], shape=shape)[1])


@pytest.mark.corpora
def test_whisper_tiny_itself() -> None:
    if "BENCH_WEIGHTS" not in os.environ:
        pytest.skip("BENCH_WEIGHTS is not set")
    folder = Path(os.environ["BENCH_WEIGHTS"]) / "whisper-tiny"
    with quiet_transformers():
        model = transformers.WhisperModel.from_pretrained(folder, dtype=torch.float32).get_encoder().eval()
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(folder)
    generator = torch.Generator().manual_seed(0)
    waves = [0.1 * torch.randn(round(RATE * seconds), generator=generator).numpy() for seconds in (0.1, 3.3)]
    inputs = [extractor(wave, sampling_rate=RATE, return_tensors="pt").input_features for wave in waves]
    for values, encoded in zip(inputs, together(model, inputs), strict=True):
        assert gap(encoded, alone(model, values)) < TOLERANCE
