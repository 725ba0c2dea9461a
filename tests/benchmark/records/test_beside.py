"""Local records beside published ones keep rows of their own."""

from __future__ import annotations

from records_factory import cell

from benchmark.records.beside import marked_local


def test_all_or_those_that_are_published_too_are_marked() -> None:
    both, own = cell(), cell(upstream__name="nose")
    assert {one.upstream.name for one in marked_local(both + own, cell(), every=True)} == {
        "ears (local)",
        "nose (local)",
    }
    assert {one.upstream.name for one in marked_local(both + own, cell(), every=False)} == {"ears (local)", "nose"}
    elsewhere = cell(task__name="another")
    assert marked_local(elsewhere, cell(), every=False) == elsewhere
