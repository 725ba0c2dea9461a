"""Plug-ins: what joins, with which recipes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.registry.registry import Registry

RECIPE = "name: {name}\nsummary: the nearest mean\ndownstream: {downstream}\n"


def test_a_plugin_joins(plugin: Path) -> None:
    registry = Registry([str(plugin)])
    assert registry.upstream("spectrum").name == "spectrum"
    assert registry.downstream("nearest").name == "nearest"
    ((entry, _),) = registry.upstream_entries("spectrum")
    assert entry.summary == "Energy in sixteen bands."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "defines no Upstream, Downstream or Corpus"),
        ("import nowhere_to_be_found\n", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("def broken(:\n", "cannot be imported"),
        (
            "from benchmark import Upstream\nclass A(Upstream):\n    def encode(self, wave): ...\n",
            "A in the plugin .* has no name",
        ),
        (
            "from benchmark import Upstream\nclass A(Upstream):\n    name = 'a'\n    def encod(self, wave): ...\n",
            "A in the plugin .* lacks encode",
        ),
    ],
)
def test_a_wrong_plugin_is_a_usage_error(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong_plugin.py"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        Registry([str(path)])


@pytest.mark.filterwarnings("ignore:Field name")
def test_a_parameter_that_would_be_read_by_nobody_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wrong_plugin.py"
    path.write_text("from benchmark import HeadParams\nclass P(HeadParams):\n    probabilities: str = 'plain'\n")
    with pytest.raises(UsageError, match="P: 'probabilities' is no parameter: override the property"):
        Registry([str(path)])


def test_a_collision_names_both_places(plugin: Path) -> None:
    plugin.write_text(plugin.read_text().replace('"spectrum"', '"logmel"'))
    with pytest.raises(
        UsageError, match=r"two places define the upstream 'logmel': upstreams/handcrafted/spectral.py and plugin"
    ):
        Registry([str(plugin)])


def beside(plugin: Path, name: str, downstream: str = "nearest") -> None:
    folder = plugin.parent / "recipes"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(RECIPE.format(name=name, downstream=downstream))


def test_recipes_beside_a_plugin_join(plugin: Path) -> None:
    beside(plugin, "nearest-of-mine")
    registry = Registry([str(plugin)])
    assert registry.downstream("nearest-of-mine").name == "nearest"
    assert "nearest-of-mine" in {entry.name for entry in registry.downstreams()}
    assert "nearest-of-mine" not in {entry.name for entry in Registry().downstreams()}


def test_a_recipe_may_be_of_another_plugin_in_its_folder(plugin: Path) -> None:
    beside(plugin, "nearest-of-mine")
    other = plugin.with_name("more_tones.py")
    other.write_text(plugin.read_text().replace('"spectrum"', '"more"').replace('"nearest"', '"further"'))
    beside(plugin, "further-of-mine", "further")
    registry = Registry([str(plugin), str(other)])
    assert registry.downstream("further-of-mine").name == "further"
    with pytest.raises(UsageError, match=r"unknown downstream 'further' in .*further-of-mine.yaml"):
        Registry([str(plugin)])


def test_a_recipe_beside_a_plugin_takes_no_registered_name(plugin: Path) -> None:
    beside(plugin, "svm")
    with pytest.raises(UsageError, match=r"two places define the downstream 'svm': downstreams/recipes/svm.yaml and "):
        Registry([str(plugin)])
