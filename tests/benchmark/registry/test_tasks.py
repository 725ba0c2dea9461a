"""Protocols by name and by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.registry.tasks import Tasks


def test_a_protocol_is_read_by_name_and_by_file(toy_task: Path) -> None:
    tasks = Tasks()
    assert tasks.read(str(toy_task)).name == "toy"
    assert "toy" not in tasks.names()
    tasks.add(toy_task)
    assert tasks.read("toy") == tasks.read(str(toy_task))
    with pytest.raises(UsageError, match=r"two places define the task 'toy': .*toy.yaml and .*toy.yaml"):
        tasks.add(toy_task)


def test_a_recipe_is_told_from_a_protocol(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nsummary: s\ndownstream: svm\n")
    with pytest.raises(UsageError, match=r"is a recipe, and no protocol .--downstream "):
        Tasks().read(str(path))


def test_a_file_takes_no_name_of_a_registered_protocol(toy_task: Path) -> None:
    other = toy_task.with_name("urdu.yaml")
    other.write_text(toy_task.read_text().replace("name: toy", "name: urdu"))
    with pytest.raises(UsageError, match="is called 'urdu', which is a registered task"):
        Tasks().read(str(other))


def test_what_is_no_task_is_named_with_what_may_be_meant(
    toy_task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for given, told in (
        ("toy", "unknown task 'toy' (one of your own goes by the path of its YAML: toy.yaml)"),
        ("dmeo", "unknown task 'dmeo' (did you mean 'demo'?)"),
        ("toyy.yaml", "there is no task file 'toyy.yaml' (did you mean 'toy.yaml'?)"),
        ("demo.yaml", "there is no task file 'demo.yaml' (there is a registered task of that name: demo)"),
        ("nowhere/x.yaml", "there is no task file 'nowhere/x.yaml' (give the path of a protocol YAML)"),
    ):
        with pytest.raises(UsageError) as error:
            Tasks().read(given)
        assert str(error.value) == told
    assert [Tasks().name_of(one) for one in ("toy.yaml", "anything")] == ["toy", "anything"]
