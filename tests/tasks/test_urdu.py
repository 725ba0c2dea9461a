"""URDU: the splits of the literature."""

from __future__ import annotations

from pathlib import Path

import pytest
from trees import urdu
from trees.sets import check_random_tenths, sizes

from benchmark.errors import BenchError
from benchmark.io.settings import Settings
from benchmark.protocol.dataset import load_dataset
from benchmark.registry.registry import Registry

REGISTRY = Registry()


def test_urdu_random_follows_the_protocol_of_the_literature(tmp_path: Path) -> None:
    task, corpora = REGISTRY.task("urdu-random"), [REGISTRY.corpus("urdu")]
    settings = Settings(tmp_path / "cache", tmp_path / "results", {"urdu": urdu.write(tmp_path / "urdu")})
    with pytest.raises(BenchError, match="the same counts but another index"):
        load_dataset(task, corpora, settings)
    dataset = load_dataset(task, corpora, settings, allow_partial=True)
    check_random_tenths(dataset)
    assert [sizes(fold) for fold in dataset.folds] == [(320, 40, 40)] * 10
