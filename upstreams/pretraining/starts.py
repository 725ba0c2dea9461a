"""What a pre-training begins with: random weights, or those of data2vec, data2vec 2.0 or emotion2vec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from benchmark.errors import BenchError, UsageError
from benchmark.text import some
from upstreams.funasr.checkpoint_files import FunASRCheckpoint, Settings
from upstreams.funasr.emotion2vec import Emotion2vec
from upstreams.pretraining.about import read_about
from upstreams.pretraining.architecture import Model
from upstreams.pretraining.published_names import DECODER, published_name
from upstreams.pretraining.recipe import Start

if TYPE_CHECKING:
    from torch import Tensor

    from upstreams.pretraining.student import Student

HOW_TO_GIVE = "--start data2vec2:PATH, data2vec:PATH, emotion2vec:PATH or cold"
DATA2VEC = "data2vec-audio"  # as transformers call it


@dataclass(frozen=True)
class Beginning:
    """The weights at the start.

    Attributes:
        kind: As in a recipe.
        label: What the model is called; empty for random weights.
        sha256: Digest of its files; None for random weights.
        trained_on: Corpora of the registry that it has heard.
        new: Weights of the student that it does not have, so that they begin at random.
        state: Weights by the student's names.
    """

    kind: Start
    label: str = ""
    sha256: str | None = None
    trained_on: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    state: Mapping[str, Tensor] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        about = {"kind": self.kind, "model": self.label, "sha256": self.sha256, "trained_on": list(self.trained_on)}
        return {**about, "new": list(self.new)}


def parse_start(text: str | None, wanted: Start) -> str:
    """Where the weights are: what follows the prefix; empty for random ones.

    Args:
        text: "data2vec2:PATH" or "cold"; None is "cold".
        wanted: What the recipe starts from.

    Raises:
        UsageError: It is of no kind that there is, or of another than the recipe's.
    """
    kind, _, path = (text or "cold").partition(":")
    if kind not in get_args(Start) or (kind == "cold") == bool(path):
        raise UsageError(f"--start {text!r} is no start", HOW_TO_GIVE)
    if kind != wanted:
        given = f"--start {text}" if text else "no --start"
        hint = f"--start {wanted}{'' if wanted == 'cold' else ':PATH'}, or --set start={kind}"
        raise UsageError(f"the recipe starts from {wanted!r}, and there is {given}", hint)
    return path


def begin(kind: Start, path: str, student: Student) -> Beginning:
    """Put the weights of the start into a student, whose others stay as they are.

    Raises:
        UsageError: The model has another shape than the recipe.
        MissingError: It is not here.
        BenchError: Its files cannot be read.
    """
    if kind == "cold":
        return Beginning("cold", new=("all",))
    found = _data2vec(path, student) if kind == "data2vec" else _data2vec2(kind, path, student)
    own = dict(student.named_parameters())
    for name, weight in found.state.items():
        if weight.shape != own[name].shape:
            raise BenchError(
                f"the weight {name!r} of {found.label!r} has the shape {tuple(weight.shape)}, the recipe wants "
                f"{tuple(own[name].shape)}",
                "are weights and settings of one model?",
            )
        own[name].data.copy_(weight)
    return found


def _data2vec2(kind: Start, path: str, student: Student) -> Beginning:
    checkpoint = FunASRCheckpoint(path)
    settings, recipe = checkpoint.settings, student.recipe.model
    _refuse_other_shape(checkpoint.label, shape_of(settings), recipe)
    state, prenet = checkpoint.state(), settings.modalities.audio.prenet_depth
    found, new = {}, []
    for name, weight in student.named_parameters():
        own = name.removeprefix("encoder.")
        is_other_decoder = own.startswith(DECODER) and recipe.decoder is None
        other = None if own == "masked_vector" or is_other_decoder else published_name(own, prenet)
        value = state.get(other) if other is not None else None
        if value is not None and own == "alibi_scale" and value.ndim == weight.ndim - 1:
            value = value[None]  # fairseq's older checkpoints store it with a dimension less
        # A decoder of another width, or another number of tokens, begins anew: the recipe varies them.
        may_be_new = own == "tokens" or own.startswith(DECODER) or own == "masked_vector"
        if value is None or (may_be_new and value.shape != weight.shape):
            if not may_be_new:
                raise BenchError(f"{checkpoint.label!r} has no weight {other!r}", "is the file whole?")
            new.append(name)
        else:
            found[name] = value
    about = read_about(checkpoint.folder)
    heard = Emotion2vec.trained_on if kind == "emotion2vec" else ()
    trained_on = heard if about is None else tuple(about.trained_on)
    return Beginning(kind, checkpoint.label, checkpoint.sha256, trained_on, tuple(new), found)


def shape_of(settings: Settings) -> dict[str, Any]:
    """The keys of a recipe's model that must be equal, as a checkpoint has them.

    Raises:
        UsageError: It is of another kind than this network.
    """
    audio = settings.modalities.audio
    wanted = {
        "extractor_mode": (audio.extractor_mode, "layer_norm"),
        "layer_norm_first": (settings.layer_norm_first, False),
        "norm_affine": (settings.norm_affine, True),
        "conv_pos_pre_ln": (audio.conv_pos_pre_ln, False),
        "normalize": (settings.normalize, True),
        "num_alibi_heads": (
            audio.num_alibi_heads if audio.use_alibi_encoder else settings.num_heads,
            settings.num_heads,
        ),
        "learned_alibi_scale_per_layer": (audio.use_alibi_encoder and audio.learned_alibi_scale_per_layer, False),
        "learned_alibi_scale_per_head": (audio.learned_alibi_scale_per_head or not audio.use_alibi_encoder, True),
    }
    other = [f"{key} {found!r} is not {value!r}" for key, (found, value) in wanted.items() if found != value]
    if other:
        raise UsageError(f"a model of this kind cannot be trained here: {some(other, 3)}", "base models can")
    return {
        "convolutions": [tuple(one) for one in audio.feature_encoder_spec],
        "dim": settings.embed_dim,
        "heads": settings.num_heads,
        "blocks": settings.blocks,
        "feed_forward": float(settings.mlp_ratio),
        "positions": (audio.conv_pos_width, audio.conv_pos_groups, audio.conv_pos_depth),
        "alibi": audio.use_alibi_encoder,
    }


def _refuse_other_shape(label: str, shape: Mapping[str, Any], recipe: Model) -> None:
    """The blocks of a start may be divided otherwise into prenet and trunk: they are the same blocks in a row."""
    positions = recipe.positions
    own = {
        "convolutions": [tuple(one) for one in recipe.convolutions],
        "dim": recipe.dim,
        "heads": recipe.heads,
        "blocks": recipe.prenet + recipe.trunk,
        "feed_forward": recipe.feed_forward,
        "positions": (positions.width, positions.groups, positions.depth),
        "alibi": recipe.alibi,
    }
    differ = [f"{key} {value!r}, not {own[key]!r}" for key, value in shape.items() if value != own[key]]
    if differ:
        raise UsageError(
            f"{label!r} has another shape than the recipe: {'; '.join(differ)}",
            "take a recipe of its shape, or change model.KEY by --set (blocks are model.prenet and model.trunk)",
        )


def _data2vec(path: str, student: Student) -> Beginning:
    """The first data2vec, in the layout of transformers: the same blocks without biases of distance, and no tokens.

    What replaces masked frames there is no part of the encoder that transformers load, and begins at random.
    """
    import torch

    from upstreams.pretrained.huggingface import HuggingFace

    upstream = HuggingFace(path)
    module: Any = upstream.trainable().module
    config, recipe = module.config, student.recipe.model
    if config.model_type != DATA2VEC:
        raise UsageError(f"{path!r} is of type {config.model_type!r}, and no data2vec", HOW_TO_GIVE)
    shape = {
        "convolutions": [*zip(config.conv_dim, config.conv_kernel, config.conv_stride, strict=True)],
        "dim": config.hidden_size,
        "heads": config.num_attention_heads,
        "blocks": config.num_hidden_layers,
        "feed_forward": config.intermediate_size / config.hidden_size,
        "positions": (
            config.conv_pos_kernel_size * config.num_conv_pos_embeddings,
            config.num_conv_pos_embedding_groups,
            config.num_conv_pos_embeddings,
        ),
        "alibi": False,
    }
    _refuse_other_shape(upstream.name, shape, recipe)
    state = module.state_dict()
    found: dict[str, Any] = {}
    for name, _ in student.encoder.named_parameters():
        if name.split(".")[2:3] == ["attention"] and ".qkv." in name:
            number, kind = name.split(".")[1], name.rpartition(".")[2]
            parts = [state[f"encoder.layers.{number}.attention.{one}_proj.{kind}"] for one in "qkv"]
            found[f"encoder.{name}"] = torch.cat(parts)
        elif (other := _data2vec_name(name)) is not None:
            found[f"encoder.{name}"] = state[other]
    new = tuple(name for name, _ in student.named_parameters() if name not in found)
    return Beginning("data2vec", upstream.name, upstream.weights_sha256(), upstream.trained_on, new, found)


def _data2vec_name(name: str) -> str | None:
    """What a weight of the encoder is called in data2vec of transformers; None for one that it does not have."""
    if name == "tokens":
        return None
    room, _, rest = name.partition(".")
    number, _, part = rest.partition(".")
    if room == "convolutions":
        kind = part.replace("convolution.", "conv.").replace("norm.", "layer_norm.")
        return f"feature_extractor.conv_layers.{number}.{kind}"
    if room == "positions":
        return f"encoder.pos_conv_embed.layers.{number}.{part.replace('convolution.', 'conv.')}"
    if room in ("projection_norm", "projection"):
        return f"feature_projection.{'layer_norm' if room == 'projection_norm' else 'projection'}.{rest}"
    if room == "norm":
        return f"encoder.layer_norm.{rest}"
    inside, _, kind = part.rpartition(".")
    parts = {
        "attention.out": "attention.out_proj",
        "attention_norm": "layer_norm",
        "up": "feed_forward.intermediate_dense",
        "down": "feed_forward.output_dense",
        "output_norm": "final_layer_norm",
    }
    return f"encoder.layers.{number}.{parts[inside]}.{kind}"
