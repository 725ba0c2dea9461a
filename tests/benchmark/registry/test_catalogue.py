"""A catalogue in which no name is claimed twice."""

from __future__ import annotations

import pytest

from benchmark.errors import UsageError
from benchmark.registry.catalogue import Catalogue
from benchmark.registry.entries import Entry


def test_a_name_is_claimed_once() -> None:
    catalogue = Catalogue("upstream", [Entry("a", "m:A", "one", "here")])
    catalogue.add(Entry("a", "m:A", "one", "here"))
    assert list(catalogue) == ["a"]
    assert catalogue["a"].summary == "one"
    for other in (Entry("a", "m:B", "", "here"), Entry("a", "m:A", "", "there")):
        with pytest.raises(
            UsageError, match=rf"two places define the upstream 'a': here and {other.where} .rename one"
        ):
            catalogue.add(other)
    assert (len(catalogue), catalogue["a"].target) == (1, "m:A")
