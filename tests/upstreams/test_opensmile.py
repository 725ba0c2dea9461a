"""openSMILE's functionals: the right ones, in the right order, and nothing made up."""

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
from upstreams.opensmile import MIN_DURATION, ComParE, EGeMAPS, functionals

CHECKS = [(cls.name, check) for cls in (EGeMAPS, ComParE) for check in check_upstream(cls)]


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
        functionals(smile, np.zeros(8000, dtype=np.float32))


@pytest.mark.parametrize("cls", [EGeMAPS, ComParE])
@pytest.mark.usefixtures("opensmile")
def test_the_shortest_input_is_what_opensmile_needs(cls: type[Upstream]) -> None:
    wave = probe(1.0, 16_000, 1)
    least = round(MIN_DURATION * 16_000)
    assert cls().encode(wave[:least]).layers.shape == (1, 1, cls.dim)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # opensmile warns too
        with pytest.raises(BenchError, match=r"at least 0\.06 s"):
            cls().encode(wave[: least - 1])


@pytest.mark.parametrize("cls", [EGeMAPS, ComParE])
def test_without_the_package_the_error_says_how_to_install_it(cls: type[Upstream], monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingError) as error:
        cls().encode(np.zeros(16_000, dtype=np.float32))
    assert "pip install 'serbench[opensmile]'" in error.value.hint
    assert "research" in error.value.hint
    assert cls.extra == "opensmile"


def test_nothing_is_imported_or_made_before_the_first_encoding() -> None:
    code = (
        "import sys; from upstreams.opensmile import EGeMAPS; EGeMAPS().identity(); "
        "sys.exit('opensmile' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
