"""Names of upstreams: what they are made of, and which rows they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.registry.upstreams import Upstreams


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("logmel", ["logmel"]),
        ("logmel@last+mfcc", ["logmel", "mfcc"]),
        ("hf:a/b+mfcc", ["hf:a/b", "mfcc"]),
        ("hf:a/b+c", ["hf:a/b+c"]),
    ],
)
def test_a_name_is_split_into_upstreams(name: str, bases: list[str]) -> None:
    assert [one.base for one in Upstreams(on_disk=False).components(name)] == bases


def test_a_path_is_one_upstream_where_the_disk_counts(tmp_path: Path) -> None:
    folder = tmp_path / "a+mfcc"
    folder.mkdir()
    assert len(Upstreams(on_disk=True).components(f"hf:{folder}")) == 1
    assert len(Upstreams(on_disk=False).components(f"hf:{folder}")) == 2


def test_a_checkpoint_is_known_by_its_row_and_has_the_version_of_what_loads_it() -> None:
    upstreams = Upstreams(on_disk=False)
    row, argument = upstreams.entry("hubert-base")
    prefix, model = upstreams.entry(f"hf:{row.arguments['model']}")
    assert (argument, prefix.name, row.version) == (None, "hf:", prefix.version)
    assert upstreams.checkpoint(str(model)) == row
    assert upstreams.checkpoint("somebody/something") is None
    assert [entry.name for entry in upstreams.known(f"logmel+hf:{model}")] == ["logmel", "hubert-base"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf:", "is a prefix"),
        ("nobody", "unknown upstream 'nobody'"),
        ("HF:some/model", "did you mean 'hf:some/model'"),
        ("logmel@lst", "'lst' is neither a precision nor a selection of layers .did you mean 'last'"),
        ("hf:some/model@lst", "'lst' is neither a precision nor a selection of layers .did you mean 'last'"),
        ("logmel@fp8", "'fp8' is neither .*precisions are bf16, fp16"),
        ("logmel@xyz", "'xyz' is neither a precision nor a selection of layers .layers are first"),
    ],
)
def test_what_is_none_is_told(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Upstreams(on_disk=True).entries(name)
