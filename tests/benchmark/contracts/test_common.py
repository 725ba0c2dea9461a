"""What the contracts share: plain values hold no paths, and nothing imports torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmark.contracts.common import attempt, mistake_of, require, require_plain
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


def test_one_mistake_is_known_by_what_is_raised_first_and_where() -> None:
    def broken(number: int) -> None:
        if number < 10:
            raise ValueError(f"{number} are too few")
        raise ValueError(f"{number} are too few")

    def unkept(number: int) -> None:
        require(False, f"{number} of 9 scores are not finite", "why?")

    def found(action: object, what: str) -> tuple[str, ...]:
        with pytest.raises(BenchError) as error:
            attempt(action, what)  # type: ignore[arg-type]
        return mistake_of(error.value)

    first = found(lambda: broken(3), "predicting 30 utterances")
    assert first == found(lambda: broken(4), "fitting")
    assert first != found(lambda: broken(12), "fitting")  # of another line
    assert found(lambda: unkept(3), "") == found(lambda: unkept(4), "predicting")
    assert found(lambda: unkept(3), "") != first
