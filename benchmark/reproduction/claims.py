"""What papers say of their results, tested as differences of cells that were run here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from benchmark.protocol.references import PublishedClaim
from benchmark.records.cells import Cell
from benchmark.statistics import Comparison, compare
from benchmark.statistics.families import against

ClaimVerdict = Literal["holds", "cannot be told", "contradicted", "not run"]


@dataclass(frozen=True)
class Tested:
    """A claim and what our records say of it.

    Attributes:
        claim: What was said.
        verdict: "holds": each difference is significant as said; "contradicted": one is significant the other way;
            "not run": some of its cells are not complete; else "cannot be told".
        pairs: The differences, corrected by Holm for all of the claim; empty where it was not run.
        missing: The systems that it needs and that are not complete.
    """

    claim: PublishedClaim
    verdict: ClaimVerdict
    pairs: tuple[Comparison, ...]
    missing: tuple[str, ...]


def tested(claim: PublishedClaim, cells: Iterable[Cell]) -> Tested:
    """Test a claim.

    Args:
        claim: What was said.
        cells: Of any records.

    Raises:
        BenchError: The metric is none of the task, or two of the cells were not tested on the same utterances.
    """
    known = {
        f"{cell.upstream.name}+{cell.downstream.name}": cell
        for cell in cells
        if cell.task.name == claim.task and cell.complete
    }
    missing = tuple(name for name in (claim.better, *claim.worse) if name not in known)
    if missing:
        return Tested(claim, "not run", (), missing)
    pairs = against([compare(known[claim.better], known[name], claim.metric) for name in claim.worse])
    if any(one.significant and one.gain < 0 for one in pairs):
        return Tested(claim, "contradicted", tuple(pairs), ())
    holds = all(one.significant and one.gain > 0 for one in pairs)
    return Tested(claim, "holds" if holds else "cannot be told", tuple(pairs), ())
