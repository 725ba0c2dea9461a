"""Local records beside published ones keep rows of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from records_factory import cell, decisions

from benchmark.records.beside import marked_local
from benchmark.records.hiding import salted

SALT = "5" * 64


def better(fold: str, seed: int) -> dict[str, NDArray[np.int64]]:
    """Other numbers for the same units."""
    return {f"{fold}-anna": decisions(np.random.default_rng(seed), 0.9)}


def test_all_or_those_that_are_published_too_are_marked() -> None:
    both, own = cell(better), cell(upstream__name="nose")
    assert {one.upstream.name for one in marked_local(both + own, cell(), every=True)} == {
        "ears (local)",
        "nose (local)",
    }
    assert {one.upstream.name for one in marked_local(both + own, cell(), every=False)} == {"ears (local)", "nose"}
    elsewhere = cell(task__name="another")
    assert marked_local(elsewhere, cell(), every=False) == elsewhere


def test_a_row_that_is_the_published_one_stands_once() -> None:
    local = cell(clusters__salt=SALT)
    published = [salted(one) for one in local]
    for every in (True, False):
        assert marked_local(local, published, every=every) == []
        assert marked_local(published, published, every=every) == []
        assert len(marked_local(local, published[:-1], every=every)) == len(local)
    assert {one.upstream.name for one in marked_local(cell(better, clusters__salt=SALT), published, every=False)} == {
        "ears (local)"
    }
