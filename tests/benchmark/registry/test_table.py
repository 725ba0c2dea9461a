"""A table in which no name is claimed twice."""

from __future__ import annotations

import pytest

from benchmark.errors import UsageError
from benchmark.registry.entries import Entry
from benchmark.registry.table import Table


def test_a_name_is_claimed_once() -> None:
    table = Table("upstream", [Entry("a", "m:A", "one", "here")])
    table.add(Entry("a", "m:A", "one", "here"))
    assert list(table) == ["a"]
    assert table["a"].summary == "one"
    for other in (Entry("a", "m:B", "", "here"), Entry("a", "m:A", "", "there")):
        with pytest.raises(
            UsageError, match=rf"two places define the upstream 'a': here and {other.where} .rename one"
        ):
            table.add(other)
    assert (len(table), table["a"].target) == (1, "m:A")
