"""Systems that are asked for by name: those that are shown, and those that newer rows supersede."""

from __future__ import annotations

from pathlib import Path

import pytest
from boards_factory import system
from typer.testing import CliRunner

from benchmark.cli.app import app
from benchmark.errors import UsageError
from benchmark.records import RecordStore

OTHER = "9" * 64
SUPERSEDED = "nose + superb on toy is superseded by ears + superb of 2027-01-01 00:00 (another reading of the corpus)"
AGAIN = "bench run --upstream nose --downstream superb --task toy --rerun all makes it the newest"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two systems, one of them again after a label was changed; it is changed back, and their rows are there."""
    store = RecordStore(tmp_path / "results")
    changed = {"task__corpus__index_sha256": OTHER, "provenance__created": "2027-01-01T00:00:00+00:00"}
    for one in (*system("ears", 0.5), *system("nose", 0.6), *system("ears", 0.6, **changed)):
        store.write(one)
    return store.root


@pytest.mark.parametrize(
    "command",
    [
        "compare nose ears --task toy",
        "compare ears nose",
        "compare ears nose+superb",
        "compare --baseline nose",
        "compare --baseline nose --task toy",
        "analyse confusion-shift nose ears --task toy",
        "analyse size nose --task toy",
        "plot confusion --task toy --upstream nose",
        "publish --task toy --upstream nose",
        "publish --task toy --upstream ears --upstream nose --out published",
    ],
)
def test_a_superseded_system_is_said_to_be_that(
    command: str, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(app, [*command.split(), "--results", str(results)]).exception
    assert isinstance(found, UsageError), found
    assert SUPERSEDED in str(found)
    assert AGAIN in str(found)


@pytest.mark.parametrize("command", ["compare mouth ears --task toy", "plot confusion --task toy --upstream mouth"])
def test_a_system_that_never_was_is_none(command: str, results: Path) -> None:
    found = CliRunner().invoke(app, [*command.split(), "--results", str(results)]).exception
    assert isinstance(found, UsageError)
    assert "there is no system 'mouth'" in str(found)
