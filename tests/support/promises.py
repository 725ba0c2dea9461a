"""Which promises of a contract are broken."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.contracts import Check
from benchmark.errors import BenchError


def failures(checks: Iterable[Check]) -> dict[str, str]:
    """The text of every broken promise, by the name of its check."""
    found = {}
    for check in checks:
        try:
            check.run()
        except BenchError as error:
            found[check.name] = str(error)
    return found
