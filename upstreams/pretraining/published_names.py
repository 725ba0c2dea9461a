"""Names of weights here, and in published checkpoints of data2vec 2.0 and emotion2vec: fairseq's, as FunASR keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

FRONT = "modality_encoders.AUDIO"
DECODER = "decoder."  # what follows is the student's
PARTS = {
    "attention.qkv": "attn.qkv",
    "attention.out": "attn.proj",
    "attention_norm": "norm1",
    "up": "mlp.fc1",
    "down": "mlp.fc2",
    "output_norm": "norm2",
}
PATTERNS = (
    (r"convolutions\.(\d+)\.convolution\.(.+)", FRONT + r".local_encoder.conv_layers.\1.0.\2"),
    (r"convolutions\.(\d+)\.norm\.(.+)", FRONT + r".local_encoder.conv_layers.\1.2.1.\2"),
    (r"projection_norm\.(.+)", FRONT + r".project_features.1.\1"),
    (r"projection\.(.+)", FRONT + r".project_features.2.\1"),
    (r"norm\.(.+)", FRONT + r".context_encoder.norm.\1"),
    (r"tokens", FRONT + r".extra_tokens"),
    (r"alibi_scale", FRONT + r".alibi_scale"),
    (r"decoder\.layers\.(\d+)\.convolution\.(.+)", FRONT + r".decoder.blocks.\1.0.\2"),
    (r"decoder\.projection\.(.+)", FRONT + r".decoder.proj.\1"),
)
POSITION = re.compile(r"positions\.(\d+)\.convolution\.(.+)")
BLOCK = re.compile(r"blocks\.(\d+)\.(.+)\.(weight|bias)")


def published_name(name: str, prenet: int) -> str:
    """What a weight of the encoder, or "decoder." and one of the convolutional decoder, is called elsewhere.

    Args:
        name: Here.
        prenet: Blocks before the trunk there.
    """
    if found := BLOCK.fullmatch(name):
        number, part, kind = int(found[1]), PARTS[found[2]], found[3]
        room = f"{FRONT}.context_encoder.blocks.{number}" if number < prenet else f"blocks.{number - prenet}"
        return f"{room}.{part}.{kind}"
    if found := POSITION.fullmatch(name):  # the first module there turns the axes
        return f"{FRONT}.relative_positional_encoder.{int(found[1]) + 1}.0.{found[2]}"
    for pattern, other in PATTERNS:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, other, name)
    raise KeyError(name)


def published(state: Mapping[str, T], prenet: int) -> dict[str, T]:
    """Weights under their names elsewhere."""
    return {published_name(name, prenet): weight for name, weight in state.items()}
