"""The feature store: encoded once, never half-read, never mistaken."""

from __future__ import annotations

import errno
import itertools
import os
import threading
import time
import weakref
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from benchmark.base import Upstream
from benchmark.errors import BenchError, EncodingError
from benchmark.features.shards import discard
from benchmark.features.store import FeatureStore
from benchmark.io.settings import Settings
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.protocol.hearing import listen
from benchmark.protocol.task import read_task
from benchmark.types import Features, Precision
from tasks.corpora.csv import CSV


class Energy(Upstream):
    """Two layers of framewise energy and its logarithm."""

    name = "energy"
    layers = 2
    dim = 1
    frame_rate = 100.0

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self.calls = 0

    @property
    def params(self) -> dict[str, float]:
        return {"scale": self.scale}

    def encode(self, wave: np.ndarray) -> Features:
        self.calls += 1
        frames = wave[: len(wave) // 160 * 160].reshape(-1, 160)
        energy = self.scale * (frames**2).mean(axis=1)
        return Features(np.float32([energy, np.log(energy + 1e-6)])[..., None], 100.0)


@pytest.fixture
def dataset(toy_task: Path, settings: Settings) -> Dataset:
    return load_dataset(read_task(toy_task), [CSV()], settings)


@pytest.fixture
def heard(dataset: Dataset, settings: Settings):
    return listen(dataset, settings, {}, lambda count: None)


class Quiet:
    """Progress that counts what was encoded."""

    def __init__(self) -> None:
        self.announced = (0, 0.0)
        self.done = [0, 0.0]

    @contextmanager
    def encoding(self, title: str, utterances: int, seconds: float):
        self.announced = (utterances, seconds)

        def advance(count: int, audio: float) -> None:
            self.done[0] += count
            self.done[1] += audio

        yield advance


def encode(settings: Settings, upstream: Upstream, dataset: Dataset, heard, pooling: str = "mean"):
    return FeatureStore(settings.cache, upstream, pooling).load(dataset, heard, Quiet())


def test_every_utterance_is_encoded_once(settings: Settings, dataset: Dataset, heard) -> None:
    first, second = Energy(), Energy()
    one = encode(settings, first, dataset, heard)
    two = encode(settings, second, dataset, heard)
    assert (first.calls, second.calls) == (40, 0)
    assert (one.newly_encoded, two.newly_encoded) == (40, 0)
    assert one.seconds == pytest.approx(two.seconds)
    for name, values in one.features.items():
        np.testing.assert_array_equal(values, two.features[name])
        assert values.shape == one.shape == (2, 1)


def test_means_are_those_of_the_frames(settings: Settings, dataset: Dataset, heard) -> None:
    means = encode(settings, Energy(), dataset, heard).features
    frames = encode(settings, Energy(), dataset, heard, "frames").features
    for name, values in frames.items():
        assert values.shape == (2, 50, 1)
        np.testing.assert_allclose(values.mean(axis=1, dtype=np.float64), means[name], rtol=1e-6)


def test_means_are_derived_from_stored_frames(settings: Settings, dataset: Dataset, heard) -> None:
    alone = encode(replace(settings, cache=settings.cache / "other"), Energy(), dataset, heard).features
    encode(settings, Energy(), dataset, heard, "frames")
    upstream = Energy()
    derived = encode(settings, upstream, dataset, heard)
    assert (upstream.calls, derived.newly_encoded) == (0, 0)
    for name, values in alone.items():
        np.testing.assert_array_equal(values, derived.features[name])


def test_what_is_no_features_is_refused_with_the_file(settings: Settings, dataset: Dataset, heard) -> None:
    class Bare(Energy):
        def encode(self, wave: np.ndarray) -> Features:
            return super().encode(wave).layers  # type: ignore[return-value]

    with pytest.raises(EncodingError, match=r"'energy' gave a ndarray for \w+/\w+\.wav"):
        encode(settings, Bare(), dataset, heard)


@pytest.mark.parametrize("returned", ["None", "waves[1:]"])
def test_a_batch_that_is_none_is_refused_by_name(settings: Settings, dataset: Dataset, heard, returned: str) -> None:
    class Odd(Energy):
        def encode_batch(self, waves):
            return None if returned == "None" else list(waves[1:])

    with pytest.raises(EncodingError, match=r"'energy' (failed on .*\.wav: TypeError|gave \d+ results for \d+ waves)"):
        encode(settings, Odd(), dataset, heard)


def test_other_dimensions_are_refused_with_both_files(settings: Settings, dataset: Dataset, heard) -> None:
    class Varying(Energy):
        def encode_batch(self, waves):
            found = super().encode_batch(waves)
            return [Features(np.repeat(one.layers, 1 + place % 2, axis=2), 100.0) for place, one in enumerate(found)]

    text = r"'energy' gave 2 layers of 1 value for \w+/\w+\.wav and 2 layers of 2 values for \w+/\w+\.wav: all have"
    with pytest.raises(EncodingError, match=text):
        encode(settings, Varying(), dataset, heard)


def test_a_failed_batch_is_freed_before_its_utterances_are_tried_alone(
    settings: Settings, dataset: Dataset, heard
) -> None:
    held: list[weakref.ref] = []
    alive: list[bool] = []

    class Greedy(Energy):
        def encode_batch(self, waves):
            if len(waves) > 1:
                memory = np.zeros(1000)
                held.append(weakref.ref(memory))
                raise MemoryError("too much")
            alive.append(any(reference() is not None for reference in held))
            return super().encode_batch(waves)

    assert encode(settings, Greedy(), dataset, heard).newly_encoded == 40
    assert held
    assert not any(alive)


def test_a_shard_that_another_process_removed_is_made_again(settings: Settings, dataset: Dataset, heard) -> None:
    encode(settings, Energy(), dataset, heard)
    store = FeatureStore(settings.cache, Energy(), "mean")
    opened = store._open()
    for shard in shards(settings):
        discard(shard)
    assert store._intact(opened, list(opened)) == {}


def test_another_identity_meets_no_old_features(settings: Settings, dataset: Dataset, heard) -> None:
    one = encode(settings, Energy(1.0), dataset, heard).features["anna/low0.wav"]
    two = encode(settings, Energy(2.0), dataset, heard).features["anna/low0.wav"]
    assert two[0, 0] == pytest.approx(2 * one[0, 0])


def test_identical_audio_is_encoded_once(settings: Settings, dataset: Dataset, heard) -> None:
    same = dict.fromkeys(heard, heard["anna/low0.wav"])
    changed = {**heard, "anna/low1.wav": heard["anna/low0.wav"]}
    upstream = Energy()
    store = FeatureStore(settings.cache, upstream, "mean")
    assert len(store.demand(same).bytes) == 1
    with pytest.raises(BenchError, match="changed while the run was reading it"):
        store.load(dataset, {**heard, "anna/low1.wav": type(heard["anna/low0.wav"])("0" * 64, 0.5)}, Quiet())
    assert store.load(dataset, changed, Quiet()).newly_encoded == 39


def shards(settings: Settings) -> list[Path]:
    return sorted(settings.cache.rglob("*.safetensors"))


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty"])
def test_a_damaged_shard_is_noticed_and_made_again(
    settings: Settings, dataset: Dataset, heard, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    before = {name: np.array(values) for name, values in encode(settings, Energy(), dataset, heard).features.items()}
    (shard,) = shards(settings)
    content = bytearray(shard.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
    else:
        del content[{"truncate": len(content) // 2, "empty": 0}[damage] :]
    shard.write_bytes(content)
    after = encode(settings, Energy(), dataset, heard)
    assert "is damaged" in caplog.text
    assert after.newly_encoded == 40
    for name, values in before.items():
        np.testing.assert_array_equal(values, after.features[name])


def test_finished_shards_survive_a_failure(
    settings: Settings, dataset: Dataset, heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.features.store.SHARD_BYTES", 1)

    class Failing(Energy):
        batch_seconds = 4.0

        def encode(self, wave: np.ndarray) -> Features:
            if self.calls == 20:
                raise ValueError("out of luck")
            return super().encode(wave)

    with pytest.raises(EncodingError, match=r"'energy' failed on \w+/\w+\.wav: ValueError: out of luck"):
        encode(settings, Failing(), dataset, heard)
    assert len(shards(settings)) == 2
    resumed = Energy()
    resumed_store = FeatureStore(settings.cache, Failing(), "mean")
    assert len(resumed_store.demand(heard).bytes) == 24
    assert encode(settings, resumed, dataset, heard).newly_encoded == 40  # another class: another identity


def test_non_finite_features_name_the_file(settings: Settings, dataset: Dataset, heard) -> None:
    class Broken(Energy):
        def encode(self, wave: np.ndarray) -> Features:
            return Features(np.full((1, 1, 1), np.nan, np.float32))

    with pytest.raises(EncodingError, match=r"NaN or infinite features for \w+/\w+.wav"):
        encode(settings, Broken(), dataset, heard)


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    settings: Settings, dataset: Dataset, heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("benchmark.io.files.os.fsync", full)
    with pytest.raises(BenchError, match="the disk is full") as caught:
        encode(settings, Energy(), dataset, heard)
    assert not isinstance(caught.value, EncodingError)
    assert [path for path in settings.cache.rglob("*") if path.is_file() and path.parent.name != "audio"] == []


@pytest.mark.parametrize("pooling", ["mean", "statistics", "frames", "frames-float16"])
def test_the_estimate_is_what_is_stored(settings: Settings, dataset: Dataset, heard, pooling: str) -> None:
    demand = FeatureStore(settings.cache, Energy(), pooling).demand(heard)
    encoded = encode(settings, Energy(), dataset, heard, pooling)
    stored = sum(values.nbytes for values in encoded.features.values()) / (2 if pooling == "frames-float16" else 1)
    assert sum(demand.bytes.values()) == pytest.approx(stored)
    assert FeatureStore(settings.cache, Energy(), pooling).demand(heard).bytes == {}


class Slow(Energy):
    """Waits, as where others use the processor, and takes long to load."""

    loaded = 0

    def get_ready(self) -> None:
        type(self).loaded += 1
        until = time.thread_time() + 0.3
        while time.thread_time() < until:
            pass

    def encode(self, wave: np.ndarray) -> Features:
        time.sleep(0.02)
        return super().encode(wave)


def test_encoding_costs_its_own_work_and_neither_waiting_nor_loading(settings: Settings, dataset, heard) -> None:
    found = encode(settings, Slow(), dataset, heard)
    assert Slow.loaded == 1
    assert found.seconds < 0.2  # 40 utterances wait for 0.8 s, and loading takes 0.3 s


def test_what_was_encoded_is_kept_when_somebody_stops_it(settings: Settings, dataset, heard) -> None:
    class Stopped(Energy):
        batch_seconds = 0.6

        def encode(self, wave: np.ndarray) -> Features:
            if self.calls == 10:
                raise KeyboardInterrupt
            return super().encode(wave)

    with pytest.raises(KeyboardInterrupt):
        encode(settings, Stopped(), dataset, heard)
    assert len(FeatureStore(settings.cache, Stopped(), "mean").demand(heard).bytes) < len(heard)


def test_an_upstream_that_cannot_be_loaded_is_named(settings: Settings, dataset, heard) -> None:
    class Broken(Energy):
        def get_ready(self) -> None:
            raise ZeroDivisionError("division by zero")

    with pytest.raises(EncodingError, match=r"the upstream 'energy' cannot be loaded: ZeroDivisionError: division"):
        encode(settings, Broken(), dataset, heard)


class Together(Energy):
    """One utterance a batch; it meets another thread inside, or gives up waiting for one."""

    concurrent = True
    batch_seconds = 0.1

    def __init__(self, threads: int = 2) -> None:
        super().__init__()
        self._meeting = threading.Barrier(threads, timeout=5)
        self.met = 0

    def encode(self, wave: np.ndarray) -> Features:
        if self.calls < 2:
            self.calls += 1
            self._meeting.wait()
            self.met += 1
        return super().encode(wave)


@pytest.mark.parametrize("precision", [None, "bf16"])
def test_batches_are_encoded_at_once_where_the_upstream_allows_it(
    settings: Settings, dataset: Dataset, heard, monkeypatch: pytest.MonkeyPatch, precision: Precision | None
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    upstream, single = Together(), Together(1)
    upstream.precision = single.precision = precision
    found = encode(settings, upstream, dataset, heard).features
    assert upstream.met == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = encode(replace(settings, cache=settings.cache / "other"), single, dataset, heard).features
    assert {name: values.tobytes() for name, values in found.items()} == {
        name: values.tobytes() for name, values in alone.items()
    }


@pytest.mark.parametrize("change", [{"concurrent": False}, {"components": (Energy(),)}])
def test_an_upstream_that_allows_nothing_is_called_by_one_thread(
    settings: Settings, dataset: Dataset, heard, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    """By its own word, or for the sake of one of those that it is made of."""
    monkeypatch.setenv("OMP_NUM_THREADS", "4")

    class Alone(Energy):
        concurrent = True
        callers: ClassVar[set[int]] = set()

        def encode(self, wave: np.ndarray) -> Features:
            self.callers.add(threading.get_ident())
            return super().encode(wave)

    upstream = Alone()
    for name, value in change.items():
        setattr(upstream, name, value)
    encode(settings, upstream, dataset, heard)
    assert upstream.callers == {threading.get_ident()}


def test_the_first_batch_that_fails_is_named_whoever_is_quicker(
    settings: Settings, dataset: Dataset, heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")

    class Fails(Energy):
        concurrent = True
        batch_seconds = 0.1
        begun = itertools.count()

        def encode(self, wave: np.ndarray) -> Features:
            number = next(self.begun)
            if number in (2, 3):
                time.sleep(0.2 if number == 2 else 0)
                raise ValueError("too quiet")
            return super().encode(wave)

    with pytest.raises(EncodingError, match="too quiet"):
        encode(settings, Fails(), dataset, heard)
    assert next(Fails.begun) < 12  # the others are not begun
    assert len(FeatureStore(settings.cache, Fails(), "mean")._open()) == 2
