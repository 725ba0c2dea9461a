"""Every registered corpus keeps the contract of a corpus, on a complete one that is made here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from trees import podcasts

from benchmark.contracts import check_corpus
from benchmark.io.settings import Settings
from benchmark.registry.registry import Registry

SIMPLE = (
    *("aesdd", "ased", "baved", "cafe", "crema-d", "emodb", "emovo", "meld", "nemo", "ravdess", "resd", "savee"),
    *("shemo", "subesco", "tess", "turev-db", "urdu"),
)
# Corpus -> module and function of its tree, and what it takes. Audio is left away where thousands of files are listed.
TREES: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    **{name: (name.replace("-", "_"), "write", {}) for name in SIMPLE},
    "biic-podcast": ("podcasts", "write", {"prefix": "BIIC-PODCAST", "release": "1.0", "audio": False}),
    "cmu-mosei": ("cmu", "write_mosei", {"suffix": ".wav"}),
    "cmu-mosi": ("cmu", "write_mosi", {}),
    "iemocap": ("iemocap", "write", {"audio": False}),
    "m3ed": ("m3ed", "write", {}),
    "msp-improv": ("msp_improv", "write", {"audio": False}),
    "msp-podcast": ("podcasts", "write", {"sizes": podcasts.FULL_MSP, "release": "1.10", "audio": False}),
}
SLOW = ("cmu-mosei", "m3ed", "meld")
REGISTRY = Registry()
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in TREES]


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract_of_a_corpus(name: str, tmp_path: Path) -> None:
    module, function, options = TREES[name]
    root = getattr(importlib.import_module(f"trees.{module}"), function)(tmp_path / name, **options)
    settings = Settings(tmp_path / "cache", tmp_path / "results", {name: root})
    for check in check_corpus(REGISTRY.corpus(name), settings):
        check.run()


def test_the_demo_keeps_it(tmp_path: Path) -> None:
    for check in check_corpus(REGISTRY.corpus("demo"), Settings(tmp_path / "cache", tmp_path / "results")):
        check.run()


def test_every_corpus_is_here() -> None:
    assert {entry.name for entry in REGISTRY.corpora()} == {*TREES, "demo", "csv"}
