"""Pretrained encoders of speech through transformers, every hidden state a layer.

Layers, for all architectures: layer 0 is what enters the first transformer block (the convolutional features after
projection and positional embedding), layer i what leaves block i, and the last layer is the encoder's
`last_hidden_state`, which is what leaves the last block, normalised where the architecture has a final layer norm. The
last one is taken by name because transformers moved `hidden_states[-1]` of the models with `do_stable_layer_norm` (the
large family): after the final layer normalisation up to 5.15, before it from 5.16.

On a CPU an utterance is always encoded alone, which costs nothing there. On a GPU utterances are encoded together,
without reaching each other; `upstreams/pretrained/batches.py` says how.
"""

from __future__ import annotations

import contextlib
import copy
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.types import Features, Precision
from upstreams.checkpoints import Checkpoint
from upstreams.pretrained.attention import among, attention_maps
from upstreams.pretrained.batches import batch_shape, encode_together
from upstreams.pretrained.encoders import Encoder
from upstreams.pretrained.families import MOST_BLOCKS, MOST_SAMPLES, family_of, framing_of, positive
from upstreams.pretrained.tuning import TunedEncoder

if TYPE_CHECKING:
    import torch

    # What the model takes of one stretch of an utterance, and how many of its frames are kept; None for all.
    Prepared: TypeAlias = tuple[torch.Tensor, int | None]

# How utterances go through the model: by themselves; in batches whose shape follows from their own length, so that the
# same bytes come out in any company; or padded to the longest, which is less work and equal within rounding.
Pass = Literal["alone", "shaped", "padded"]
DTYPES = {"bf16": "bfloat16", "fp16": "float16"}
# Audio that is handed over at once [s]; on a CPU, where each is encoded alone, it is only a stretch of work.
GPU_SECONDS, CPU_SECONDS = 240.0, 30.0
# Audio in a forward pass on a GPU [s]. Its shape follows from the length of each utterance, filled up with empty rows,
# so that the same sums are taken in the same order whatever is beside it.
PASS_SECONDS = 60.0
WINDOWS_TOGETHER = 16  # of Whisper, 30 s each whatever the utterance is


class HuggingFace(Upstream):
    """A pretrained encoder of transformers: `hf:` and a Hub id or a folder; every hidden state is a layer.

    wav2vec 2.0 (with XLS-R and the fine-tunings), HuBERT (with DistilHuBERT), WavLM, data2vec-audio, w2v-BERT 2.0, and
    the encoders of Whisper and Moonshine, in float32 whatever precision the weights are stored in, or by autocast in
    the lower `precision` (weights and features stay in float32). The waveform is prepared as the checkpoint's own
    preprocessor configuration says.

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
    version = 1
    libraries = ("numpy", "torch", "transformers")
    concurrent = True  # nothing is patched where each is encoded alone
    precisions: ClassVar[tuple[Precision, ...]] = ("bf16", "fp16")
    trains = True
    is_changed = False  # whether the weights in memory are others than those of the files
    _together = False  # whether a CPU encodes a batch as a GPU does; for tests

    def __init__(self, model: str, *, name: str | None = None, revision: str | None = None) -> None:
        self._checkpoint = Checkpoint(model, revision)
        self._family = family_of(self._checkpoint)
        self._encoder = Encoder(self._checkpoint, self._family)
        self._framing = framing_of(self._checkpoint, self._family)
        self.name = name or f"hf:{self._checkpoint.label}"
        self.model_type = str(self._checkpoint.config["model_type"])
        self._params = {"model": name or self._checkpoint.label, "model_type": self.model_type}
        self.sample_rate = positive(self._checkpoint, self._checkpoint.preprocessor, "sampling_rate")
        self.layers = positive(self._checkpoint, self._checkpoint.config, self._family.layers, MOST_BLOCKS) + 1
        self.dim = positive(self._checkpoint, self._checkpoint.config, self._family.dim, MOST_SAMPLES)
        self.frame_rate: float = self.sample_rate / self._framing.hop
        self.min_duration = self._framing.needed / self.sample_rate
        self._batch_seconds: float | None = None
        self._model: Any = None
        self._extractor: Any = None
        self._place = ""

    @property
    def batch_seconds(self) -> float:
        """Audio in a batch [s]: more on a GPU."""
        if self._batch_seconds is not None:
            return self._batch_seconds
        return CPU_SECONDS if self.device == "cpu" else GPU_SECONDS

    @batch_seconds.setter
    def batch_seconds(self, seconds: float) -> None:
        self._batch_seconds = seconds

    @property
    def params(self) -> dict[str, Any]:
        """The model and its kind. The files themselves are in `weights_sha256`, wherever they were found."""
        return self._params

    def weights_sha256(self) -> str:
        """Digest of the weight files, config.json and the preprocessor's configuration; nothing is loaded."""
        return self._checkpoint.sha256

    def parameters(self) -> int:
        """Number of the encoder's weights, counted on a model without memory for them."""
        return self._encoder.parameters()

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """All hidden states: (layers, T, dim), at 50 Hz for every published checkpoint but Moonshine (41.7 Hz).

        Raises:
            BenchError: The weights cannot be loaded, or do not fit the configuration.
            UsageError: torch cannot compute in the precision on the device.
        """
        return self.encode_batch([wave])[0]

    def encode_batch(self, waves: Sequence[NDArray[np.float32]]) -> list[Features]:
        """As `encode`, each; on a GPU in common forward passes."""
        return self._encode(waves, together=self._together or self.device != "cpu")

    def attention(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """Attention maps of one utterance, always computed in float32: (B, H, T, T) for the T frames of `encode`.

        Whisper attends to its whole window. Here its maps are those of the frames that are kept, among themselves: what
        they take of the silence after the utterance is left out, and each row is divided by the rest, so that it sums
        to 1. Where an utterance has several windows, no frame takes anything of another window: zeros.

        Raises:
            BenchError: As `encode`; or a frame takes nothing of the frames that are kept.
        """
        self.get_ready()
        maps: list[NDArray[np.float32]] = []
        with _computing(self.device, None):
            for window in self._windows(wave):
                found = attention_maps(self._model, self.model_type, self._prepared(window))
                found = among(found, self._kept(window))
                maps.append(found.cpu().numpy())
        if len(maps) == 1:
            return maps[0]
        frames = [part.shape[-1] for part in maps]
        whole = np.zeros((*maps[0].shape[:2], sum(frames), sum(frames)), dtype=np.float32)
        for part, start in zip(maps, np.cumsum([0, *frames[:-1]]), strict=True):
            end = start + part.shape[-1]
            whole[:, :, start:end, start:end] = part
        return whole

    def trainable(self) -> TunedEncoder:
        """The encoder once more, with weights of its own, on the CPU; those that were trained, where some were."""
        own = copy.copy(self)
        own.device, own._model = "cpu", copy.deepcopy(self._model) if self.is_changed else None
        own.get_ready()
        return TunedEncoder(own, own._model)

    def settings(self) -> dict[str, Any]:
        """The configuration files of the checkpoint, by name."""
        return {"config.json": self._checkpoint.config, "preprocessor_config.json": self._checkpoint.preprocessor}

    def weight_names(self) -> set[str]:
        """What transformers calls the encoder's weights before anything is computed of them."""
        return self._encoder.weight_names()

    # -- from waveforms to layers -------------------------------------------------------------------------------------

    def _encode(self, waves: Sequence[NDArray[np.float32]], *, together: bool) -> list[Features]:
        self.get_ready()
        inputs = self.inputs(waves)
        with _computing(self.device, self.precision):
            found = self.states(inputs, "shaped" if together else "alone")
            parts = [[layers.cpu().numpy() for layers in part] for part in found]
        return [
            Features(part[0] if len(part) == 1 else np.concatenate(part, axis=1), self.frame_rate) for part in parts
        ]

    def inputs(self, waves: Sequence[NDArray[np.float32]]) -> list[list[Prepared]]:
        """What the model takes of the windows of each utterance.

        It is made before autocast, which would lower the precision of Whisper's spectra too.
        """
        windows = [self._windows(wave) for wave in waves]
        return [[(self._prepared(window), self._kept(window)) for window in part] for part in windows]

    def states(self, inputs: Sequence[Sequence[Prepared]], how: Pass) -> Iterator[list[torch.Tensor]]:
        """The layers (L, T, D) float32 of the windows of each utterance, in order, for `encode` and for training."""
        flat = [window for part in inputs for window in part]
        found = map(self._layers_alone, flat) if how == "alone" else self._layers_together(flat, how)
        for part in inputs:
            yield [next(found) for _ in part]

    def _windows(self, wave: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The stretches that are encoded by themselves: consecutive windows of Whisper, else the whole waveform."""
        window = self._framing.window
        return [wave] if window is None else [wave[start : start + window] for start in range(0, len(wave), window)]

    def _kept(self, window: NDArray[np.float32]) -> int | None:
        """The frames that are kept where the model's input is padded; None for all."""
        return None if self._framing.window is None else math.ceil(len(window) / self._framing.hop)

    def _prepared(self, window: NDArray[np.float32]) -> torch.Tensor:
        """What the model takes, on its device: (1, n), for w2v-BERT 2.0 (1, T, F), for Whisper (1, F, T)."""
        import torch

        extraction = self._family.extraction
        prepared = self._extractor(np.array(window), sampling_rate=self.sample_rate, return_tensors="pt", **extraction)
        values: torch.Tensor = prepared[self._extractor.model_input_names[0]]
        return values.to(self.device, torch.float32)

    def _layers_alone(self, prepared: Prepared) -> torch.Tensor:
        """(L, T, D) float32 of one input."""
        import torch

        values, kept = prepared
        output = self._model(values, output_hidden_states=True)
        states = [*output.hidden_states[:-1], output.last_hidden_state]
        return self._checked(torch.stack([state[0, :kept].float() for state in states]))

    def _layers_together(self, inputs: Sequence[Prepared], how: Pass) -> Iterator[torch.Tensor]:
        """(L, T, D) float32 of each input, in order."""
        by_shape: dict[tuple[int, int] | None, list[int]] = {}
        for place, (values, _) in enumerate(inputs):
            by_shape.setdefault(self._pass_shape(values) if how == "shaped" else None, []).append(place)
        found: dict[int, torch.Tensor] = {}
        for shape, places in by_shape.items():
            rows = len(places) if shape is None else shape[0]
            for start in range(0, len(places), rows):
                row = places[start : start + rows]
                states = encode_together(self._model, self.model_type, [inputs[place][0] for place in row], shape=shape)
                for place, layers in zip(row, states, strict=True):
                    found[place] = self._checked(layers[:, : inputs[place][1]].contiguous())
        for place in range(len(inputs)):
            yield found.pop(place)

    def _pass_shape(self, values: torch.Tensor) -> tuple[int, int]:
        """Rows and length of the forward pass in which an input is encoded."""
        if self._framing.window is not None:
            return WINDOWS_TOGETHER, values.shape[-1]
        rate = self.sample_rate if values.ndim == 2 else self.frame_rate
        return batch_shape(values.shape[1], int(PASS_SECONDS * rate))

    def _checked(self, states: torch.Tensor) -> torch.Tensor:
        if len(states) != self.layers:
            raise BenchError(
                f"{self.name} returns {len(states)} hidden states where its configuration promises {self.layers}",
                "this version of transformers may treat the model otherwise: please report it",
            )
        return states

    def get_ready(self) -> None:
        """Load what is not loaded, onto the device where it is to be, see `Upstream.get_ready`.

        Raises:
            BenchError: The weights cannot be loaded, or do not fit the configuration.
            MissingError: There is no such device.
        """
        import torch

        if self._model is not None and self._place == self.device:
            return
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise MissingError(f"{self.name} shall run on {self.device!r}, but torch finds no GPU", "use --device cpu")
        if self._model is None:
            self._extractor = self._encoder.extractor()
            self._model = self._encoder.load()
        self._model.to(self.device)
        self._place = self.device


@contextlib.contextmanager
def _computing(device: str, precision: Precision | None) -> Iterator[None]:
    """Compute without gradients, reproducibly, and in float32 or the lower precision."""
    import torch

    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.inference_mode(), exact, autocast(device, precision) if precision else contextlib.nullcontext():
        yield


def autocast(device: str, precision: Precision) -> Any:
    """The autocast of torch, which of itself warns and does nothing where it cannot."""
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return torch.autocast(torch.device(device).type, dtype=getattr(torch, DTYPES[precision]))
    except (RuntimeError, UserWarning) as error:
        raise UsageError(
            f"torch cannot compute in {precision!r} on {device!r}: {error}", "use another precision or device"
        ) from error
