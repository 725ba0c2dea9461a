"""The architectures of transformers that are supported: what their parts are called, and how samples become frames."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from benchmark.errors import BenchError, UsageError
from upstreams.checkpoints import Checkpoint

# Checkpoints of models with a decoder; this turns the names of their weights into those of the encoder alone.
ENCODER_NAMES = {r"^(model\.)?encoder\.": ""}
# Weights of the encoder, wherever a checkpoint for another purpose keeps it; the second line is that of the renamed.
# What else a checkpoint holds (a decoder, a head for CTC, quantisation, classification or regression, the mask vector
# of training) is not used.
ENCODER_WEIGHT = re.compile(
    r"(^|\.)(encoder|feature_extractor|feature_projection)\."
    r"|^(conv[123]|embed_positions|groupnorm|layers|layer_norm)\."
)

# More than any published model of speech has: of blocks, of anything, and of samples in a kernel.
MOST_BLOCKS, MOST, MOST_SAMPLES = 1000, 10_000_000, 100_000


@dataclass(frozen=True)
class Family:
    """What transformers calls the parts of one architecture.

    Attributes:
        encoder: "module:class" of the encoder.
        config: Class of its configuration.
        extractor: Class of its feature extractor.
        extraction: Arguments of the feature extractor besides the waveform.
        layers: Key of config.json with the number of transformer blocks.
        dim: Key of config.json with the dimension.
        names: Names of weights in a checkpoint (regular expressions) and what the encoder calls them.
        convolutions: Kernel size and stride of each convolution over the waveform; empty where config.json has them.
    """

    encoder: str
    config: str
    extractor: str = "Wav2Vec2FeatureExtractor"
    extraction: Mapping[str, Any] = field(default_factory=dict)
    layers: str = "num_hidden_layers"
    dim: str = "hidden_size"
    names: Mapping[str, str] = field(default_factory=dict)
    convolutions: tuple[tuple[int, int], ...] = ()


# By `model_type` of config.json.
WHISPER = "whisper"
W2V_BERT = "wav2vec2-bert"
FAMILIES = {
    "data2vec-audio": Family("data2vec.modeling_data2vec_audio:Data2VecAudioModel", "Data2VecAudioConfig"),
    "hubert": Family("hubert.modeling_hubert:HubertModel", "HubertConfig"),
    "moonshine": Family(
        "moonshine.modeling_moonshine:MoonshineEncoder",
        "MoonshineConfig",
        layers="encoder_num_hidden_layers",
        names=ENCODER_NAMES,
        convolutions=((127, 64), (7, 3), (3, 2)),
    ),
    "wav2vec2": Family("wav2vec2.modeling_wav2vec2:Wav2Vec2Model", "Wav2Vec2Config"),
    W2V_BERT: Family(
        "wav2vec2_bert.modeling_wav2vec2_bert:Wav2Vec2BertModel",
        "Wav2Vec2BertConfig",
        extractor="SeamlessM4TFeatureExtractor",
        # A spectrum without a partner at the end is left out. Padded, it would make a frame that is half invented,
        # which transformers then masks: the other frames are the same.
        extraction={"pad_to_multiple_of": None},
    ),
    "wavlm": Family("wavlm.modeling_wavlm:WavLMModel", "WavLMConfig"),
    WHISPER: Family(
        "whisper.modeling_whisper:WhisperEncoder",
        "WhisperConfig",
        extractor="WhisperFeatureExtractor",
        layers="encoder_layers",
        dim="d_model",
        names=ENCODER_NAMES,
    ),
}


def family_of(checkpoint: Checkpoint) -> Family:
    """The family of a checkpoint.

    Raises:
        UsageError: Its architecture, or its feature extractor, is not supported.
    """
    model_type = str(checkpoint.config.get("model_type"))
    if model_type not in FAMILIES:
        supported = ", ".join(sorted(FAMILIES))
        raise UsageError(f"{checkpoint.label!r} is a model of type {model_type!r}", f"supported types: {supported}")
    family = FAMILIES[model_type]
    declared = checkpoint.preprocessor.get("feature_extractor_type", family.extractor)
    if declared != family.extractor:
        raise UsageError(
            f"{checkpoint.label!r} prepares its input with {declared!r}",
            f"models of type {model_type!r} are supported with {family.extractor}",
        )
    return family


def positive(checkpoint: Checkpoint, settings: Mapping[str, Any], key: str, most: int = MOST) -> int:
    """A whole number that the configuration of a checkpoint must give, from 1 to the most that any model has.

    Raises:
        BenchError: It gives none, or another one.
    """
    value = settings.get(key)
    if not _is_whole(value, most):
        is_large = isinstance(value, int | float) and value >= 1
        raise BenchError(
            f"the configuration of {checkpoint.label!r} gives {key!r} as {value!r:.80}, not "
            f"{f'a whole number up to {most}' if is_large else 'a positive number'}",
            f"look into {checkpoint.folder}",
        )
    return int(value)


def _is_whole(value: Any, most: int) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= most and value == int(value)


@dataclass(frozen=True)
class Framing:
    """How samples become frames.

    Attributes:
        needed: Samples without which there is no frame.
        hop: Samples from frame to frame.
        window: Samples to which every input is padded, and which no input exceeds; None for any length.
    """

    needed: int
    hop: int
    window: int | None = None


def framing_of(checkpoint: Checkpoint, family: Family) -> Framing:
    """The framing that the configuration of a checkpoint tells.

    Raises:
        BenchError: It does not tell, or contradicts itself.
    """
    preprocessor = checkpoint.preprocessor
    if family is FAMILIES[WHISPER]:
        # 30 s for every published checkpoint. Any length would do, because the window is padded; one analysis window is
        # the least that is speech.
        window = positive(checkpoint, preprocessor, "chunk_length") * positive(
            checkpoint, preprocessor, "sampling_rate"
        )
        positions = positive(checkpoint, checkpoint.config, "max_source_positions", most=window)
        return Framing(positive(checkpoint, preprocessor, "n_fft"), window // positions, window)
    if family is FAMILIES[W2V_BERT]:
        return _spectral_framing(checkpoint)
    convolutions = family.convolutions or _convolutions(checkpoint)
    hop, needed = 1, 1
    for kernel, stride in convolutions:
        needed += (kernel - 1) * hop
        hop *= stride
    return Framing(needed, hop)


def _convolutions(checkpoint: Checkpoint) -> tuple[tuple[int, int], ...]:
    kernels, strides = checkpoint.config.get("conv_kernel"), checkpoint.config.get("conv_stride")
    if not (
        isinstance(kernels, list)
        and isinstance(strides, list)
        and 0 < len(kernels) == len(strides)
        and all(_is_whole(number, MOST_SAMPLES) for number in (*kernels, *strides))
    ):
        raise BenchError(
            f"the configuration of {checkpoint.label!r} gives conv_kernel {kernels!r:.80} and conv_stride "
            f"{strides!r:.80}, not two lists of one length of whole numbers from 1 to {MOST_SAMPLES}",
            f"look into {checkpoint.folder}",
        )
    return tuple(zip(kernels, strides, strict=True))


def _spectral_framing(checkpoint: Checkpoint) -> Framing:
    """w2v-BERT 2.0: mel spectra of 400 samples, 160 apart, of which `stride` make a frame."""
    stride = positive(checkpoint, checkpoint.preprocessor, "stride")
    values = positive(checkpoint, checkpoint.preprocessor, "num_mel_bins") * stride
    expected = positive(checkpoint, checkpoint.config, "feature_projection_input_dim")
    if values != expected:
        raise BenchError(
            f"the feature extractor of {checkpoint.label!r} gives {values} values a frame and its config.json expects "
            f"{expected}",
            f"look into {checkpoint.folder}",
        )
    # The spectra are normalised by their standard deviation over time, which takes two of them.
    return Framing(400 + 160 * (max(stride, 2) - 1), 160 * stride)
