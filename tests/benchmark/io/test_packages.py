"""Installed packages, as they are found and imported without noise."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

import pytest

from benchmark.errors import MissingError
from benchmark.io import packages
from benchmark.io.packages import extra_condition, find_module, import_failure, package_folder, quiet, versions
from benchmark.types import Condition


def test_versions_of_what_is_there_and_what_is_not() -> None:
    assert versions(("numpy", "no-such-package")) == {
        "numpy": sys.modules["numpy"].__version__,
        "no-such-package": "absent",
    }


def test_a_package_that_is_not_installed_has_no_folder() -> None:
    assert (package_folder("benchmark") / "io" / "packages.py").samefile(packages.__file__)
    with pytest.raises(MissingError, match="the package 'no_such_package' is not installed"):
        package_folder("no_such_package")


def test_what_an_import_raises_is_told_and_its_noise_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_for_a_test.py").write_text("print('noise')\nraise OSError('no library')\n")
    assert str(import_failure("broken_for_a_test")) == "no library"
    assert import_failure("json") is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("names", "licence", "told"),
    [
        (["a"], "", "for a: pip install 'serbench[toy]'"),
        (["a", "b", "c"], "research use", "for a, b and c: pip install 'serbench[toy]' (research use)"),
    ],
)
def test_an_extra_that_is_absent_is_told_with_its_command(names: list[str], licence: str, told: str) -> None:
    assert extra_condition("toy", names, licence) == Condition("-", "toy", told)


def test_an_extra_that_is_there_is_told_with_its_version() -> None:
    assert extra_condition("numpy", ["a"]) == Condition("ok", "numpy", sys.modules["numpy"].__version__)


def test_quiet_is_quiet_and_leaves_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        sys.stdout.write("a\n")
        sys.stderr.write("b\n")
        logging.getLogger("somebody").warning("c")
        warnings.warn("d", stacklevel=1)
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable == logging.NOTSET
    with pytest.raises(RuntimeWarning):
        warnings.warn("e", RuntimeWarning, stacklevel=1)


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
