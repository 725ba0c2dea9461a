"""Where things lie: the command line before the environment before the config file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.errors import MissingError, UsageError
from benchmark.io.settings import load_settings


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes a configuration of this test alone."""

    def write(content: str) -> None:
        (tmp_path / "config.yaml").write_text(content)
        monkeypatch.setenv("BENCH_CONFIG", str(tmp_path / "config.yaml"))

    return write


def test_the_command_line_wins_over_environment_and_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configure: Callable[[str], None]
) -> None:
    for name in ("given", "root/urdu", "configured"):
        (tmp_path / name).mkdir(parents=True)
    assert load_settings().find_data("urdu") is None
    configure(f"data:\n  urdu: {tmp_path}/configured\n")
    assert load_settings().find_data("urdu") == tmp_path / "configured"
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "root"))
    assert load_settings().find_data("urdu") == tmp_path / "root/urdu"
    assert load_settings([f"urdu={tmp_path}/given"]).find_data("urdu") == tmp_path / "given"


def test_a_task_may_have_its_own_folder(tmp_path: Path) -> None:
    settings = load_settings([f"mine={tmp_path}"])
    assert settings.find_data("mine", "csv") == tmp_path
    assert settings.find_data("csv") is None


def test_weights_are_found_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "whisper-tiny").mkdir()
    monkeypatch.setenv("BENCH_WEIGHTS", str(tmp_path))
    assert load_settings().find_weights("whisper-tiny") == tmp_path / "whisper-tiny"
    assert load_settings().find_weights("hubert-base") is None
    with pytest.raises(MissingError, match="/nowhere given for 'x' does not exist"):
        load_settings(weights=["x=/nowhere"]).find_weights("x")


def test_what_is_no_folder_is_told_apart_from_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "emodb.zip").touch()
    with pytest.raises(
        MissingError, match=r"/emodb\.zip given for 'emodb' is no folder but a file \(--data emodb=PATH\)"
    ):
        load_settings([f"emodb={tmp_path}/emodb.zip"]).find_data("emodb")
    with pytest.raises(MissingError, match=r"/nowhere given for 'emodb' does not exist \(--data emodb=PATH\)"):
        load_settings([f"emodb={tmp_path}/nowhere"]).find_data("emodb")


@pytest.mark.parametrize("variable", ["BENCH_DATA", "BENCH_WEIGHTS"])
def test_a_folder_that_the_environment_names_must_exist(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "nowhere"))
    with pytest.raises(
        MissingError, match=rf"/nowhere given by {variable} does not exist \(make it, or unset {variable}"
    ):
        load_settings()
    (tmp_path / "nowhere").touch()
    with pytest.raises(MissingError, match=rf"/nowhere given by {variable} is no folder but a file"):
        load_settings()
    monkeypatch.setenv(variable, "")
    load_settings()


@pytest.mark.parametrize("text", ["urdu", "=path", "urdu="])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not NAME=PATH"):
        load_settings([text])


def test_a_config_file_that_is_named_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CONFIG", "/nowhere/config.yaml")
    with pytest.raises(MissingError, match=r"the config file /nowhere/config\.yaml does not exist"):
        load_settings()


def test_a_misspelt_config_key_is_refused(configure: Callable[[str], None]) -> None:
    configure("daat: {}\n")
    with pytest.raises(UsageError, match="did you mean 'data'"):
        load_settings()
