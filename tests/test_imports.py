"""The import rules: hub and spokes, and the order of the rooms in the hub."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SPOKES = {"upstreams", "downstreams", "tasks", "leaderboard"}
# From what knows nothing to what knows all. Rooms of one line do not import each other; the modules of the first may.
ORDER = (
    ("errors", "text", "types", "lazy", "progress", "metrics", "sufficient", "threads"),
    ("io",),
    ("base",),
    ("data", "alignments"),
    ("protocol",),
    ("features", "registry", "audit"),
    ("records",),
    ("statistics",),
    ("run", "submissions"),
    ("doctor", "contracts", "analyses", "reproduction"),
    ("cli",),
)
LEVELS = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
FILES = sorted(path for top in (*SPOKES, "benchmark") for path in (ROOT / top).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of everything that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_spokes_import_the_hub_only_and_the_hub_no_spoke(path: Path) -> None:
    top = path.relative_to(ROOT).parts[0]
    allowed = {top} if top in SPOKES else set()
    assert not imported(path) & (SPOKES - allowed)


def rooms(path: Path) -> set[str]:
    """The rooms of the hub that a file imports, those for types alone left out."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "benchmark":
            inside = (node.module or "").split(".")[1:]
            found |= {inside[0]} if inside else {alias.name for alias in node.names if alias.name in LEVELS}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("benchmark.")}
    return found


HUB = [path for path in FILES if path.relative_to(ROOT).parts[0] == "benchmark" and path.parent.name != "benchmark"]
HUB += [path for path in (ROOT / "benchmark").glob("*.py") if path.stem != "__init__"]


@pytest.mark.parametrize("path", HUB, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_room_of_the_hub_imports_one_above_or_beside_it(path: Path) -> None:
    place = path.relative_to(ROOT / "benchmark").parts
    room = place[0].removesuffix(".py")
    assert room in LEVELS, f"say in ORDER where {room!r} stands"
    top = LEVELS[room] == 0
    wrong = {one for one in rooms(path) if one != room and LEVELS[one] >= LEVELS[room] + top}
    assert not wrong, f"{room} imports {sorted(wrong)}, which stand above or beside it"


def test_the_rule_sees_a_violation(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("def f():\n    from upstreams.handcrafted.chance import Chance\n")
    assert "upstreams" in imported(path)


def test_the_files_are_found() -> None:
    assert len(FILES) > 30
