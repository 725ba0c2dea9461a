"""What several commands share: where things are is asked for by names that are known."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmark.cli.options import load, recorded_names
from benchmark.errors import UsageError


def test_data_of_the_tasks_on_which_upstreams_are_trained_may_be_placed(
    tmp_path: Path, toy_task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (Path("my", "own.yaml"), Path("other.yaml")):
        path.parent.mkdir(exist_ok=True)
        path.write_text(toy_task.read_text().replace("name: toy", f"name: {path.stem}"))
    name = "mfcc+tuned:my/own.yaml/tuned:other.yaml/hf:m/x/lora/lora@last"
    _, settings = load(None, ["own=here", "other=there"], upstreams=[name])
    assert set(settings.data) == {"own", "other"}


def test_what_is_wrong_with_a_task_is_told_before_its_data_are_not_known(toy_task: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no task file '.*toyy.yaml' .did you mean '.*toy.yaml'"):
        load(None, ["toy=here"], tasks=[str(toy_task.with_name("toyy.yaml"))])
    misnamed = toy_task.with_name("mine.yaml")
    misnamed.write_text(toy_task.read_text())
    with pytest.raises(UsageError, match=r"mine.yaml says name: 'toy' .a task is named as its file: 'mine'"):
        load(None, ["toy=here"], tasks=[str(misnamed)])
    with pytest.raises(UsageError, match="--data places 'mine', which is not known"):
        load(None, ["mine=here"], tasks=[str(toy_task)])


def test_a_recorded_task_goes_by_its_name_or_its_file(toy_task: Path) -> None:
    assert recorded_names("nowhere") == "nowhere"
    assert recorded_names(["demo", str(toy_task)]) == ["demo", "toy"]
    with pytest.raises(UsageError, match=r"there is no task file 'nowhere.yaml'"):
        recorded_names("nowhere.yaml")


def test_what_is_not_known_is_refused_and_each_known_name_told_once() -> None:
    with pytest.raises(UsageError, match="--data places 'qqqqq', which is not known") as error:
        load(None, ["qqqqq=here"], tasks=["demo"])
    known = error.value.hint.removeprefix("known: ").split(", ")
    assert "demo" in known
    assert [name for name, times in Counter(known).items() if times > 1] == []
