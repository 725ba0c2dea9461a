"""What tests/speed/own_code.py says that it measures is there, and is measured."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "speed" / "own_code.py"


def test_every_piece_is_a_module_that_names_the_script_and_a_function_of_it() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    pieces = dict(re.findall(r"^(\w+) +(\S+\.py) ", ast.get_docstring(tree) or "", re.MULTILINE))
    assert len(pieces) == 8
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert set(pieces) <= functions
    for piece, module in pieces.items():
        assert f"tests/speed/own_code.py {piece}" in (ROOT / module).read_text(encoding="utf-8"), module
