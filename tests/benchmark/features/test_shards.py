"""The files of the feature store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.features.shards import Shard, discard, is_whole, open_shard, open_shards, shard_paths, write_shard

TENSORS = {
    "a": np.arange(12, dtype=np.float32).reshape(2, 3, 2),
    "b": np.linspace(0, 1, 5, dtype=np.float16).reshape(1, 5, 1),
    "c": np.zeros((3, 4), np.float32).T,  # not contiguous
}


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    return write_shard(tmp_path, TENSORS, {"seconds": {"a": 1.5}})


def test_what_is_written_is_read(shard: Shard) -> None:
    again = open_shard(shard.path)
    assert again is not None
    assert again.notes["seconds"] == {"a": 1.5}
    assert set(again.places) == set(TENSORS)
    for key, tensor in TENSORS.items():
        found = again.tensor(key)
        assert found.dtype == tensor.dtype
        np.testing.assert_array_equal(found, tensor)
        assert not found.flags.writeable
    assert is_whole(shard.path)


def test_a_shard_is_read_by_others_too(shard: Shard) -> None:
    from safetensors.numpy import load_file

    for key, tensor in load_file(shard.path).items():
        np.testing.assert_array_equal(tensor, TENSORS[key])


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    small = write_shard(tmp_path, {"a": np.float32([[1, 2]])}, {})
    content = small.path.read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0x10
        discard(small.path)
        small.path.write_bytes(damaged)
        assert not is_whole(small.path), position
    discard(small.path)
    small.path.write_bytes(content)
    assert is_whole(small.path)


@pytest.mark.parametrize("length", [0, 7, 20, -1])
def test_a_file_that_is_cut_off_is_damaged(shard: Shard, length: int) -> None:
    shard.path.write_bytes(shard.path.read_bytes()[:length])
    assert open_shard(shard.path) is None
    assert list(open_shards(shard.path.parent)) == [shard.path]


def test_a_header_that_claims_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / f"{'0' * 64}.safetensors"
    path.write_bytes((1 << 62).to_bytes(8, "little") + b"{}")
    assert open_shard(path) is None


def test_damage_is_told_of_what_is_read_alone(shard: Shard) -> None:
    content = bytearray(shard.path.read_bytes())
    content[shard.places["a"].start] ^= 1
    shard.path.unlink()
    shard.path.write_bytes(content)
    again = open_shard(shard.path)
    assert again is not None
    assert again.damaged(["a"])
    assert not again.damaged(["b", "c"])


def test_what_is_mapped_outlives_its_file(shard: Shard) -> None:
    tensor = shard.tensor("a")
    discard(shard.path)
    assert shard_paths(shard.path.parent) == []
    np.testing.assert_array_equal(tensor, TENSORS["a"])


def test_more_shards_than_a_process_may_open(tmp_path: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    shards = [write_shard(tmp_path, {"a": np.float32([[number]])}, {}) for number in range(400)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(350, limits[1]), limits[1]))
    try:
        values = [float(one.tensor("a")[0, 0]) for one in shards]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert values == list(range(400))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the resident pages are told by Linux alone")
def test_what_was_read_does_not_stay_in_memory(tmp_path: Path) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[2]) * 4096  # pages of files

    tensors = {str(key): np.full((16, 1 << 18), key, np.float32) for key in range(24)}  # 16 MiB each
    for key, tensor in tensors.items():
        write_shard(tmp_path, {key: tensor}, {})
    shards = [shard for shard in open_shards(tmp_path) if isinstance(shard, Shard)]
    assert len(shards) == 24
    before, largest = resident(), 0
    held = []
    for shard in shards:
        (key,) = shard.places
        assert not shard.damaged([key])
        held.append(shard.tensor(key))
        assert held[-1].mean() == float(key)
        largest = max(largest, resident() - before)
    assert largest < 160 << 20  # of 384 MiB
    for shard, tensor in zip(shards, held, strict=True):  # what was given is still there
        assert float(tensor[3, 5]) == float(next(iter(shard.places)))
