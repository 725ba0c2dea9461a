"""The encoder is torch's, and padding never reaches a frame."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from downstreams.modules.drawing import build
from downstreams.modules.transformer import Block, Encoder, positions

X = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 7, 8)).astype(np.float32))
LENGTHS = torch.tensor([7, 4, 1])
MASK = torch.arange(7) < LENGTHS.unsqueeze(1)


def test_a_block_is_that_of_torch() -> None:
    own = build(lambda: Block(8, 2, 16, 0.0), "torch", np.random.default_rng(0)).eval()
    theirs = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=True).train()
    names = {
        "self_attn.in_proj_weight": "inward.weight",
        "self_attn.in_proj_bias": "inward.bias",
        "self_attn.out_proj.weight": "outward.weight",
        "self_attn.out_proj.bias": "outward.bias",
        "linear1.weight": "widen.weight",
        "linear1.bias": "widen.bias",
        "linear2.weight": "narrow.weight",
        "linear2.bias": "narrow.bias",
        "norm1.weight": "attention_norm.weight",
        "norm1.bias": "attention_norm.bias",
        "norm2.weight": "feedforward_norm.weight",
        "norm2.bias": "feedforward_norm.bias",
    }
    state = own.state_dict()
    theirs.load_state_dict({name: state[own_name] for name, own_name in names.items()})
    expected = theirs(X, src_key_padding_mask=~MASK)
    torch.testing.assert_close(own(X, MASK)[MASK], expected[MASK], rtol=1e-4, atol=1e-5)


def test_positions_are_the_sinusoids_of_the_paper() -> None:
    found = positions(50, 6, torch.zeros(1))
    for step in (0, 1, 49):
        for column in range(3):
            angle = step / 10_000 ** (2 * column / 6)
            assert float(found[step, 2 * column]) == pytest.approx(math.sin(angle), abs=1e-6)
            assert float(found[step, 2 * column + 1]) == pytest.approx(math.cos(angle), abs=1e-6)


def test_an_utterance_is_encoded_alike_alone_and_beside_a_longer_one() -> None:
    encoder = build(lambda: Encoder(8, 16, 4, 2, 32, 0.1), "torch", np.random.default_rng(0)).eval()
    together = encoder(torch.where(MASK.unsqueeze(-1), X, 5.0), MASK)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = encoder(X[row : row + 1, :length], MASK[row : row + 1, :length])
        torch.testing.assert_close(together[row, :length], alone[0], rtol=1e-4, atol=1e-5)


def test_the_order_of_frames_matters() -> None:
    encoder = build(lambda: Encoder(8, 16, 4, 2, 32, 0.0), "torch", np.random.default_rng(0)).eval()
    backwards = encoder(X.flip(1), torch.ones_like(MASK)).mean(dim=1)
    assert not torch.allclose(encoder(X, torch.ones_like(MASK)).mean(dim=1), backwards, atol=1e-3)
