"""What was learnt, kept without code: it comes back as it was, and a file runs nothing."""

from __future__ import annotations

import collections
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from benchmark.errors import BenchError
from benchmark.io.kept import FORMAT, KEY, SEAL, is_whole, read_kept, seal, write_kept
from downstreams.params.finetune import LowRank

HERE = (__name__.partition(".")[0], __name__)


@dataclass(frozen=True)
class Box:
    """Holds something."""

    inside: Any
    more: dict[str, Any] = field(default_factory=dict)


def returned(tmp_path: Path, content: Any) -> Any:
    write_kept(tmp_path / "a.safetensors", content, {"what": "test"}, HERE)
    found, about = read_kept(tmp_path / "a.safetensors", HERE)
    assert about == {"what": "test"}
    return found


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        0.1,
        float("inf"),
        "a",
        [1, [2.5, "b"]],
        (1, (2, "c")),
        {1: "a", ("x", 2): [None]},
        {3, 1},
        frozenset({"a"}),
        slice(1, None),
        LowRank(rank=2, alpha=2, targets="feed-forward"),
        collections.OrderedDict(a=1, b=(2,)),
        LowRank,
    ],
    ids=str,
)
def test_plain_values_come_back(tmp_path: Path, value: Any) -> None:
    found = returned(tmp_path, {"value": value})["value"]
    assert found == value
    assert type(found) is type(value)


def test_a_file_that_was_cut_off_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "one"
    assert not is_whole(path)
    write_kept(path, {"weights": np.ones(1000)}, {})
    assert is_whole(path)
    whole = path.read_bytes()
    for content in (whole[:-1], whole[:10], b"", b"no such file"):
        path.write_bytes(content)
        assert not is_whole(path)
    save_file({"weights": np.ones(3)}, path)
    assert not is_whole(path)


def test_arrays_come_back_to_the_bit_and_in_their_order(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    arrays = {
        "c": random.normal(size=(3, 4)),
        "f": np.asfortranarray(random.normal(size=(3, 4)).astype(np.float32)),
        "cube": np.asfortranarray(random.normal(size=(2, 3, 4))),
        "whole": np.arange(5, dtype=np.int64),
        "none": np.zeros((0, 3)),
        "scalar": np.float64(0.1),
        "truth": np.array([True, False]),
        "texts": np.array(["ab", "c"]),
    }
    found = returned(tmp_path, arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert type(found[name]) is type(array)
        assert np.asarray(found[name]).flags.f_contiguous == np.asarray(array).flags.f_contiguous


def test_tensors_modules_and_what_is_shared(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.GRU(4, 2, batch_first=True))
    short = torch.randn(5).to(torch.bfloat16)
    found = returned(tmp_path, {"module": module, "same": module[0].weight, "short": short})
    x = torch.randn(2, 7, 3)
    assert torch.equal(found["module"](x)[0], module(x)[0])
    assert found["same"] is found["module"][0].weight
    assert isinstance(found["same"], torch.nn.Parameter)
    assert found["short"].dtype == torch.bfloat16
    assert torch.equal(found["short"], short)


def test_objects_that_know_each_other(tmp_path: Path) -> None:
    inner = Box(np.ones(2))
    found = returned(tmp_path, [Box(inner, {"again": inner}), inner])
    assert found[0].inside is found[0].more["again"] is found[1]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_kept(tmp_path / name, Box(np.arange(3.0), {"z": 1, "a": (2,)}), {}, HERE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("value", [iter([1]), np.array([object()]), np.random.default_rng(0), lambda: None])
def test_what_cannot_be_kept_is_named(tmp_path: Path, value: Any) -> None:
    with pytest.raises(BenchError, match=r"it\.model\.inside is "):
        write_kept(tmp_path / "a", {"model": Box(value)}, {}, HERE)
    assert not (tmp_path / "a").exists()


def forged(path: Path, content: Any) -> None:
    told = {"format": FORMAT, "about": {}, "content": content}
    save_file({}, path, {KEY: json.dumps({**told, SEAL: seal(told, [])})})


@pytest.mark.parametrize(
    "content",
    [
        {"object": "os:PathLike", "state": []},
        {"object": "subprocess:Popen", "state": []},
        {"name": "os:system"},
        {"object": "benchmark.io.files:os", "state": []},
        {"object": "benchmark.io.files:digest", "state": []},
        {"model": "benchmark.io.files:digest", "values": {}},
        {"array": 7, "shape": [1], "fortran": False, "scalar": False},
        {"same": 3},
        {"unheard": 1},
    ],
    ids=str,
)
def test_a_file_names_no_foreign_class_and_calls_nothing(tmp_path: Path, content: Any) -> None:
    forged(tmp_path / "a", content)
    with pytest.raises(BenchError, match="a cannot be read"):
        read_kept(tmp_path / "a")


def test_a_damaged_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_kept(path, {"x": np.ones(9)}, {})
    whole = path.read_bytes()
    for content in (b"", whole[:20], whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(BenchError, match=r"a\.safetensors cannot be read"):
            read_kept(path)
    save_file(load_file(tmp_path / "b") if (tmp_path / "b").exists() else {"x": np.ones(1)}, path)
    with pytest.raises(BenchError, match="cannot be read"):
        read_kept(path)


def test_a_change_of_any_byte_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    arrays = {"x": np.arange(9.0), "y": np.ones((2, 3), np.float32), "none": np.empty((0, 3))}
    write_kept(path, arrays, {"fold": "one"})
    whole = path.read_bytes()
    passed = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found, about = read_kept(path)
        except BenchError:
            continue
        passed += 1  # what arrays are called inside says only in which order they come
        assert about == {"fold": "one"}
        assert all(found[name].tobytes() == array.tobytes() for name, array in arrays.items())
    assert passed < len(whole) / 50


def test_arrays_of_the_other_byte_order_come_back_as_numbers(tmp_path: Path) -> None:
    write_kept(tmp_path / "a", {"x": np.arange(4, dtype=">f8")}, {9: 1, 10: 2})
    assert read_kept(tmp_path / "a")[0]["x"].tolist() == [0, 1, 2, 3]


def test_a_file_of_another_format_says_so(tmp_path: Path) -> None:
    save_file({}, tmp_path / "a", {KEY: json.dumps({"format": 1, "about": {}, "content": []})})
    with pytest.raises(BenchError, match="format 1"):
        read_kept(tmp_path / "a")


def test_a_class_of_elsewhere_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"it\.box is a .*Box, which cannot be kept"):
        write_kept(tmp_path / "a", {"box": Box(1)}, {})
