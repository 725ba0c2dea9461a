"""Packages are found where they lie, and nothing of them is imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmark.errors import MissingError
from benchmark.io.packages import find_module, package_folder, versions


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inner = tmp_path / "found_package" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "found_package" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (inner / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (inner / "module.py").touch()
    (tmp_path / "found_package" / "bare").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "found_package"


def test_a_module_is_found_without_importing_what_is_above_it(site: Path) -> None:
    spec = find_module("found_package.inner.module")
    assert spec is not None
    assert spec.origin == str(site / "inner" / "module.py")
    assert package_folder("found_package.inner") == site / "inner"
    assert package_folder("found_package.bare") == site / "bare"  # a folder without __init__.py
    assert "found_package" not in sys.modules


@pytest.mark.parametrize("name", ["nowhere_at_all", "found_package.nothing", "found_package.inner.module.deeper", ""])
def test_what_is_not_there_is_not_found(site: Path, name: str) -> None:
    assert find_module(name) is None
    with pytest.raises(MissingError, match="is not installed"):
        package_folder(name)


def test_versions_of_what_is_installed_and_what_is_not() -> None:
    found = versions(["numpy", "nowhere-at-all"])
    assert found["numpy"].count(".") >= 1
    assert found["nowhere-at-all"] == "absent"
