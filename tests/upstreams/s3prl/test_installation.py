"""What is wrong with an installation of torchaudio and s3prl, and the commands that mend it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.types import Condition
from upstreams.s3prl import installation
from upstreams.s3prl.installation import mend

PAIR = "pip install --no-deps torchaudio==2.8.0 s3prl==0.4.18"
NEEDS = "pip install omegaconf librosa soundfile tensorboardX protobuf"
NO_BACKEND = "raise AttributeError(\"module 'torchaudio' has no attribute 'set_audio_backend'\")"
CUDA = "raise OSError('libc10_cuda.so: cannot open shared object file\\nin this folder')"
Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make packages of these names, versions and sources, which hide installed ones; others are absent."""
    found: dict[str, str] = {}
    monkeypatch.setattr(installation, "versions", lambda names: {name: found.get(name, "absent") for name in names})
    monkeypatch.syspath_prepend(tmp_path)
    hidden = {name: value for name, value in sys.modules.items() if name.split(".")[0] in ("s3prl", "torchaudio")}

    def forget() -> None:
        for name in [name for name in sys.modules if name.split(".")[0] in ("s3prl", "torchaudio")]:
            del sys.modules[name]

    def make(package: str, version: str, source: str = "", hub: str = "") -> Path:
        found[package] = version
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(source)
        (tmp_path / package / "hub.py").write_text(hub)
        return tmp_path / package

    forget()
    yield make
    forget()
    sys.modules.update(hidden)


def torchaudio() -> Condition:
    return installation.examine()[0]


def s3prl() -> Condition:
    return installation.examine()[1]


def test_without_both_the_doctor_is_content_and_says_how_to_get_s3prl(install: Install) -> None:
    assert torchaudio().status == "ok"
    assert s3prl().status == "-"
    assert NEEDS in s3prl().found
    assert PAIR in s3prl().found


def test_both_are_well(install: Install) -> None:
    install("torchaudio", "2.8.0")
    install("s3prl", "0.4.18", hub="import torchaudio\nprint('noise')")
    assert torchaudio() == Condition("ok", "torchaudio", "2.8.0")
    assert s3prl() == Condition("ok", "s3prl", "0.4.18")


def test_a_torchaudio_that_does_not_suit_the_torch_is_not_needed_without_s3prl(install: Install) -> None:
    install("torchaudio", "2.8.0", CUDA)
    assert torchaudio().status == "BROKEN"
    assert torchaudio().found == (
        "2.8.0 does not suit this torch: libc10_cuda.so: cannot open shared object file in this folder; "
        "pip uninstall torchaudio"
    )


def test_with_s3prl_its_libraries_are_to_be_deleted(install: Install) -> None:
    folder = install("torchaudio", "2.8.0", CUDA)
    install("s3prl", "0.4.18", hub="import torchaudio")
    (folder / "lib").mkdir()
    (folder / "lib" / "libtorchaudio.so").touch()
    for finding in (torchaudio(), s3prl()):
        assert finding.status == "BROKEN"
        assert "libc10_cuda.so" in finding.found
        assert f"rm {folder}/lib/*.so" in finding.found


@pytest.mark.parametrize("version", ["2.9.0", "2.11.0+cpu", "3.0"])
def test_a_torchaudio_without_set_audio_backend(version: str, install: Install) -> None:
    install("torchaudio", version)
    install("s3prl", "0.4.18", hub=NO_BACKEND)
    assert torchaudio().status == "ok"
    assert s3prl().status == "BROKEN"
    assert "set_audio_backend" in s3prl().found
    assert PAIR in s3prl().found


def test_a_new_torchaudio_that_is_broken_is_replaced_and_not_stripped(install: Install) -> None:
    folder = install("torchaudio", "2.11.0", CUDA)
    (folder / "lib").mkdir()
    (folder / "lib" / "libtorchaudio.so").touch()
    install("s3prl", "0.4.18", hub="import torchaudio")
    assert PAIR in torchaudio().found
    assert "rm " not in torchaudio().found


def test_s3prl_without_torchaudio(install: Install) -> None:
    install("s3prl", "0.4.18", hub="import torchaudio_that_is_not_there")
    assert s3prl().status == "BROKEN"
    assert PAIR in s3prl().found


def test_s3prl_without_what_it_imports(install: Install) -> None:
    install("torchaudio", "2.8.0")
    install("s3prl", "0.4.18", hub="import omegaconf_that_is_not_there")
    assert s3prl().status == "BROKEN"
    assert "No module named 'omegaconf_that_is_not_there'" in s3prl().found
    assert NEEDS in s3prl().found


@pytest.mark.parametrize(
    ("version", "replaced"), [("2.8.0", False), ("2.8.0+cpu", False), ("2.9.0", True), ("2.10", True), ("3.1.2a", True)]
)
def test_the_mend_depends_on_the_version(version: str, replaced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "versions", lambda names: dict.fromkeys(names, version))
    assert ("have no set_audio_backend" in mend(ImportError("no"))) == replaced
