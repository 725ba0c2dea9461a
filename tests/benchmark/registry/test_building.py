"""From entries to classes: what is none is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import MissingError, UsageError
from benchmark.registry.building import load_class, noted
from benchmark.registry.entries import Entry


@pytest.mark.parametrize("kind", ["upstream", "downstream", "corpus"])
def test_what_is_of_another_kind_cannot_be_loaded(kind: str) -> None:
    with pytest.raises(
        UsageError, match=rf"json:JSONDecoder is not a subclass of benchmark.{kind.title()} .see a test"
    ):
        load_class(kind, Entry("odd", "json:JSONDecoder", "", "a test"))


@pytest.mark.parametrize("target", ["json:Nothing", "nowhere_at_all:Nothing"])
def test_what_is_not_there_is_missing(target: str) -> None:
    with pytest.raises(MissingError, match=f"upstream 'gone' cannot be loaded from {target}: "):
        load_class("upstream", Entry("gone", target, "", "a test"))


def test_whatever_a_module_raises_is_told(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "raising_module.py").write_text("raise RuntimeError('no licence')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingError, match="cannot be loaded from raising_module:A: RuntimeError: no licence"):
        load_class("upstream", Entry("a", "raising_module:A", "", "a test"))


def test_a_folder_says_what_its_weights_were_trained_on(tmp_path: Path) -> None:
    assert noted(str(tmp_path)) == noted("owner/model") == ()
    (tmp_path / "serbench.json").write_text('{"trained_on": ["urdu", "demo"], "record": "x"}')
    assert noted(str(tmp_path)) == ("urdu", "demo")
    for content in ("no json", '{"trained_on": "urdu"}', '["urdu"]', '{"other": 1}'):
        (tmp_path / "serbench.json").write_text(content)
        with pytest.raises(UsageError, match=r"serbench\.json cannot be read"):
            noted(str(tmp_path))
