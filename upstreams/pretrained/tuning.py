"""Training an encoder of transformers: what its parts are called, and the forward pass of `encode` with gradients."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base.trainable import LinearLayers, Trainable
from benchmark.errors import UsageError
from benchmark.types import Precision

if TYPE_CHECKING:
    import torch
    from torch import nn

    from upstreams.pretrained.huggingface import HuggingFace

# By `model_type`: names, within a block, of the linear layers that low-rank matrices are added to. The attention of
# WavLM hands its weights to one function of torch: a matrix beside them would never be heard.
_W2V2 = ("feed_forward.intermediate_dense", "feed_forward.output_dense")
_W2V2_ATTENTION = ("attention.q_proj", "attention.k_proj", "attention.v_proj", "attention.out_proj")
FEED_FORWARD = {
    "data2vec-audio": _W2V2,
    "hubert": _W2V2,
    "moonshine": ("mlp.fc1", "mlp.fc2"),
    "wav2vec2": _W2V2,
    "wav2vec2-bert": (
        "ffn1.intermediate_dense",
        "ffn1.output_dense",
        "ffn2.intermediate_dense",
        "ffn2.output_dense",
    ),
    "wavlm": _W2V2,
    "whisper": ("fc1", "fc2"),
}
ATTENTION = {
    "data2vec-audio": _W2V2_ATTENTION,
    "hubert": _W2V2_ATTENTION,
    "moonshine": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"),
    "wav2vec2": _W2V2_ATTENTION,
    "wav2vec2-bert": ("self_attn.linear_q", "self_attn.linear_k", "self_attn.linear_v", "self_attn.linear_out"),
    "whisper": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj"),
}
WAVEFORMS = frozenset({"data2vec-audio", "hubert", "wav2vec2", "wavlm"})
# By `model_type`: what stands before and after the blocks; all else is wav2vec 2.0's.
DIRECT = {
    "moonshine": ("conv1", "conv2", "conv3", "groupnorm"),
    "whisper": ("conv1", "conv2"),
}


class TunedEncoder(Trainable):
    """An encoder with weights of its own.

    Layer drop is 0: every layer is read. SpecAugment is off, as in `encode`. The positional convolution's weight is one
    value, not a direction and a length.

    Args:
        encoder: Loaded, and used by nobody else.
    """

    def __init__(self, encoder: HuggingFace, model: nn.Module) -> None:
        self._encoder = encoder
        self.module = model
        self._model_type = encoder.model_type
        self._learns = {name for name, weight in model.named_parameters() if weight.requires_grad}
        config: Any = model.config
        for key in ("layerdrop", "encoder_layerdrop"):
            if key in config.to_dict():
                setattr(config, key, 0.0)
        if self._model_type == "whisper":
            model.layerdrop = 0.0  # type: ignore[assignment]

    def layers(
        self, waves: Sequence[NDArray[np.float32]], device: str, precision: Precision | None = None
    ) -> list[torch.Tensor]:
        """As `HuggingFace.encode`, in one pass where that is on a GPU.

        Raises:
            UsageError: torch cannot compute in the precision on the device.
        """
        import torch

        from upstreams.pretrained.huggingface import autocast

        self._encoder.device = device
        front: Any = self.module
        if (
            self._model_type in WAVEFORMS
        ):  # else transformers lets gradients flow through frozen convolutions to the samples
            convolutions = front.feature_extractor
            convolutions._requires_grad = any(weight.requires_grad for weight in convolutions.parameters())
        inputs = self._encoder.inputs(waves)
        chosen = precision or self._encoder.precision
        with autocast(device, chosen) if chosen else contextlib.nullcontext():
            parts = list(self._encoder.states(inputs, "alone" if device == "cpu" else "padded"))
        return [torch.cat(part, dim=1) for part in parts]

    def parts(self) -> Mapping[str, Sequence[nn.Module]]:
        """Convolutions, embeddings, blocks and the last normalisation, of every family."""
        model: Any = self.module
        if self._model_type in DIRECT:
            front = [getattr(model, name) for name in DIRECT[self._model_type]]
            blocks, embeddings, norm = model.layers, [], [model.layer_norm]
            if self._model_type == "whisper":
                embeddings = [model.embed_positions]
        elif self._model_type == "wav2vec2-bert":  # no convolutions, and each block normalises itself
            front, embeddings, blocks, norm = [], [model.feature_projection], model.encoder.layers, []
        else:
            front, blocks = [model.feature_extractor], model.encoder.layers
            embeddings = [model.feature_projection, model.encoder.pos_conv_embed]
            is_last = getattr(model.config, "do_stable_layer_norm", False)
            norm = [model.encoder.layer_norm] if is_last else []
            embeddings += [] if is_last else [model.encoder.layer_norm]
        numbered = {str(number): [block] for number, block in enumerate(blocks)}
        found = {"convolutions": front, "embeddings": embeddings, **numbered, "norm": norm}
        return {name: modules for name, modules in found.items() if modules}

    def linear_layers(self, which: LinearLayers) -> Sequence[str]:
        """Full names of both feed-forward layers of every block, or of the four projections of its attention."""
        names = (FEED_FORWARD if which == "feed-forward" else ATTENTION).get(self._model_type)
        if names is None:
            raise UsageError(
                f"low-rank matrices in the attention of {self._encoder.name!r} would not be heard",
                "its feed-forward layers take them",
            )
        ends = tuple(f".{name}" for name in names)
        return [name for name, _ in self.module.named_modules() if f".{name}".endswith(ends)]

    def save(self, folder: Path) -> None:
        """Write config.json, preprocessor_config.json and model.safetensors; of a model with a decoder, without it."""
        from safetensors.torch import save_file

        stored = {"torch_dtype": "float32", "dtype": "float32"}
        for name, found in self._encoder.settings().items():
            settings = {key: stored.get(key, value) for key, value in found.items()}
            (folder / name).write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        state = {name: value.contiguous().clone() for name, value in self.module.state_dict().items()}
        for name in self._encoder.weight_names() - state.keys():
            base, _, original = name.partition(".parametrizations.weight.")
            if original == "original0":  # the length of a direction, for every place of the kernel
                weight = state.pop(f"{base}.weight")
                state[name] = weight.norm(dim=(0, 1), keepdim=True)
                state[f"{base}.parametrizations.weight.original1"] = weight
        if self._model_type in DIRECT:  # where the whole model keeps its encoder
            state = {f"encoder.{name}": value for name, value in state.items()}
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})

    def upstream(self) -> HuggingFace:
        """The encoder with these weights, on the CPU."""
        self.module.to("cpu").eval()
        for name, weight in self.module.named_parameters():
            weight.requires_grad_(name in self._learns)  # as before any training, for who trains it further
        self._encoder.device, self._encoder.is_changed = "cpu", True
        return self._encoder

    def save_memory(self) -> None:
        """Gradient checkpointing of the blocks themselves: the switch of all has another name in each version."""
        import functools

        from torch.utils.checkpoint import checkpoint
        from transformers.modeling_layers import GradientCheckpointingLayer

        again: Any = functools.partial(checkpoint, use_reentrant=False)
        for block in self.module.modules():
            if isinstance(block, GradientCheckpointingLayer):
                block.gradient_checkpointing = True
                block._gradient_checkpointing_func = again
