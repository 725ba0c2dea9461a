"""Chance carries no information, and the same noise wherever the same waveform stands."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from benchmark.contracts import Check, check_upstream
from upstreams.handcrafted.chance import Chance


@pytest.mark.parametrize("check", list(check_upstream(Chance)), ids=lambda check: check.name)
def test_contract(check: Check) -> None:
    check.run()


def test_the_noise_is_the_generator_of_the_waveforms_digest() -> None:
    wave = np.linspace(-1, 1, 700, dtype=np.float32)
    seed = int(hashlib.sha256(wave.tobytes()).hexdigest(), 16)
    expected = np.random.Generator(np.random.PCG64(seed)).standard_normal(16)
    found = Chance().encode(wave).layers
    assert found.shape == (1, 1, 16)
    np.testing.assert_array_equal(found[0, 0], expected.astype(np.float32))


def test_one_changed_sample_changes_all_of_it_and_memory_layout_nothing() -> None:
    wave = np.linspace(-1, 1, 700, dtype=np.float32)
    other = wave.copy()
    other[350] = np.nextafter(other[350], np.float32(1))
    assert (Chance().encode(wave).layers != Chance().encode(other).layers).all()
    strided = np.repeat(wave, 2)[::2]
    np.testing.assert_array_equal(Chance().encode(strided).layers, Chance().encode(wave).layers)


def test_it_is_standard_normal() -> None:
    waves = np.random.default_rng(0).standard_normal((400, 50)).astype(np.float32)
    values = np.concatenate([features.mean().ravel() for features in Chance().encode_batch(list(waves))])
    assert abs(values.mean()) < 0.05
    assert abs(values.std() - 1) < 0.05
