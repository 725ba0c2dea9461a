"""Encoders that are trained: the forward pass of `encode`, with gradients, and parts by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES

from benchmark.contracts.upstream import probe
from benchmark.errors import UsageError
from upstreams.pretrained.huggingface import HuggingFace

Models = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("one_thread")
WAVES = [probe(duration, 16_000, seed) for seed, duration in enumerate((0.5, 0.9))]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_forward_pass_is_that_of_encode(tiny_model: Models, architecture: str) -> None:
    upstream = HuggingFace(str(tiny_model(architecture)))
    tuned = upstream.trainable()
    for wave, layers in zip(WAVES, tuned.layers(WAVES, "cpu"), strict=True):
        assert layers.requires_grad
        # torch has other kernels of attention where gradients flow
        np.testing.assert_allclose(layers.detach().numpy(), upstream.encode(wave).layers, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_padded_pass_of_a_gpu_gives_the_same_features_and_gradients(tiny_model: Models, architecture: str) -> None:
    tuned = HuggingFace(str(tiny_model(architecture))).trainable()
    gradients = []
    for how in ("alone", "padded"):
        tuned.module.zero_grad()
        states = [part[0] for part in tuned._encoder.states(tuned._encoder.inputs(WAVES), how)]
        sum(layers.square().mean() for layers in states).backward()
        gradients.append(torch.cat([p.grad.ravel() for p in tuned.module.parameters() if p.grad is not None]))
    assert gradients[0].abs().max() > 0
    difference = (gradients[0] - gradients[1]).abs().max() / gradients[0].abs().max()
    assert difference < 1e-4


def test_a_recording_beyond_the_window_of_whisper_is_one_utterance(tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model("whisper")))
    long = probe(31.0, 16_000, 0)
    (layers,) = upstream.trainable().layers([long], "cpu")
    np.testing.assert_array_equal(layers.detach().numpy(), upstream.encode(long).layers)


def test_weights_are_nobody_elses(tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model("wavlm-base")))
    before = upstream.encode(WAVES[0]).layers
    tuned = upstream.trainable()
    with torch.no_grad():
        for parameter in tuned.module.parameters():
            parameter.mul_(2)
    np.testing.assert_array_equal(upstream.encode(WAVES[0]).layers, before)
    assert not np.allclose(tuned.layers(WAVES[:1], "cpu")[0].detach().numpy(), before)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_weight_that_is_used_has_a_part_and_no_weight_two(tiny_model: Models, architecture: str) -> None:
    upstream = HuggingFace(str(tiny_model(architecture)))
    tuned = upstream.trainable()
    tuned.layers(WAVES[:1], "cpu")[0].square().mean().backward()
    used = {id(p) for p in tuned.module.parameters() if p.grad is not None}
    parts = tuned.parts()
    named = [id(p) for modules in parts.values() for module in modules for p in module.parameters()]
    assert len(named) == len(set(named))
    assert used <= set(named)
    assert [name for name in parts if name.isdigit()] == [str(n) for n in range(upstream.layers - 1)]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_low_rank_layers_are_those_of_every_block_and_are_heard(tiny_model: Models, architecture: str) -> None:
    tuned = HuggingFace(str(tiny_model(architecture))).trainable()
    tuned.layers(WAVES[:1], "cpu")[0].square().mean().backward()
    blocks = sum(name.isdigit() for name in tuned.parts())
    for which, each in (("feed-forward", 4 if architecture == "wav2vec2-bert" else 2), ("attention", 4)):
        if which == "attention" and architecture.startswith("wavlm"):
            with pytest.raises(UsageError, match=r"low-rank matrices in the attention of .* would not be heard"):
                tuned.linear_layers(which)
            continue
        names = tuned.linear_layers(which)
        assert len(names) == each * blocks
        for name in names:
            layer = tuned.module.get_submodule(name)
            assert isinstance(layer, torch.nn.Linear)
            assert layer.weight.grad is not None


@pytest.mark.parametrize("architecture", ["wav2vec2-base", "whisper", "moonshine"])
def test_saving_memory_changes_no_gradient(tiny_model: Models, architecture: str) -> None:
    gradients = []
    for saving in (False, True):
        tuned = HuggingFace(str(tiny_model(architecture))).trainable()
        if saving:
            tuned.save_memory()
        tuned.module.train()
        torch.manual_seed(0)
        tuned.layers(WAVES[:1], "cpu")[0].square().mean().backward()
        gradients.append(torch.cat([p.grad.ravel() for p in tuned.module.parameters() if p.grad is not None]))
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("architecture", ["wav2vec2-base", "whisper", "moonshine"])
def test_what_was_trained_is_trained_further_from_where_it_is(tiny_model: Models, architecture: str) -> None:
    upstream = HuggingFace(str(tiny_model(architecture)))
    first = upstream.trainable()
    learns = {name for name, weight in first.module.named_parameters() if weight.requires_grad}
    with torch.no_grad():
        for parameter in first.module.parameters():
            parameter.mul_(1.1)
    first.module.requires_grad_(False)
    tuned = first.upstream()
    second = tuned.trainable()
    changed = tuned.encode(WAVES[0]).layers
    assert not np.allclose(changed, upstream.encode(WAVES[0]).layers, atol=1e-3)
    np.testing.assert_allclose(second.layers(WAVES[:1], "cpu")[0].detach().numpy(), changed, rtol=1e-5, atol=1e-5)
    assert {name for name, weight in second.module.named_parameters() if weight.requires_grad} == learns
    with torch.no_grad():
        for parameter in second.module.parameters():
            parameter.zero_()
    np.testing.assert_array_equal(tuned.encode(WAVES[0]).layers, changed)
