"""Claims on systems whose order is planted."""

from __future__ import annotations

import pytest
from boards_factory import alike, system

from benchmark.protocol.references import PublishedClaim, read_claims
from benchmark.records.grouping import group
from benchmark.registry.registry import Registry
from benchmark.reproduction import tested as judged

CELLS = group(alike("good", 0.9), alike("fair", 0.6), alike("poor", 0.4), alike("poor-too", 0.4)).cells


def claim(better: str, *worse: str) -> PublishedClaim:
    names = tuple(f"{name}+superb" for name in worse)
    return PublishedClaim("Someone 2020", "it is better", "toy", "uar", f"{better}+superb", names)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (claim("good", "poor"), "holds"),
        (claim("good", "fair", "poor"), "holds"),
        (claim("poor", "good"), "contradicted"),
        (claim("fair", "poor", "good"), "contradicted"),
        (claim("poor", "poor-too"), "cannot be told"),
        (claim("good", "nobody"), "not run"),
    ],
)
def test_the_verdict_is_that_of_the_tests(made: PublishedClaim, verdict: str) -> None:
    found = judged(made, CELLS)
    assert found.verdict == verdict
    assert len(found.pairs) == (0 if verdict == "not run" else len(made.worse))
    assert found.missing == (("nobody+superb",) if verdict == "not run" else ())


def test_pairs_are_corrected_for_all_of_the_claim() -> None:
    one, both = judged(claim("good", "poor"), CELLS).pairs, judged(claim("good", "poor", "fair"), CELLS).pairs
    assert one[0].p_adjusted == one[0].p
    assert both[0].pairs == 2
    assert all(pair.p_adjusted is not None and pair.p is not None and pair.p_adjusted >= pair.p for pair in both)


def test_cells_of_another_task_do_not_count() -> None:
    other = group(system("good", 0.9, task__name="other"), system("poor", 0.1, task__name="other")).cells
    assert judged(claim("good", "poor"), other).verdict == "not run"


def test_shipped_claims_are_of_rows_that_the_sources_have() -> None:
    registry = Registry()
    claims = read_claims()
    assert len(claims) > 10
    for one in claims:
        assert one.metric in registry.task(one.task).metrics
        for name in (one.better, *one.worse):
            assert registry.upstream_entries(name.rpartition("+")[0])
