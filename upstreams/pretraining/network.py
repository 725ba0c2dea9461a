"""The encoder of data2vec 2.0 and emotion2vec: convolutions, positions, blocks with ALiBi biases, utterance tokens.

Baevski et al. 2023 (arXiv:2212.07525) and Ma et al. 2024 (arXiv:2312.15185), section 4.1. Normalisation stands after
each part of a block ("post-norm"), as in all published models of base size. There is no padding: utterances of a batch
have one length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from upstreams.pretraining.architecture import Dropout, Model

NORM_EPSILON = 1e-5  # modelscope/FunASR, funasr/models/emotion2vec/template.yaml: norm_eps; all others are torch's, too
DEVIATION = 0.02  # of the initial weights of linear layers, as BERT
SILENT = Dropout(
    attention=0, residual=0, activation=0, feed_forward=0, prenet=0, trunk=0, decoder=0, blocks=0
)  # nothing is dropped


@dataclass
class States:
    """What leaves the blocks.

    Attributes:
        hidden: What enters the first block, then what leaves each, (B, N + T, D) with N tokens first.
        inner: What the feed-forward part of each block gives before it is added.
    """

    hidden: list[Tensor]
    inner: list[Tensor] = field(default_factory=list)


class Convolution(nn.Module):
    """One layer of the front end: convolution without bias, normalisation over channels, GELU."""

    def __init__(self, inputs: int, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(inputs, channels, kernel, stride=stride, bias=False)
        self.norm = nn.LayerNorm(channels)
        nn.init.kaiming_normal_(self.convolution.weight)

    def forward(self, x: Tensor) -> Tensor:
        """From (B, C, n) to (B, C', m)."""
        normal = self.norm(self.convolution(x).transpose(1, 2).float())
        found: Tensor = functional.gelu(normal.transpose(1, 2))
        return found


class SameConvolution(nn.Module):
    """Convolution that keeps the number of frames, normalisation over channels without weights, GELU."""

    def __init__(self, inputs: int, channels: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(inputs, channels, kernel, padding=kernel // 2, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """From (B, C, T) to (B, C', T)."""
        found = self.convolution(x)[..., : x.shape[-1]]  # a kernel of even width gives one frame more
        normal = functional.layer_norm(found.transpose(1, 2), found.shape[1:2]).transpose(1, 2)
        return functional.gelu(normal)


class Attention(nn.Module):
    """Self-attention with a bias for each pair of frames."""

    def __init__(self, model: Model, dropout: Dropout) -> None:
        super().__init__()
        self.heads = model.heads
        self.qkv = nn.Linear(model.dim, 3 * model.dim)
        self.out = nn.Linear(model.dim, model.dim)
        self._weights_dropout = nn.Dropout(dropout.attention)
        self._dropout = nn.Dropout(dropout.residual)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """From (B, T, D) and (B or 1, H, T, T) to (B, T, D)."""
        rows, frames, dim = x.shape
        qkv = self.qkv(x).view(rows, frames, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)
        scores = (query * (dim // self.heads) ** -0.5) @ key.transpose(-2, -1)
        if bias is not None:
            scores = scores.float() + bias
        weights = self._weights_dropout(scores.softmax(dim=-1, dtype=torch.float32).to(value.dtype))
        found = self.out((weights @ value).transpose(1, 2).reshape(rows, frames, dim))
        dropped: Tensor = self._dropout(found)
        return dropped


class Block(nn.Module):
    """A transformer block, normalised after attention and after the feed-forward part."""

    def __init__(self, model: Model, dropout: Dropout) -> None:
        super().__init__()
        width = int(model.dim * model.feed_forward)
        self.attention = Attention(model, dropout)
        self.attention_norm = nn.LayerNorm(model.dim, eps=NORM_EPSILON)
        self.up = nn.Linear(model.dim, width)
        self.down = nn.Linear(width, model.dim)
        self.output_norm = nn.LayerNorm(model.dim, eps=NORM_EPSILON)
        self._activation_dropout = nn.Dropout(dropout.activation)
        self._dropout = nn.Dropout(dropout.feed_forward)

    def forward(self, x: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """What leaves the block, and what its feed-forward part gives before it is added."""
        x = self.attention_norm(x + self.attention(x, bias))
        wide = self._activation_dropout(functional.gelu(self.up(x)))
        inner = self._activation_dropout(self.down(wide))
        return self.output_norm(x + self._dropout(inner)), inner


class Encoder(nn.Module):
    """From waveforms to hidden states.

    Args:
        model: Sizes.
        dropout: Probabilities in training; none where not given.
    """

    def __init__(self, model: Model, dropout: Dropout = SILENT) -> None:
        super().__init__()
        self.model, self._prenet = model, model.prenet
        channels = [1, *(one for one, _, _ in model.convolutions)]
        self.convolutions = nn.ModuleList(
            Convolution(inputs, *one) for inputs, one in zip(channels[:-1], model.convolutions, strict=True)
        )
        self.projection_norm = nn.LayerNorm(channels[-1])
        self.projection = nn.Linear(channels[-1], model.dim)
        kernel = max(3, model.positions.width // model.positions.depth)
        self.positions = nn.ModuleList(
            SameConvolution(model.dim, model.dim, kernel, model.positions.groups) for _ in range(model.positions.depth)
        )
        self.norm = nn.LayerNorm(model.dim, eps=NORM_EPSILON)
        self.blocks = nn.ModuleList(Block(model, dropout) for _ in range(model.prenet + model.trunk))
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=DEVIATION)
                nn.init.zeros_(part.bias)
        self.tokens: nn.Parameter | None = None
        if model.tokens:  # the first begins at zero: init_extra_token_zero of the template
            self.tokens = nn.Parameter(
                torch.cat([torch.zeros(1, 1, model.dim), torch.randn(1, model.tokens - 1, model.dim)], 1)
            )
        self.alibi_scale = nn.Parameter(torch.ones(1, 1, model.heads, 1, 1)) if model.alibi else None
        self._before_prenet, self._before_trunk = nn.Dropout(dropout.prenet), nn.Dropout(dropout.trunk)
        self._block_dropout = dropout.blocks

    def local(self, waves: Tensor) -> Tensor:
        """The front end: from (B, n) to (B, T, D)."""
        x = waves[:, None]
        for layer in self.convolutions:
            x = layer(x)
        return self.projection(self.projection_norm(x.transpose(1, 2)))  # type: ignore[no-any-return]

    def contextual(self, local: Tensor, kept: Tensor | None = None) -> States:
        """Positions, tokens and blocks.

        Args:
            local: (B, T, D), zero or replaced where it is masked.
            kept: (B, K) the frames that enter the blocks, in order; None for all.
        """
        positions = local.transpose(1, 2)
        for layer in self.positions:
            positions = layer(positions)
        x = local + positions.transpose(1, 2)
        places = torch.arange(x.shape[1], device=x.device)[None]
        if kept is not None:
            x, places = x.gather(1, kept[..., None].expand(-1, -1, x.shape[-1])), kept
        bias = self._bias(places)
        if self.tokens is not None:
            x = torch.cat([self.tokens.expand(len(x), -1, -1), x.to(self.tokens.dtype)], dim=1)
        x = self._before_prenet(self.norm(x))
        states = States([x])
        for number, block in enumerate(self.blocks):
            if number == self._prenet:
                x = self._before_trunk(x)
            if self.training and self._block_dropout and float(torch.rand(())) < self._block_dropout:
                continue
            x, inner = block(x, bias)
            states.hidden.append(x)
            states.inner.append(inner)
        return states

    def _bias(self, places: Tensor) -> Tensor | None:
        """(B, H, N + K, N + K) float32: what attention loses with distance; nothing to and from the N tokens."""
        if self.alibi_scale is None:
            return None
        distance = (places[:, None, :, None] - places[:, None, None, :]).abs()
        slopes = torch.tensor(alibi_slopes(self.model.heads), device=places.device)
        scale = self.alibi_scale[0].clamp_min(0).float()
        bias = -distance * slopes[:, None, None] * scale
        return functional.pad(bias, (self.model.tokens, 0, self.model.tokens, 0))


def alibi_slopes(heads: int) -> list[float]:
    """How fast attention falls with distance in each head (Press et al. 2022, arXiv:2108.12409, section 3).

    A geometric series for a power of two; else that of the next lower power, then every second one of the next higher.
    """
    power = 2 ** math.floor(math.log2(heads))
    first = [2 ** (-8 * (number + 1) / power) for number in range(power)]
    return first if power == heads else first + alibi_slopes(2 * power)[::2][: heads - power]
