"""openSMILE's features: the right ones, in the right order, at the right time, and nothing made up."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.contracts import Check, check_upstream
from benchmark.contracts.upstream import probe
from benchmark.errors import BenchError, MissingError
from upstreams.handcrafted.opensmile import (
    MIN_DURATION,
    ComParE,
    ComParEDescriptors,
    EGeMAPS,
    EGeMAPSDescriptors,
    describe,
    pair_means,
)

ALL = (EGeMAPS, ComParE, EGeMAPSDescriptors, ComParEDescriptors)
CHECKS = [(cls.name, check) for cls in ALL for check in check_upstream(cls)]


@pytest.fixture(scope="module")
def opensmile() -> object:
    return pytest.importorskip("opensmile")


@pytest.mark.parametrize("check", [check for _, check in CHECKS], ids=[f"{n}-{c.name}" for n, c in CHECKS])
@pytest.mark.usefixtures("opensmile")
def test_contract(check: Check) -> None:
    check.run()


@pytest.mark.parametrize(("cls", "feature_set"), [(EGeMAPS, "eGeMAPSv02"), (ComParE, "ComParE_2016")])
def test_values_are_those_of_opensmile_reading_a_file(cls: type[Upstream], feature_set: str, opensmile, tmp_path: Path):
    wave = probe(1.5, 16_000, 7)
    soundfile.write(tmp_path / "a.wav", wave, 16_000, subtype="FLOAT")
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet[feature_set])
    expected = smile.process_file(tmp_path / "a.wav").to_numpy()
    found = cls().encode(wave)
    assert found.frame_rate is None
    np.testing.assert_array_equal(found.layers, expected.astype(np.float32)[np.newaxis])
    assert found.layers.shape == (1, 1, len(smile.feature_names))


def test_the_first_egemaps_feature_is_pitch_in_semitones(opensmile) -> None:
    time = np.arange(32_000) / 16_000
    voice = sum(np.sin(2 * np.pi * 200 * k * time) / k for k in range(1, 20))
    values = EGeMAPS().encode((0.1 * voice).astype(np.float32)).layers[0, 0]
    assert values[0] == pytest.approx(12 * math.log2(200 / 27.5), abs=0.1)


def test_a_feature_without_a_finite_value_is_an_error_that_names_it() -> None:
    class Frame:
        def to_numpy(self) -> NDArray[np.float32]:
            return np.array([[1.0, np.nan, np.inf]], dtype=np.float32)

    smile = SimpleNamespace(feature_names=["loudness", "jitter", "shimmer"], process_signal=lambda *_: Frame())
    with pytest.raises(BenchError, match=r"no finite value for 2 of 3 features of an utterance of 0\.500 s.*'jitter'"):
        describe(smile, np.zeros(8000, dtype=np.float32))


@pytest.mark.parametrize(
    ("cls", "frames"), [(EGeMAPS, 1), (ComParE, 1), (EGeMAPSDescriptors, 1), (ComParEDescriptors, 2)]
)
@pytest.mark.usefixtures("opensmile")
def test_the_shortest_input_is_what_opensmile_needs(cls: type[Upstream], frames: int) -> None:
    wave = probe(1.0, 16_000, 1)
    least = round(MIN_DURATION * 16_000)
    assert cls().encode(wave[:least]).layers.shape == (1, frames, cls.dim)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # opensmile warns too
        with pytest.raises(BenchError, match=r"at least 0\.06 s"):
            cls().encode(wave[: least - 1])


@pytest.mark.parametrize("cls", ALL)
def test_without_the_package_the_error_says_how_to_install_it(cls: type[Upstream], monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingError, match="need the package opensmile") as error:
        cls().encode(np.zeros(16_000, dtype=np.float32))
    assert "pip install 'serbench[opensmile]'" in error.value.hint
    assert "research" in error.value.hint
    assert cls.extra == "opensmile"


def test_nothing_is_imported_or_made_before_the_first_encoding() -> None:
    code = (
        "from benchmark.base.identity import identity_of; "
        "import sys; from upstreams.handcrafted.opensmile import EGeMAPS; identity_of(EGeMAPS()); "
        "sys.exit('opensmile' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("samples", "frames"), [(960, 2), (1119, 2), (1120, 3), (16_000, 96), (16_159, 96)])
@pytest.mark.usefixtures("opensmile")
def test_frames_are_counted_as_said(samples: int, frames: int) -> None:
    wave = probe(1.1, 16_000, 2)[:samples]
    descriptors, pairs = ComParEDescriptors().encode(wave), EGeMAPSDescriptors().encode(wave)
    assert descriptors.layers.shape == (1, frames, 130)
    assert descriptors.frame_rate == ComParEDescriptors.frame_rate == 100.0
    assert pairs.layers.shape == (1, math.ceil(frames / 2), 25)
    assert pairs.frame_rate == EGeMAPSDescriptors.frame_rate == 50.0


def test_egemaps_descriptors_are_means_of_pairs_and_a_last_odd_one(opensmile) -> None:
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.LowLevelDescriptors)
    wave = probe(1.01, 16_000, 5)
    frames = smile.process_signal(wave, 16_000).to_numpy()
    assert len(frames) == 97
    found = EGeMAPSDescriptors().encode(wave).layers[0]
    for t in range(48):
        np.testing.assert_allclose(found[t], (frames[2 * t] + frames[2 * t + 1]) / 2, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found[48], frames[96])


def test_pairs_are_averaged_in_order() -> None:
    frames = np.array([[0, 10], [2, 30], [4, 50]], dtype=np.float32)
    np.testing.assert_array_equal(pair_means(frames), [[1, 20], [4, 50]])
    np.testing.assert_array_equal(pair_means(frames[:2]), [[1, 20]])
    np.testing.assert_array_equal(pair_means(frames[:1]), frames[:1])


def test_compare_descriptors_are_those_of_opensmile_with_their_slopes(opensmile) -> None:
    wave = probe(2.0, 16_000, 6)
    levels = opensmile.FeatureLevel
    descriptors, slopes = (
        opensmile.Smile(opensmile.FeatureSet.ComParE_2016, level).process_signal(wave, 16_000).to_numpy()
        for level in (levels.LowLevelDescriptors, levels.LowLevelDescriptors_Deltas)
    )
    found = ComParEDescriptors().encode(wave).layers[0]
    np.testing.assert_array_equal(found[:, :65], descriptors)
    np.testing.assert_array_equal(found[:, 65:], slopes[: len(found)])
    assert len(slopes) == len(found) + 2


@pytest.mark.usefixtures("opensmile")
def test_slopes_belong_to_the_frame_they_stand_in() -> None:
    """The energy's slope is that of the line through five frames around, the ends repeated: no frame is shifted."""
    frames = ComParEDescriptors().encode(probe(2.0, 16_000, 6)).layers[0]
    energy = np.pad(frames[:, 8].astype(np.float64), 2, mode="edge")
    expected = [np.polyfit(range(-2, 3), energy[t : t + 5], 1)[0] for t in range(len(frames))]
    np.testing.assert_allclose(frames[:, 65 + 8], expected, atol=1e-6)


@pytest.mark.usefixtures("opensmile")
def test_a_frame_describes_the_20_ms_from_its_time_on() -> None:
    """The root mean square of samples k * 160 to k * 160 + 320, over three frames: the time given in the module."""
    wave = probe(1.0, 16_000, 8)
    loudness = [math.sqrt(float(np.mean(wave[k * 160 : k * 160 + 320].astype(np.float64) ** 2))) for k in range(96)]
    expected = np.convolve(loudness, np.ones(3) / 3, mode="valid")
    frames = ComParEDescriptors().encode(wave).layers[0]
    np.testing.assert_allclose(frames[1:95, 8], expected, atol=1e-4)


@pytest.mark.parametrize("cls", [EGeMAPS, ComParEDescriptors])
@pytest.mark.usefixtures("opensmile")
def test_beyond_full_scale_is_clipped_and_does_not_turn_over(cls: type[Upstream]) -> None:
    """The package computes with 16 bits: what a resampler overshoots would otherwise change its sign."""
    wave = probe(1.0, 16_000, 4)
    wave *= 1.1 / np.abs(wave).max()
    assert (wave > 1).any()
    clipped = np.clip(wave, -1, 32767 / 32768)
    np.testing.assert_array_equal(cls().encode(wave).layers, cls().encode(clipped).layers)
    low = 0.9 * wave
    np.testing.assert_allclose(cls().encode(wave).layers[0, 0, 0], cls().encode(low).layers[0, 0, 0], rtol=0.05)
