"""What the contracts share: plain values hold no paths, and nothing imports torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmark.contracts.common import require_plain
from benchmark.errors import BenchError


@pytest.mark.parametrize("text", ["/a", "hf:/a/b", "~/a", "C:\\a", "at D:/x", "x=/etc/y", "see '/tmp/z'"])
def test_absolute_paths_are_found(text: str) -> None:
    with pytest.raises(BenchError, match="absolute path"):
        require_plain({"a": [text]}, "it")
    with pytest.raises(BenchError, match="absolute path"):
        require_plain({text: 1}, "it")


@pytest.mark.parametrize("text", ["a/b", "facebook/hubert-base-ls960", "https://example.org/a", "and/or", "1 / 2", ""])
def test_names_and_addresses_are_no_paths(text: str) -> None:
    require_plain({"a": [text, 1, None]}, "it")


def test_the_contracts_import_no_torch() -> None:
    code = "import sys, benchmark.contracts; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
