"""The registry: finds without importing, helps with typos, names both sides of a collision."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from benchmark.base import Corpus, Downstream, Upstream
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.registry.registry import Registry


def test_every_name_can_be_built_and_is_what_it_says() -> None:
    registry = Registry()
    for entry in registry.upstreams():
        if not (entry.name.endswith(":") or entry.arguments):  # those need weights
            upstream = registry.upstream(entry.name)
            assert isinstance(upstream, Upstream)
            assert upstream.name == entry.name
        assert entry.summary
    for entry in registry.downstreams():
        assert isinstance(registry.downstream(entry.name), Downstream)
        assert entry.summary
    for entry in registry.corpora():
        corpus = registry.corpus(entry.name)
        assert isinstance(corpus, Corpus)
        assert all((entry.summary, corpus.licence, corpus.citation, corpus.homepage, corpus.how_to_get))
    for name in registry.tasks():
        task = registry.task(name)
        assert len(registry.corpora_of(task)) == len(task.parts)
        registry.downstream(task.downstream)


def test_the_names_of_the_issue_are_there() -> None:
    registry = Registry()
    upstreams = {entry.name for entry in registry.upstreams()}
    assert {"chance", "logmel", "mfcc", "egemaps", "compare", "whisper-tiny", "hf:"} <= upstreams
    assert {"superb", "superb-s3prl", "svm"} <= {entry.name for entry in registry.downstreams()}
    assert {"demo", "urdu", "urdu-random"} <= set(registry.tasks())
    assert {"demo", "urdu", "csv"} <= {entry.name for entry in registry.corpora()}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.upstream("wisper-tiny"), "unknown upstream 'wisper-tiny' (did you mean 'whisper-tiny'?)"),
        (lambda r: r.downstream("superbb"), "unknown downstream 'superbb' (did you mean 'superb'?)"),
        (lambda r: r.corpus("urduu"), "unknown corpus 'urduu' (did you mean 'urdu'?)"),
        (lambda r: r.task("urdu-rand"), "unknown task 'urdu-rand' (did you mean 'urdu-random'?)"),
        (lambda r: r.task("nowhere.yaml"), "there is no task file 'nowhere.yaml'"),
        (lambda r: r.upstream("hf:"), "'hf:' is a prefix (something follows it, as in hf:PATH-OR-ID)"),
    ],
)
def test_an_unknown_name_is_a_usage_error_with_a_hint(ask, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask(Registry())
    assert message in str(caught.value)


def test_listing_and_reading_tasks_loads_no_torch() -> None:
    code = (
        "import sys; from benchmark.registry.registry import Registry; from benchmark.protocol.task import read_task\n"
        "r = Registry(); r.upstreams(), r.downstreams(), [r.task(n) for n in r.tasks()]\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'opensmile', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_plugin_joins(plugin: Path) -> None:
    registry = Registry([str(plugin)])
    assert registry.upstream("spectrum").name == "spectrum"
    assert registry.downstream("nearest").name == "nearest"
    entry, _ = registry.upstream_entry("spectrum")
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
    ],
)
def test_a_wrong_plugin_is_a_usage_error(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong_plugin.py"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        Registry([str(path)])


def test_a_collision_names_both_places(plugin: Path) -> None:
    plugin.write_text(plugin.read_text().replace('"spectrum"', '"logmel"'))
    with pytest.raises(
        UsageError, match=r"two places define the upstream 'logmel': upstreams/handcrafted/spectral.py and plugin"
    ):
        Registry([str(plugin)])


def test_what_is_no_upstream_cannot_be_loaded_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.registry.entries import Entry

    registry = Registry()
    monkeypatch.setitem(registry._entries["upstream"], "odd", Entry("odd", "json:JSONDecoder", "", "a test"))
    with pytest.raises(UsageError, match=r"json:JSONDecoder is not a subclass of benchmark.Upstream"):
        registry.upstream("odd")
    monkeypatch.setitem(registry._entries["upstream"], "gone", Entry("gone", "json:Nothing", "", "a test"))
    with pytest.raises(MissingError, match="upstream 'gone' cannot be loaded"):
        registry.upstream("gone")


def test_packages_join_through_entry_points(
    plugin: Path, toy_task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that offers an upstream, a head and a folder of tasks, as an installed one would."""
    package = tmp_path / "tone_package"
    package.mkdir()
    (package / "__init__.py").touch()
    plugin.rename(package / "tones.py")
    toy_task.rename(package / "toy.yaml")
    monkeypatch.syspath_prepend(str(tmp_path))
    groups = {
        "serbench.upstreams": [EntryPoint("spectrum", "tone_package.tones:Spectrum", "serbench.upstreams")],
        "serbench.downstreams": [EntryPoint("nearest", "tone_package.tones:Nearest", "serbench.downstreams")],
        "serbench.tasks": [EntryPoint("tones", "tone_package", "serbench.tasks")],
    }
    monkeypatch.setattr("benchmark.registry.registry.metadata.entry_points", lambda group: groups[group])
    registry = Registry()
    assert registry.upstream("spectrum").name == "spectrum"
    assert registry.downstream("nearest").name == "nearest"
    assert registry.task("toy").name == "toy"
    groups["serbench.upstreams"].append(EntryPoint("mfcc", "tone_package.tones:Spectrum", "serbench.upstreams"))
    with pytest.raises(
        UsageError, match=r"two places define the upstream 'mfcc': upstreams/handcrafted/spectral.py and entry point"
    ):
        Registry()


def test_a_misspelt_recipe_key_is_refused() -> None:
    registry = Registry()
    registry._recipes["svm"] = replace(registry.downstream_entry("svm"), arguments={"kernal": "linear"})
    with pytest.raises(BenchError, match="unknown key 'kernal' in params of"):
        registry.downstream("svm")
