"""The network of a recipe, as a closed schema without torch: its sizes, the frames that they give, and its dropout."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt, model_validator

from benchmark.io.yamls import Closed

Count = Annotated[StrictInt, Field(ge=1, le=1_000_000_000)]
Whole = Annotated[StrictInt, Field(ge=0, le=1_000_000_000)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Positions(Closed):
    """Convolutions that tell blocks where a frame stands: `depth` of them, together `width` frames wide."""

    width: Count
    groups: Count
    depth: Count


class Decoder(Closed):
    """Convolutions over all frames that predict the targets from what the encoder made of the kept ones."""

    layers: Count
    dim: Count
    kernel: Count
    groups: Count


class Model(Closed):
    """The network.

    Attributes:
        convolutions: Channels, kernel and stride of each layer of the front end.
        dim: Of every hidden state.
        heads: Of every attention.
        prenet: Blocks before the trunk, whose outputs are no targets.
        trunk: Blocks of the trunk.
        feed_forward: Width of a block's feed-forward layer, in `dim`.
        positions: Convolutional positions.
        alibi: Whether attention falls with distance (ALiBi), by a learnt factor for each head.
        tokens: Learnt utterance tokens before the frames.
        decoder: Convolutions; None for one linear layer.
    """

    convolutions: list[tuple[Count, Count, Count]] = Field(min_length=1, max_length=64)
    dim: Count
    heads: Count
    prenet: Whole
    trunk: Count
    feed_forward: Positive
    positions: Positions
    alibi: bool
    tokens: Whole
    decoder: Decoder | None

    @model_validator(mode="after")
    def _fits(self) -> Model:
        decoder = self.decoder
        divisions = [
            ("dim", self.dim, "heads", self.heads),
            ("dim", self.dim, "positions.groups", self.positions.groups),
        ]
        if decoder is not None:
            divisions += [
                ("dim", self.dim, "decoder.groups", decoder.groups),
                ("decoder.dim", decoder.dim, "decoder.groups", decoder.groups),
            ]
        for name, value, divisor, number in divisions:
            if value % number:
                raise ValueError(f"{divisor} ({number}) does not divide {name} ({value})")
        return self

    @property
    def hop(self) -> int:
        """Samples from frame to frame."""
        hop = 1
        for _, _, stride in self.convolutions:
            hop *= stride
        return hop

    @property
    def field(self) -> int:
        """Samples that the first frame needs."""
        field, hop = 1, 1
        for _, kernel, stride in self.convolutions:
            field += (kernel - 1) * hop
            hop *= stride
        return field

    def frames(self, samples: int) -> int:
        """Frames of so many samples."""
        for _, kernel, stride in self.convolutions:
            samples = (samples - kernel) // stride + 1
        return samples


class Dropout(Closed):
    """Probabilities in training.

    Attributes:
        attention: Of weights of the attention.
        residual: Of what attention adds.
        activation: Of both layers of a feed-forward part.
        feed_forward: Of what it adds.
        prenet: Of what enters the prenet.
        trunk: Of what enters the trunk.
        decoder: Of what enters the decoder.
        blocks: Of a whole block being left out.
    """

    attention: Share
    residual: Share
    activation: Share
    feed_forward: Share
    prenet: Share
    trunk: Share
    decoder: Share
    blocks: Share
