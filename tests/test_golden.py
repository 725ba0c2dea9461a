"""Numbers do not change under a declared version: golden numbers, and the digest of the code that made them."""

from __future__ import annotations

import pytest
from golden import differs, parts, recorded

KNOWN = recorded()
AGAIN = "python tests/support/golden.py records it"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory):
    return parts(tmp_path_factory.mktemp("models"))


def test_every_part_is_recorded(found) -> None:
    assert sorted(found) == sorted(KNOWN), AGAIN


@pytest.mark.parametrize("name", KNOWN)
def test_numbers_are_those_of_the_declared_version(found, name: str) -> None:
    part, known = found[name], KNOWN[name]
    if part.version > known["version"]:
        return  # other numbers are to be expected; the next test asks for them
    assert part.version == known["version"], f"{name} declares a version before the recorded one"
    difference = None if part.numbers is None else differs(part, part.numbers(), known)
    assert difference is None, f"{name} computes something else: {difference}. Raise its `version`; then {AGAIN}"
    assert part.code == known["code"], (
        f"the code that {name} reaches was changed. Raise its `version` if that can change a number of any input, "
        f"else leave it; then {AGAIN}"
    )


def test_the_declared_versions_are_recorded(found) -> None:
    later = [name for name, part in found.items() if name in KNOWN and part.version > KNOWN[name]["version"]]
    assert later == [], f"their version was raised: {AGAIN}"


def test_numbers_show_a_change(found) -> None:
    for name, part in found.items():
        known = KNOWN[name]
        if known["numbers"] is not None:
            moved = [value + 3 * part.tolerance * max(map(abs, known["numbers"])) for value in known["numbers"]]
            assert differs(part, moved, known) is not None
            assert differs(part, [*known["numbers"], 0.0], known) is not None
