"""Packages that are installed: each with metadata and entry points of its own, as an installer writes them."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from benchmark.cli import app
from benchmark.errors import MissingError, UsageError
from benchmark.registry.registry import Registry

CORPUS = '''
"""A corpus for tests."""
from benchmark import Corpus


class Tones(Corpus):
    """Tones of nobody."""

    name = "tones"
    language = "und"
    licence = "none"
    citation = "none"
    homepage = "none"
    how_to_get = "make it"

    def scan(self, root):
        return []
'''
RECIPE = {"name": "nearest-mean", "summary": "the nearest mean", "downstream": "nearest"}
WHOLE = {
    "serbench.upstreams": {"spectrum": "tone_package.tones:Spectrum"},
    "serbench.downstreams": {"nearest": "tone_package.tones:Nearest", "recipes": "tone_package.recipes"},
    "serbench.tasks": {"tasks": "tone_package.protocols"},
    "serbench.corpora": {"tones": "tone_package.corpus:Tones"},
}


def install(folder: Path, name: str, groups: dict[str, dict[str, str]]) -> None:
    """Write the metadata of a distribution."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items()), ""]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path: Path, plugin: Path, toy_task: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages that holds `tone_package`, whose modules are not to be imported by listing."""
    site = tmp_path / "site"
    package = site / "tone_package"
    (package / "recipes").mkdir(parents=True)
    (package / "protocols").mkdir()
    (package / "__init__.py").touch()
    plugin.rename(package / "tones.py")
    (package / "corpus.py").write_text(CORPUS)
    toy_task.rename(package / "protocols" / "toy.yaml")
    (package / "recipes" / "nearest-mean.yaml").write_text(yaml.safe_dump(RECIPE))
    monkeypatch.syspath_prepend(str(site))
    for name in [name for name in sys.modules if name.partition(".")[0] == "tone_package"]:  # of another test
        monkeypatch.delitem(sys.modules, name)
    return site


def test_a_package_offers_all_four_kinds(site: Path) -> None:
    install(site, "tone-package", WHOLE)
    registry = Registry()
    assert registry.broken == []
    assert registry.upstream("spectrum").name == "spectrum"
    assert registry.downstream("nearest").name == registry.downstream("nearest-mean").name == "nearest"
    assert registry.task("toy").name == "toy"
    assert registry.corpus("tones").how_to_get == "make it"
    ((entry, _),) = registry.upstream_entries("spectrum")
    assert (entry.summary, entry.where) == ("Energy in sixteen bands.", "entry point 'spectrum' of tone-package")
    assert registry.head_facts("nearest-mean").stochastic


def test_nothing_of_a_package_is_imported_before_it_is_used(site: Path) -> None:
    (site / "tone_package" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    install(site, "tone-package", WHOLE)
    registry = Registry()
    assert registry.broken == []
    assert {"spectrum", "logmel"} <= {entry.name for entry in registry.upstreams()}
    assert "toy" in registry.tasks()
    with pytest.raises(MissingError, match=r"'spectrum' cannot be loaded from .*: RuntimeError: imported"):
        registry.upstream("spectrum")


BROKEN = [
    ("serbench.upstreams", "gone.module:Thing", "ModuleNotFoundError: no module named 'gone.module'"),
    ("serbench.upstreams", "tone_package.tones:Nothing", "AttributeError: tone_package.tones has no 'Nothing'"),
    ("serbench.upstreams", "tone_package.tones", "'tone_package.tones' is no 'module:Class'"),
    ("serbench.upstreams", "tone_package.wrong:Thing", "SyntaxError"),
    ("serbench.downstreams", "gone.module:Thing", "ModuleNotFoundError: no module named 'gone.module'"),
    ("serbench.downstreams", "gone.recipes", "the package 'gone.recipes' is not installed"),
    ("serbench.downstreams", "tone_package.wrong_recipes", "unknown downstream 'nowhere' in"),
    ("serbench.tasks", "gone.tasks", "the package 'gone.tasks' is not installed"),
    ("serbench.tasks", "tone_package", "FileNotFoundError: tone_package holds no YAML"),
    ("serbench.tasks", "tone_package.wrong_recipes", "unknown key '"),
    ("serbench.corpora", "gone.module:Thing", "ModuleNotFoundError: no module named 'gone.module'"),
]


@pytest.mark.parametrize(("group", "value", "reason"), BROKEN, ids=[f"{one[0]}-{one[1]}" for one in BROKEN])
def test_a_broken_one_stops_no_other_and_is_told(
    site: Path, group: str, value: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    (site / "tone_package" / "wrong.py").write_text("class Thing(:\n")
    (site / "tone_package" / "wrong_recipes").mkdir()
    wrong = {"downstream": "nowhere"} if group == "serbench.downstreams" else {"downstream_": "nowhere"}
    (site / "tone_package" / "wrong_recipes" / "odd.yaml").write_text(yaml.safe_dump({**RECIPE, **wrong}))
    install(site, "tone-package", WHOLE)
    install(site, "other-package", {group: {"odd": value}})
    registry = Registry()
    (broken,) = registry.broken
    assert broken.where == "entry point 'odd' of other-package"
    assert reason in str(broken.broken)
    assert registry.upstream("spectrum").name == "spectrum"
    assert registry.corpus("tones").name == "tones"
    kind = group.removeprefix("serbench.")
    with caplog.at_level(logging.WARNING):
        result = CliRunner().invoke(app, ["list", kind])
    assert result.exit_code == 0, result.exception
    assert "BROKEN entry point 'odd' of other-package" in result.stdout
    assert "entry point 'odd' of other-package is broken, and left out" in caplog.text


def test_a_head_that_cannot_be_imported_is_marked_in_the_list(site: Path) -> None:
    tones = site / "tone_package" / "tones.py"
    tones.write_text("raise RuntimeError('no licence')\n" + tones.read_text())
    install(site, "tone-package", WHOLE)
    result = CliRunner().invoke(app, ["list", "downstreams"])
    assert result.exit_code == 0, result.exception
    assert "RuntimeError: no licence" in " ".join(result.stdout.split())
    assert "turn-gru" in result.stdout


@pytest.mark.parametrize(
    ("group", "name", "value", "message"),
    [
        (
            "serbench.upstreams",
            "mfcc",
            "tone_package.tones:Spectrum",
            "the upstream 'mfcc': upstreams/handcrafted/spectral.py and entry point 'mfcc' of other-package",
        ),
        ("serbench.corpora", "urdu", "tone_package.corpus:Tones", "the corpus 'urdu': tasks/corpora/urdu.py and entry"),
        ("serbench.tasks", "more", "tone_package.protocols", "the task 'toy': .*toy.yaml and .*toy.yaml"),
    ],
)
def test_a_collision_names_both_places(site: Path, group: str, name: str, value: str, message: str) -> None:
    install(site, "tone-package", WHOLE)
    install(site, "other-package", {group: {name: value}})
    with pytest.raises(UsageError, match=f"two places define {message}"):
        Registry()
