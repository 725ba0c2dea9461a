"""What a part is: as it is published, and as it is stored."""

from __future__ import annotations

import re

import pytest

from benchmark.base import Upstream
from benchmark.base.code import code_sha256
from benchmark.base.combined import Fusion, LayersOf
from benchmark.base.declared import declared_version
from benchmark.base.identity import code_of, identity_of, identity_sha256, version_of
from benchmark.errors import UsageError
from benchmark.registry.registry import Registry
from benchmark.types import Features


class Plain(Upstream):
    """An upstream that declares its version."""

    name = "plain"
    version = 3

    def encode(self, wave):
        return Features(wave.reshape(1, 1, -1))


class Undeclared(Plain):
    name = "undeclared"
    version = None


class Half(Plain):
    name = "half"
    layers = 4
    dim = 2


def test_the_published_identity_is_version_parameters_and_weights() -> None:
    class Tuned(Plain):
        @property
        def params(self):
            return {"strength": 2}

    class Later(Plain):
        version = 4

    assert identity_of(Plain()) == {
        "family": "plain",
        "version": "3",
        "sample_rate": 16_000,
        "params": {},
        "precision": None,
        "weights_sha256": None,
        "components": [],
    }
    told = {identity_sha256("plain", one, 1) for one in (Plain(), Tuned(), Later())}
    assert len(told) == 3
    assert identity_sha256("plain", Plain(), 2) not in told
    assert identity_sha256("other", Plain(), 1) not in told


def test_the_code_of_one_that_declares_nothing_is_its_version() -> None:
    assert declared_version(Undeclared) == f"code-{code_sha256(Undeclared)[:12]}"
    assert declared_version(Plain) == "3"


@pytest.mark.parametrize("version", [0, -1, "2", 1.0, True])
def test_a_version_is_a_number_from_one(version: object) -> None:
    with pytest.raises(UsageError, match=re.escape(f"has the version {version!r}")):
        declared_version(type("Odd", (Plain,), {"version": version}))


def test_several_upstreams_have_their_versions_and_their_code() -> None:
    fusion = Fusion([LayersOf(Half(), "last"), Plain()])
    assert version_of(fusion) == "3+3"
    assert [one["family"] for one in identity_of(fusion)["components"]] == ["", "plain"]
    assert code_of(fusion).sha256 not in {code_of(Half()).sha256, code_of(Plain()).sha256}


def test_every_registered_part_declares_its_version() -> None:
    registry = Registry()
    for entry in registry.downstreams():
        assert version_of(registry.downstream(entry.name)) == str(type(registry.downstream(entry.name)).version)
    for entry in registry.upstreams():
        if not entry.arguments and not entry.name.endswith(":"):
            assert type(registry.upstream(entry.name)).version is not None
