"""Attention maps of encoders of transformers, of every block and head."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchError

if TYPE_CHECKING:
    import torch

WAVLM = "wavlm"


def attention_maps(model: Any, model_type: str, inputs: torch.Tensor) -> torch.Tensor:
    """How much each frame takes of each frame: the weights after the softmax.

    The model encodes once more with "eager" attention, the only one that tells its weights, and is then as before.

    Args:
        model: Encoder in eval mode.
        model_type: As in its configuration.
        inputs: What the feature extractor makes of one utterance, on the model's device, with a first axis of 1.

    Returns:
        (B, H, T, T) float32 for B blocks and H heads; every row of the last axis sums to 1.

    Raises:
        BenchError: This version of transformers gives no map for each block and head.
    """
    import torch

    if model_type == WAVLM:
        maps = list(_wavlm_maps(model, inputs))
    else:
        with _eager(model):
            maps = [weights[0] for weights in model(inputs, output_attentions=True).attentions]
    if not maps or any(weights.ndim != 3 for weights in maps):
        raise BenchError(
            f"transformers gives no attention maps of a model of type {model_type!r}",
            "this version may treat the model otherwise: please report it",
        )
    return torch.stack(maps).to(torch.float32)


@contextlib.contextmanager
def _eager(model: Any) -> Iterator[None]:
    usual = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(usual)


def _wavlm_maps(model: Any, inputs: torch.Tensor) -> Iterator[torch.Tensor]:
    """WavLM's maps, computed from what enters each attention, since transformers returns their mean over the heads.

    The bias of a position is that of the first block, gated by the frame that attends: Chen et al., "WavLM:
    Large-Scale Self-Supervised Pre-Training for Full Stack Speech Processing", 2022, section III-A.
    """
    entering: list[torch.Tensor] = []
    attentions = [block.attention for block in model.encoder.layers]
    with contextlib.ExitStack() as stack:
        for attention in attentions:
            hook = attention.register_forward_pre_hook(lambda _, args: entering.append(args[0]))
            stack.callback(hook.remove)
        model(inputs)
    frames = entering[0].shape[1]
    bias = attentions[0].compute_bias(frames, frames)
    for attention, states in zip(attentions, entering, strict=True):
        yield _wavlm_map(attention, states[0], bias)


def _wavlm_map(attention: Any, states: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """One block: (H, T, T) of what enters its attention (T, D) and the bias of positions (H, T, T)."""
    frames, heads = len(states), int(attention.num_heads)

    def by_head(values: torch.Tensor) -> torch.Tensor:
        return values.reshape(frames, heads, -1).transpose(0, 1)

    queries, keys = by_head(attention.q_proj(states)), by_head(attention.k_proj(states))
    scores: torch.Tensor = queries @ keys.transpose(1, 2) * queries.shape[-1] ** -0.5
    # Eight values a head and frame: their first four are summed to the update gate, the others to the reset gate.
    values: torch.Tensor = attention.gru_rel_pos_linear(by_head(states))
    gates = values.reshape(heads, frames, 2, 4).sum(-1).sigmoid()
    update, reset = gates[..., 0], gates[..., 1]
    scale: torch.Tensor = attention.gru_rel_pos_const.view(heads, 1)
    gate = 2 + update * (reset * scale - 1)
    return (scores + gate[..., None] * bias).softmax(-1)


def among(maps: torch.Tensor, frames: int | None) -> torch.Tensor:
    """The maps of the first frames among themselves.

    Args:
        maps: (B, H, T, T), every row of the last axis summing to 1.
        frames: How many; None for all.

    Returns:
        (B, H, frames, frames): what a frame takes of the others is left out, and each row divided by the rest.

    Raises:
        BenchError: A frame takes nothing of the first frames.
    """
    if frames is None:
        return maps
    kept = maps[:, :, :frames, :frames]
    rest = kept.sum(-1, keepdim=True)
    if bool((rest == 0).any()):
        block, head, frame = (int(index) for index in (rest[..., 0] == 0).nonzero()[0])
        raise BenchError(
            f"frame {frame} takes nothing of the utterance in block {block}, head {head}: all of the silence after it",
            "there is no map of this utterance",
        )
    return kept / rest
