"""What supersedes a row, why, and what to do, in words."""

from __future__ import annotations

from boards_factory import system
from records_factory import cell, failed

from benchmark.records.grouping import group
from benchmark.records.superseding import superseded_by

OTHER = "9" * 64
NEWER = {"provenance__created": "2027-01-01T12:34:56+00:00"}
COMPLETES = "completes it where protocol, code and recordings are still those that it was begun with"


def told(*records: object, published: tuple = ()) -> list[tuple[str, str]]:
    grouping = group(*records, published=published)
    found = [superseded_by(one, grouping.cells) for one in grouping.superseded]
    return [(one.reason, one.advice("bench run")) for one in found]


def test_a_newer_row_of_the_name_supersedes() -> None:
    new = cell(upstream__sha256=OTHER, **NEWER)
    assert told(cell() + new) == [
        (
            "superseded by ears + superb of 2027-01-01 12:34 (another version of the upstream)",
            "bench run --rerun all makes it the newest; --results DIR keeps both",
        )
    ]


def test_another_protocol_supersedes_systems_that_it_has_no_row_of() -> None:
    """The row that decides is told, which is the newest; not that of its own name, which may be older."""
    first = system("ears", 0.5) + system("nose", 0.5)
    other = {"task__corpus__index_sha256": OTHER}
    second = system("ears", 0.5, provenance__created="2026-05-05T00:00:00+00:00", **other)
    again = system("ears", 0.5, provenance__created="2026-06-06T00:00:00+00:00")
    newest = system("mouth", 0.5, **other, **NEWER)
    reasons = {reason for reason, _ in told([*again, *first[6:], *second, *newest])}
    assert reasons == {"superseded by mouth + superb of 2027-01-01 12:34 (another reading of the corpus)"}


def test_what_is_not_complete_is_to_be_completed() -> None:
    part = cell(downstream__sha256=OTHER, **NEWER)[:2]
    ((reason, advice),) = told(cell() + part)
    assert reason == "superseded by ears + superb of 2026-01-02 03:04 (another version of the head)"
    assert advice == f"bench run {COMPLETES}"
    ((_, advice),) = told([*cell(), part[0], failed(downstream__sha256=OTHER, task__seeds=[0, 1, 2], seed=1, **NEWER)])
    assert advice == f"bench run --rerun failed {COMPLETES}"


def test_a_published_row_comes_first_however_old() -> None:
    mine, theirs = cell(task__sha256=OTHER, **NEWER), cell()
    ((reason, advice),) = told(mine, theirs, published=tuple(theirs))
    assert reason == "superseded by ears + superb of 2026-01-02 03:04 (another version of the protocol)"
    assert advice == "rows that are published come first: it is shown without --published"
