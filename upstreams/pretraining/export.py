"""The folder that comes of a pre-training: FunASR's layout, what it says of itself, and a card."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from benchmark.io.files import write_atomically
from benchmark.registry.upstreams import FOLDER_TELLS
from upstreams.funasr.checkpoint_files import CONFIG, FUNASR_CLASS, WEIGHTS
from upstreams.pretraining.about import About, as_json
from upstreams.pretraining.network import NORM_EPSILON
from upstreams.pretraining.published_names import DECODER, published
from upstreams.pretraining.recipe import PretrainingRecipe
from upstreams.pretraining.student import ConvolutionalDecoder, Student

CARD = "README.md"


def export(student: Student, about: About, folder: Path) -> None:
    """Write the folder: weights first, and last the file by which it is known as whole.

    Raises:
        BenchError: It cannot be written.
    """
    prenet = about.recipe.model.prenet
    state: dict[str, Tensor] = dict(student.encoder.state_dict())
    if isinstance(student.decoder, ConvolutionalDecoder):
        state |= {f"{DECODER}{name}": value for name, value in student.decoder.state_dict().items()}
    content = io.BytesIO()
    weights = {name: value.detach().cpu().clone() for name, value in published(state, prenet).items()}
    torch.save({"model": weights}, content)
    write_atomically(folder / WEIGHTS, content.getvalue())
    config = yaml.safe_dump({"model": FUNASR_CLASS, "model_conf": model_conf(about.recipe)}, sort_keys=False)
    write_atomically(folder / CONFIG, config.encode())
    write_atomically(folder / CARD, card(about, folder.resolve().name).encode())
    write_atomically(folder / FOLDER_TELLS, as_json(about))


def model_conf(recipe: PretrainingRecipe) -> dict[str, Any]:
    """The settings that FunASR's class takes, of a recipe."""
    model, dropout, masking = recipe.model, recipe.dropout, recipe.masking
    decoder = model.decoder if recipe.frame_loss.weight else None
    audio = {
        "type": "AUDIO",
        "prenet_depth": model.prenet,
        "prenet_layerdrop": dropout.blocks,
        "prenet_dropout": dropout.prenet,
        "num_extra_tokens": model.tokens,
        "init_extra_token_zero": True,
        "mask_noise_std": masking.noise,
        "mask_prob_min": None,
        "mask_prob": masking.probability,
        "inverse_mask": False,
        "mask_prob_adjust": masking.adjust,
        "keep_masked_pct": 0.0,
        "mask_length": masking.length,
        "add_masks": False,
        "remove_masks": False,
        "mask_dropout": 0.0,
        "encoder_zero_mask": True,
        "mask_channel_prob": 0.0,
        "mask_channel_length": 64,
        "ema_local_encoder": False,
        "local_grad_mult": 1.0,
        "use_alibi_encoder": model.alibi,
        "alibi_scale": 1.0,
        "learned_alibi": False,
        "alibi_max_pos": None,
        "learned_alibi_scale": True,
        "learned_alibi_scale_per_head": True,
        "learned_alibi_scale_per_layer": False,
        "num_alibi_heads": model.heads,
        "model_depth": model.trunk,
        "decoder": None
        if decoder is None
        else {
            "decoder_dim": decoder.dim,
            "decoder_groups": decoder.groups,
            "decoder_kernel": decoder.kernel,
            "decoder_layers": decoder.layers,
            "input_dropout": dropout.decoder,
            "add_positions_masked": False,
            "add_positions_all": False,
            "decoder_residual": True,
            "projection_layers": 1,
            "projection_ratio": 2.0,
        },
        "extractor_mode": "layer_norm",
        "feature_encoder_spec": repr([tuple(one) for one in model.convolutions]),
        "conv_pos_width": model.positions.width,
        "conv_pos_groups": model.positions.groups,
        "conv_pos_depth": model.positions.depth,
        "conv_pos_pre_ln": False,
        "start_drop_path_rate": 0.0,
        "end_drop_path_rate": 0.0,
    }
    return {
        "loss_beta": 0.0,
        "loss_scale": None,
        "depth": model.trunk,
        "start_drop_path_rate": 0.0,
        "end_drop_path_rate": 0.0,
        "num_heads": model.heads,
        "norm_eps": NORM_EPSILON,
        "norm_affine": True,
        "encoder_dropout": dropout.residual,
        "post_mlp_drop": dropout.feed_forward,
        "attention_dropout": dropout.attention,
        "activation_dropout": dropout.activation,
        "dropout_input": dropout.trunk,
        "layerdrop": dropout.blocks,
        "embed_dim": model.dim,
        "mlp_ratio": model.feed_forward,
        "layer_norm_first": False,
        "average_top_k_layers": recipe.targets.blocks,
        "end_of_block_targets": recipe.targets.of == "block",
        "clone_batch": masking.copies,
        "instance_norm_target_layer": recipe.targets.normalisation == "instance",
        "ema_decay": recipe.teacher.first,
        "ema_end_decay": recipe.teacher.last,
        "ema_anneal_end_step": recipe.teacher.steps,
        "max_update": recipe.schedule.steps,
        "seed": recipe.seed,
        "cls_loss": recipe.utterance_loss.weight,
        "cls_type": recipe.utterance_loss.method,
        "normalize": True,
        "modalities": {"audio": audio},
    }


def card(about: About, name: str) -> str:
    """The model card."""
    recipe, last = about.recipe, about.last
    heard = "\n".join(f"| {_source(one)} | {one['recordings']} | {one['hours']:.2f} |" for one in about.data)
    start = "random weights" if about.start["kind"] == "cold" else f"{about.start['kind']}, {about.start['model']}"
    marked = ", ".join(about.trained_on) or "none of this benchmark"
    changed = f" Changed: {', '.join(f'`{one}`' for one in about.changed)}." if about.changed else ""
    losses = "".join(f"| {what} | {last[what]:.4f} |\n" for what in last if isinstance(last[what], float))
    return f"""---
license: other
tags: [audio, speech, emotion2vec, self-supervised learning]
---

# {name}

A speech representation pre-trained by online distillation as emotion2vec is (Ma et al. 2024, arXiv:2312.15185), with
the recipe `{recipe.name}` ({recipe.summary}),
{recipe.schedule.steps} steps from {start}.{changed} It learnt from speech alone: no label was read.

## Use

    bench run --upstream emotion2vec:FOLDER --task demo

Weights and settings are in FunASR's layout (`config.yaml`, `model.pt`), 16 kHz. `pretraining.json` has every value of
the recipe, the digests of the start and of the data, and the versions of what trained it.

## Data

| speech | recordings | hours |
|---|---|---|
{heard}

Scores on these corpora are marked as contaminated: {marked}.

## Training

| at the end | |
|---|---|
{losses}
## Licence

None is stated here: that of the start and of the recordings decides what may be done with the weights.
"""


def _source(one: Mapping[str, Any]) -> str:
    return str(one["corpus"]) if "corpus" in one else f"{one['folder']} (a folder of audio)"
