"""The import rule: hub and spokes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SPOKES = {"upstreams", "downstreams", "tasks", "leaderboard"}
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


def test_the_rule_sees_a_violation(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("def f():\n    from upstreams.handcrafted.chance import Chance\n")
    assert "upstreams" in imported(path)


def test_the_files_are_found() -> None:
    assert len(FILES) > 30
