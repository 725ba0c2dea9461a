"""Pretrained encoders of speech through transformers, every hidden state a layer.

Layers, for all architectures: layer 0 is what enters the first transformer block (the convolutional features after
projection and positional embedding), layer i what leaves block i, and the last layer is the encoder's
`last_hidden_state`. The last one is taken by name because transformers moved `hidden_states[-1]` of the models with
`do_stable_layer_norm` (the large family): after the final layer normalisation up to 5.15, before it from 5.16.

An utterance is always encoded alone. wav2vec 2.0 and HuBERT of base size normalise their first convolution over time,
and data2vec's stacked positional convolutions see past the end, so padding changes the features of an utterance. On
a CPU encoding alone costs nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import math
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.types import Features
from upstreams.checkpoints import Checkpoint


@dataclass(frozen=True)
class Family:
    """What transformers calls the parts of one architecture.

    Attributes:
        encoder: "module:class" of the encoder.
        config: Class of its configuration.
        extractor: Class of its feature extractor.
        layers: Key of config.json with the number of transformer blocks.
        dim: Key of config.json with the dimension.
        attention: Implementation of attention. "sdpa" takes half the time of "eager" on a CPU and is as reproducible;
            WavLM, whose positions enter the attention, has no other than its own.
    """

    encoder: str
    config: str
    extractor: str = "Wav2Vec2FeatureExtractor"
    layers: str = "num_hidden_layers"
    dim: str = "hidden_size"
    attention: str = "sdpa"


# By `model_type` of config.json.
FAMILIES = {
    "data2vec-audio": Family("data2vec.modeling_data2vec_audio:Data2VecAudioModel", "Data2VecAudioConfig"),
    "hubert": Family("hubert.modeling_hubert:HubertModel", "HubertConfig"),
    "wav2vec2": Family("wav2vec2.modeling_wav2vec2:Wav2Vec2Model", "Wav2Vec2Config"),
    "wavlm": Family("wavlm.modeling_wavlm:WavLMModel", "WavLMConfig", attention="eager"),
    "whisper": Family(
        "whisper.modeling_whisper:WhisperEncoder",
        "WhisperConfig",
        extractor="WhisperFeatureExtractor",
        layers="encoder_layers",
        dim="d_model",
    ),
}
WHISPER = "whisper"
# Whisper's checkpoints hold a decoder beside the encoder; this turns their names into those of the encoder alone.
WHISPER_NAMES = {r"^(model\.)?encoder\.": ""}
# Weights of the encoder, wherever a checkpoint for another purpose keeps it; the second line is Whisper's, renamed.
# What else a checkpoint holds (a decoder, a CTC or quantisation head, the mask vector of training) is not used.
ENCODER_WEIGHT = re.compile(
    r"(^|\.)(encoder|feature_extractor|feature_projection)\."
    r"|^(conv1|conv2|embed_positions|layers|layer_norm)\."
)


class HuggingFace(Upstream):
    """A pretrained encoder of transformers: `hf:` and a Hub id or a folder; every hidden state is a layer.

    wav2vec 2.0, HuBERT, WavLM, data2vec-audio and the encoder of Whisper, in float32 whatever precision the weights
    are stored in. The waveform is prepared as the checkpoint's own preprocessor configuration says.

    Whisper gets its 30 s window, padded with silence as in its training, and frame i, which is centred on sample
    320 i, is kept where that sample exists. An utterance longer than the window is cut into consecutive windows whose
    frames are concatenated, so that nothing is lost; each window is normalised by its own loudest frame, as Whisper
    does with long recordings.

    Args:
        model: Hub id such as "facebook/hubert-base-ls960", or a folder with config.json,
            preprocessor_config.json and weights.
        name: The row on the leaderboard; without it "hf:" and the Hub id, or the folder's name without its path.
        revision: Branch, tag or commit on the Hub.

    Raises:
        UsageError: The model is of a kind that is not supported.
        MissingError: The folder or its files are missing, or cannot be downloaded.
        BenchError: A configuration file is broken.
    """

    name = "hf:"
    libraries = ("torch", "transformers")

    def __init__(self, model: str, *, name: str | None = None, revision: str | None = None) -> None:
        self._checkpoint = Checkpoint(model, revision)
        self.name = name or f"hf:{self._checkpoint.label}"
        self._model_type = str(self._checkpoint.config.get("model_type"))
        if self._model_type not in FAMILIES:
            supported = ", ".join(sorted(FAMILIES))
            raise UsageError(
                f"{self._checkpoint.label!r} is a model of type {self._model_type!r}", f"supported types: {supported}"
            )
        self._family = FAMILIES[self._model_type]
        declared = self._checkpoint.preprocessor.get("feature_extractor_type", self._family.extractor)
        if declared != self._family.extractor:
            raise UsageError(
                f"{self._checkpoint.label!r} prepares its input with {declared!r}",
                f"models of type {self._model_type!r} are supported with {self._family.extractor}",
            )
        self.sample_rate = int(self._number(self._checkpoint.preprocessor, "sampling_rate"))
        self.layers = int(self._number(self._checkpoint.config, self._family.layers)) + 1
        self.dim = int(self._number(self._checkpoint.config, self._family.dim))
        needed, self._hop = self._geometry()
        self.min_duration = needed / self.sample_rate
        self._model: Any = None
        self._extractor: Any = None

    def _number(self, settings: dict[str, Any], key: str) -> float:
        value = settings.get(key)
        if not isinstance(value, int | float) or value <= 0:
            raise BenchError(
                f"the configuration of {self._checkpoint.label!r} gives {key!r} as {value!r}, not a positive number",
                f"look into {self._checkpoint.folder}",
            )
        return value

    def _geometry(self) -> tuple[int, int]:
        """Samples that the first frame needs, and samples from frame to frame."""
        config = self._checkpoint.config
        if self._model_type == WHISPER:
            # Any length would do, because the window is padded; one analysis window is the least that is speech.
            positions = int(self._number(config, "max_source_positions"))
            return int(self._number(self._checkpoint.preprocessor, "n_fft")), self._window() // positions
        kernels, strides = config.get("conv_kernel"), config.get("conv_stride")
        if not (isinstance(kernels, list) and isinstance(strides, list) and 0 < len(kernels) == len(strides)):
            raise BenchError(
                f"the configuration of {self._checkpoint.label!r} gives conv_kernel {kernels!r} and conv_stride "
                f"{strides!r}, not two lists of one length",
                f"look into {self._checkpoint.folder}",
            )
        hops = [math.prod(strides[:depth]) for depth in range(len(strides))]
        field = 1 + sum((kernel - 1) * hop for kernel, hop in zip(kernels, hops, strict=True))
        return field, math.prod(strides)

    def _window(self) -> int:
        """Samples of Whisper's window: 30 s for every published checkpoint."""
        return int(self._number(self._checkpoint.preprocessor, "chunk_length")) * self.sample_rate

    @property
    def params(self) -> dict[str, Any]:
        """The model and its kind. The files themselves are in `weights_sha256`, wherever they were found."""
        model = self._checkpoint.label if self.name.startswith("hf:") else self.name
        return {"model": model, "model_type": self._model_type}

    def weights_sha256(self) -> str:
        """Digest of the weight files, config.json and the preprocessor's configuration; nothing is loaded."""
        return self._checkpoint.sha256

    def parameters(self) -> int:
        """Number of the encoder's weights, counted on a model without memory for them."""
        import torch

        encoder, config = self._encoder_class(), self._config()
        with torch.device("meta"), _quiet():
            return sum(weight.numel() for weight in encoder(config).parameters())

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """All hidden states: (layers, T, dim) at 50 Hz for every published checkpoint.

        Raises:
            BenchError: The weights cannot be loaded, or do not fit the configuration.
        """
        if self._model is None:
            self._load()
        if self._model_type == WHISPER:
            window = self._window()
            parts = [self._hidden_states(wave[start : start + window]) for start in range(0, len(wave), window)]
            layers = np.concatenate(parts, axis=1)
        else:
            layers = self._hidden_states(wave)
        return Features(layers, self.sample_rate / self._hop)

    def _hidden_states(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            prepared = self._extractor(np.array(wave), sampling_rate=self.sample_rate, return_tensors="pt")
            inputs = prepared[self._extractor.model_input_names[0]].to(self.device, torch.float32)
            output = self._model.to(self.device)(inputs, output_hidden_states=True)
            states = torch.cat([*output.hidden_states[:-1], output.last_hidden_state])
        if len(states) != self.layers:
            raise BenchError(
                f"{self.name} returns {len(states)} hidden states where its configuration promises {self.layers}",
                "this version of transformers may treat the model otherwise: please report it",
            )
        if self._model_type == WHISPER:
            states = states[:, : math.ceil(len(wave) / self._hop)]
        return np.ascontiguousarray(states.cpu().numpy())

    # -- loading ------------------------------------------------------------------------------------------------------

    def _encoder_class(self) -> Any:
        module, _, name = self._family.encoder.partition(":")
        return getattr(importlib.import_module(f"transformers.models.{module}"), name)

    def _config(self) -> Any:
        """The configuration as transformers reads it, without what only training uses."""
        import transformers
        from huggingface_hub.errors import StrictDataclassError

        try:
            config = getattr(transformers, self._family.config).from_dict(self._checkpoint.config)
        except (StrictDataclassError, TypeError, ValueError) as error:
            raise self._unusable("its config.json is refused", error) from error
        # SpecAugment masks in training only, but its vector would be expected among the weights, and many published
        # checkpoints have none.
        config.mask_time_prob = config.mask_feature_prob = 0.0
        # The adapter is a head that shortens the output for translation; the encoder ends before it.
        config.add_adapter = False
        return config

    def _load(self) -> None:
        import torch
        import transformers
        from safetensors import SafetensorError

        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise MissingError(f"{self.name} shall run on {self.device!r}, but torch finds no GPU", "use --device cpu")
        folder = self._checkpoint.files[0].parent
        broken = (SafetensorError, OSError, ValueError, RuntimeError, TypeError, LookupError, pickle.UnpicklingError)
        config = self._config()
        try:
            # Loading draws from torch's global generator, on which somebody else may rely.
            with _quiet(), torch.random.fork_rng(devices=[]):
                # A class of transformers itself and weights_only: neither code nor pickled objects of a checkpoint run.
                model, info = self._encoder_class().from_pretrained(
                    folder,
                    config=config,
                    dtype=torch.float32,
                    attn_implementation=self._family.attention,
                    key_mapping=WHISPER_NAMES if self._model_type == WHISPER else None,
                    use_safetensors=self._checkpoint.safetensors,
                    weights_only=True,
                    local_files_only=True,
                    ignore_mismatched_sizes=True,  # refused below, with the name of the weight
                    output_loading_info=True,
                )
        except (*broken, EOFError) as error:
            raise self._unusable("its weights cannot be loaded", error) from error
        self._check_complete(info)
        self._extractor = getattr(transformers, self._family.extractor).from_dict(self._checkpoint.preprocessor)
        self._model = model.eval()

    def _check_complete(self, info: dict[str, Any]) -> None:
        """Refuse weights that transformers would have made up, and weights of the encoder that it would leave out."""
        surplus = [key for key in info["unexpected_keys"] if ENCODER_WEIGHT.search(str(key))]
        mismatched = [key[0] if isinstance(key, tuple) else key for key in info["mismatched_keys"]]
        found = (("missing", info["missing_keys"]), ("of another shape", mismatched), ("left over", surplus))
        wrong = [f"{len(keys)} {what}, such as {min(map(str, keys))!r}" for what, keys in found if keys]
        if wrong:
            raise BenchError(
                f"the weights of {self._checkpoint.label!r} in {self._checkpoint.folder} do not fit its config.json: "
                + "; ".join(wrong),
                "weights and config.json must come from one model; download it again",
            )

    def _unusable(self, what: str, error: BaseException) -> BenchError:
        reason = " ".join(itertools.islice(str(error).split(), 40))
        return BenchError(
            f"{self._checkpoint.label!r} in {self._checkpoint.folder} cannot be used, {what}: {reason}",
            "download it again, or give another folder",
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from printing progress bars and reports while a model is made; what matters is checked."""
    logging: Any = importlib.import_module("transformers.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
