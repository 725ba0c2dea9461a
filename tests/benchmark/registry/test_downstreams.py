"""Recipes by name and by file, and what they tell of a head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.base.declared import DeclaredHead, HeadFacts
from benchmark.errors import UsageError
from benchmark.registry.downstreams import Downstreams, declared_head, is_recipe, params_of
from benchmark.registry.registry import Registry

OWN = """name: {name}
summary: a machine
downstream: svm
params: {{kernel: linear, C: {cost}, normalisation: speaker, layer: last, fit_on: train}}
"""


def write(folder: Path, name: str = "mine", cost: float = 3, file: str = "mine.yaml") -> str:
    path = folder / file
    path.write_text(OWN.format(name=name, cost=cost))
    return str(path)


@pytest.mark.parametrize("name", [entry.name for entry in Downstreams().all()])
def test_what_is_told_of_a_head_is_what_it_is(name: str) -> None:
    registry = Registry()
    entry = registry.downstream_entry(name)
    head = registry.downstream(name)
    assert entry.params is not None
    assert registry.head_facts(name) == HeadFacts.of(head)
    assert registry.declared_head(name) == DeclaredHead.of(head)
    assert params_of(entry) == head.params
    assert entry.version == type(head).version


def test_no_component_is_left_out_of_what_a_head_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that declares no version the source does not say it all: the head itself is asked then."""
    known = Downstreams()
    entry = known.entry("ensemble")
    whole = declared_head(known, entry, params_of(entry))
    assert whole is not None
    assert [one.family for one in whole.components] == ["svm", "logistic", "knn"]
    undeclared = {**known.classes, "knn": replace(known.classes["knn"], version=None)}
    monkeypatch.setattr(known, "classes", undeclared)
    assert declared_head(known, entry, params_of(entry)) is None


def test_a_recipe_of_ones_own_is_a_yaml_anywhere(tmp_path: Path) -> None:
    registry, path = Registry(), write(tmp_path)
    assert registry.downstream_entry(path).name == "mine"
    assert registry.downstream(path).params.C == 3
    assert registry.head_facts(path).transductive
    assert not registry.head_facts("svm").transductive
    assert "mine" not in {entry.name for entry in registry.downstreams()}


def test_a_file_is_read_once_so_that_a_run_fits_what_it_planned(tmp_path: Path) -> None:
    registry, path = Registry(), write(tmp_path)
    registry.downstream(path)
    write(tmp_path, cost=5)
    assert registry.downstream(path).params.C == 3


def test_a_file_takes_no_name_of_another_recipe(tmp_path: Path) -> None:
    registry = Registry()
    with pytest.raises(UsageError, match="is called 'svm', which is a registered downstream"):
        registry.downstream(write(tmp_path, "svm"))
    registry.downstream(write(tmp_path))
    assert registry.downstream(write(tmp_path, file="again.yaml")).params.C == 3
    with pytest.raises(UsageError, match=r"mine.yaml and .*other.yaml are both called 'mine' .rename one of them"):
        registry.downstream(write(tmp_path, cost=5, file="other.yaml"))


def test_a_registered_recipe_may_be_given_as_its_file() -> None:
    import downstreams

    path = Path(downstreams.__file__).parent / "recipes" / "svm.yaml"
    assert Registry().downstream_entry(str(path)).name == "svm"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("downstream: svm", "downstream: swm", r"unknown downstream 'swm' in .*mine.yaml .did you mean 'svm'"),
        ("kernel:", "kernal:", "unknown key 'kernal' in params of .*mine.yaml"),
        ("name: mine", "name: ../mine", "'name' in .*mine.yaml"),
        ("summary:", "resume:", "unknown key 'resume' in .*mine.yaml"),
    ],
)
def test_a_wrong_recipe_is_a_usage_error(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = Path(write(tmp_path))
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UsageError, match=message):
        Registry().downstream(str(path))


def test_recipes_are_told_from_protocols(tmp_path: Path, toy_task: Path) -> None:
    assert is_recipe(Path(write(tmp_path)))
    assert not is_recipe(toy_task)


def test_a_protocol_is_no_recipe(toy_task: Path) -> None:
    with pytest.raises(UsageError, match=r"is a protocol, and no recipe .--task "):
        Downstreams().entry(str(toy_task))


def test_a_recipe_that_is_no_yaml_is_named_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: [\n")
    with pytest.raises(UsageError, match=f"^{path} is not valid YAML"):
        Downstreams().recipe(path, str(path))


def test_a_plugin_head_is_asked_itself(plugin: Path) -> None:
    plugin.write_text(plugin.read_text().replace('name = "nearest"', 'name = "nearest"\n    stochastic = False'))
    assert not Registry([str(plugin)]).head_facts("nearest").stochastic
