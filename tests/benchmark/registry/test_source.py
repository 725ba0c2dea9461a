"""The one reader of sources agrees with the classes that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.registry.building import load_class
from benchmark.registry.entries import Entry
from benchmark.registry.source import PACKAGES, read_class, scan_package

CLASSES = [(kind, entry) for kind in PACKAGES for entry in scan_package(kind)]
NUMBERS = ("sample_rate", "layers", "dim")


@pytest.mark.parametrize(("kind", "entry"), CLASSES, ids=[f"{kind}-{entry.name}" for kind, entry in CLASSES])
def test_what_is_read_is_what_the_class_says(kind: str, entry: Entry) -> None:
    cls = load_class(kind, entry)
    assert cls.name == entry.name
    assert (cls.__doc__ or "").split("\n")[0] == entry.summary
    if kind == "corpus":
        return
    assert cls.version == entry.version is not None
    if kind == "downstream":
        assert entry.params == f"{cls.Params.__module__}:{cls.Params.__name__}"
        return
    assert (cls.extra, cls.examine) == (entry.extra, entry.examine)
    assert cls.trained_on == entry.trained_on
    for key in NUMBERS:
        assert getattr(entry, key) in (None, getattr(cls, key))


def test_the_numbers_of_what_is_computed_are_read() -> None:
    by_name = {entry.name: entry for kind, entry in CLASSES if kind == "upstream"}
    assert [getattr(by_name["logmel"], key) for key in NUMBERS] == [16_000, 1, 80]
    assert by_name["hf:"].dim is None


SOURCE = '''
RATE = 8_000
from somewhere.params import Given
from benchmark import Upstream


class Base(Upstream):
    """No name."""

    version = 3


class Tone(Base):
    """One tone.

    More.
    """

    name: str = "tone"
    sample_rate = RATE
    dim = 2 * 8
    layers = True
    trained_on = ("urdu",)
    Params = Given
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / "read_only_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "tones.py").write_text(SOURCE)
    (package / "broken.py").write_text("def (:\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "read_only_package"


def test_literals_are_read_and_nothing_is_imported_or_evaluated(module: str) -> None:
    found = read_class(f"{module}.tones:Tone")
    assert found is not None
    assert (found.name, found.summary, found.sample_rate, found.trained_on) == ("tone", "One tone.", 8_000, ("urdu",))
    assert (found.dim, found.layers, found.version) == (None, None, None)
    assert found.params == "somewhere.params:Given"
    assert read_class(f"{module}.tones:Upstream") is None


def test_a_head_that_states_a_fact_itself_has_it_not_from_its_parameters(module: str, tmp_path: Path) -> None:
    source = (tmp_path / "read_only_package" / "tones.py").read_text()
    (tmp_path / "read_only_package" / "tones.py").write_text(source + '    needs = "frames"\n')
    found = read_class(f"{module}.tones:Tone")
    assert found is not None
    assert found.params is None


@pytest.mark.parametrize(
    ("target", "error"),
    [("tones:Nothing", AttributeError), ("nowhere:Tone", ModuleNotFoundError), ("broken:Tone", SyntaxError)],
)
def test_what_cannot_be_read_raises(module: str, target: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_class(f"{module}.{target}")
