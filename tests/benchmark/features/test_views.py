"""Where features come from: stores that are shared, parts that are joined, files, and models at every reading."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.base import Upstream
from benchmark.base.combined import Fusion, LayersOf
from benchmark.errors import BenchError, EncodingError
from benchmark.features.shards import is_whole
from benchmark.features.views import check_space, open_view, total_bytes, total_encodings
from benchmark.io.settings import Settings
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.protocol.hearing import listen
from benchmark.protocol.task import read_task
from benchmark.types import Features
from tasks.corpora.csv import CSV


class Powers(Upstream):
    """Layer l is the framewise mean of |x| to the power l + 1, twice with different scale; counts what it encodes."""

    name = "powers"
    layers = 6
    dim = 2
    frame_rate = 100.0
    hop = 160

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, wave: np.ndarray) -> Features:
        self.calls += 1
        frames = np.abs(wave[: len(wave) // self.hop * self.hop]).reshape(-1, self.hop)
        layers = [(frames ** (power + 1)).mean(axis=1) for power in range(self.layers)]
        return Features(np.float32(np.stack([layers, np.multiply(2, layers)], axis=-1)), self.sample_rate / self.hop)

    def parameters(self) -> int:
        return 7


class Slow(Powers):
    """The same in frames of 20 ms."""

    name = "slow"
    frame_rate = 50.0
    hop = 320


class Vector(Powers):
    """One layer of one vector."""

    name = "vector"
    layers = 1
    frame_rate = None

    def encode(self, wave: np.ndarray) -> Features:
        return Features(super().encode(wave).mean()[:, np.newaxis])


@pytest.fixture
def dataset(toy_task: Path, settings: Settings) -> Dataset:
    return load_dataset(read_task(toy_task), [CSV()], settings)


@pytest.fixture
def heard(dataset: Dataset, settings: Settings):
    return listen(dataset, settings, {}, lambda count: None)


@pytest.fixture
def load(dataset: Dataset, heard, settings: Settings, progress):
    """Load the features of an upstream as a dictionary of arrays, and what was told of them."""

    def load(upstream: Upstream, needs: str = "mean", **options):
        encoded = open_view(settings.cache, upstream, needs, **options).load(dataset, heard, progress)
        return {name: np.array(values) for name, values in encoded.features.items()}, encoded

    return load


def wave_of(dataset: Dataset, settings: Settings, name: str) -> np.ndarray:
    from benchmark.data.audio import decode

    return decode(dataset.roots[0], dataset.by_id[name], None, settings.cache).at(16_000)


@pytest.mark.parametrize("needs", ["mean", "statistics", "frames", "frames-float16"])
@pytest.mark.parametrize(
    "make",
    [
        Powers,
        lambda: LayersOf(Powers(), "1,3"),
        lambda: LayersOf(Powers(), "mean-last-4"),
        lambda: LayersOf(Slow(), "last"),
    ],
)
def test_features_are_those_of_encode(load, dataset: Dataset, settings: Settings, make, needs: str) -> None:
    features, encoded = load(make(), needs)
    assert set(features) == {utterance.id for utterance in dataset.recordings}
    for name in list(features)[::7]:
        alone = make().encode(wave_of(dataset, settings, name))
        expected = {"mean": alone.mean, "statistics": alone.statistics}.get(needs, lambda alone=alone: alone.layers)()
        assert features[name].dtype == np.float32
        np.testing.assert_allclose(
            features[name], expected, rtol=1e-3 if needs == "frames-float16" else 1e-6, atol=1e-7
        )
    assert encoded.frame_rate == make().frame_rate


def test_statistics_are_numpy_s(load, dataset: Dataset, settings: Settings) -> None:
    features, _ = load(Powers(), "statistics")
    name = next(iter(features))
    layers = Powers().encode(wave_of(dataset, settings, name)).layers
    np.testing.assert_allclose(features[name][:, :2], layers.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(features[name][:, 2:], layers.std(axis=1), rtol=1e-5)


@pytest.mark.parametrize("needs", ["mean", "statistics"])
def test_layers_and_fusions_share_what_is_encoded(load, needs: str) -> None:
    first = Powers()
    whole, _ = load(first, needs)
    again, slow = Powers(), Slow()
    last, one = load(LayersOf(again, "last"), needs)
    fused, both = load(Fusion([again, slow]), needs)
    assert (first.calls, again.calls, slow.calls) == (40, 0, 40)
    assert (one.newly_encoded, both.newly_encoded, both.parameters) == (0, 40, 14)
    for name, values in whole.items():
        np.testing.assert_array_equal(last[name], values[-1:])
        assert fused[name].shape[-1] == 2 * values.shape[-1]
        np.testing.assert_array_equal(fused[name][:, :2], values[:, :2])  # means first, then deviations
        if needs == "statistics":
            np.testing.assert_array_equal(fused[name][:, 4:6], values[:, 2:])


def test_frames_of_a_fusion_are_aligned_as_it_encodes_them(load, dataset: Dataset, settings: Settings) -> None:
    fused, encoded = load(Fusion([Powers(), Slow()]), "frames")
    assert encoded.frame_rate == 50.0
    for name in list(fused)[::11]:
        expected = Fusion([Powers(), Slow()]).encode(wave_of(dataset, settings, name))
        np.testing.assert_allclose(fused[name], expected.layers, rtol=1e-6)


def test_frames_beside_vectors_are_averaged(load) -> None:
    fused, encoded = load(Fusion([Powers(), Vector()]), "frames")
    assert encoded.frame_rate is None
    assert {values.shape for values in fused.values()} == {(6, 1, 4)}


def test_streamed_frames_are_those_that_would_be_stored(load, settings: Settings) -> None:
    upstream = Powers()
    streamed, encoded = load(upstream, "frames", stream=True)
    assert upstream.calls >= 40
    assert encoded.seconds is None
    assert list(settings.cache.rglob("*.safetensors")) == []
    stored, _ = load(Powers(), "frames")
    for name, values in stored.items():
        np.testing.assert_array_equal(values, streamed[name])


def test_means_are_stored_even_when_frames_are_streamed(load, settings: Settings) -> None:
    load(Powers(), "mean", stream=True)
    assert len(list(settings.cache.rglob("*.safetensors"))) == 1


class Given(Upstream):
    """Looks features up, and remembers what it is asked."""

    name = "given"
    hears = False
    layers, dim = 2, 3

    def __init__(self) -> None:
        self.corpus: Collection[str] = ()

    def encode(self, wave: np.ndarray) -> Features:
        raise AssertionError("it hears nothing")

    def lookup(self, ids: Sequence[str], corpus: Collection[str]) -> Mapping[str, Features]:
        self.corpus = corpus
        return {name: Features(np.full((2, 1, 3), len(name), np.float32)) for name in ids}


def test_features_that_were_made_elsewhere_are_looked_up(load, dataset: Dataset, heard, settings: Settings) -> None:
    upstream = Given()
    features, encoded = load(upstream)
    assert (encoded.newly_encoded, encoded.seconds) == (0, None)
    assert all((values == len(name)).all() and values.shape == (2, 3) for name, values in features.items())
    assert set(upstream.corpus) == dataset.scanned >= set(dataset.by_id)
    assert open_view(settings.cache, upstream, "mean").demands(dataset, heard) == []
    last, _ = load(Fusion([LayersOf(Given(), "last"), LayersOf(Powers(), "last")]))
    assert {values.shape for values in last.values()} == {(1, 5)}


def test_what_is_shared_is_counted_once(dataset: Dataset, heard, settings: Settings) -> None:
    names = [Powers(), LayersOf(Powers(), "last"), Fusion([Powers(), Vector()])]
    demands = [demand for one in names for demand in open_view(settings.cache, one, "mean").demands(dataset, heard)]
    assert total_encodings(demands) == 80
    assert total_bytes(demands) == 40 * 4 * (6 * 2 + 2)


def test_features_that_do_not_fit_are_refused_before_the_first(
    dataset: Dataset, heard, settings: Settings, progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Undeclared(Powers):
        dim = None

    monkeypatch.setattr("benchmark.features.store.shutil.disk_usage", lambda path: SimpleNamespace(free=5000))
    upstream = Powers()
    # 40 utterances of half a second: 6 layers x 2 values x 4 bytes x 50 frames
    with pytest.raises(
        BenchError, match=r"40 utterances by 'powers' \(frames\) need 96.0 kB of disk, and .* has 5.0 kB"
    ):
        open_view(settings.cache, upstream, "frames").load(dataset, heard, progress)
    assert upstream.calls == 0
    undeclared = Undeclared()
    with pytest.raises(BenchError, match=r"\(frames\) need 96.0 kB of disk"):
        open_view(settings.cache, undeclared, "frames").load(dataset, heard, progress)
    assert list(settings.cache.rglob("*.safetensors")) == []
    open_view(settings.cache, upstream, "mean").load(dataset, heard, progress)  # 1.9 kB


FILL = """
import sys, time
import numpy as np
from benchmark import Features, Upstream
from benchmark.protocol.dataset import load_dataset
from benchmark.protocol.hearing import listen
from benchmark.protocol.task import read_task
from benchmark.io.settings import load_settings
from benchmark.features.views import open_view
from tasks.corpora.csv import CSV
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

class Shared(Upstream):
    name = "shared"
    batch_seconds = 2.0
    def encode(self, wave):
        time.sleep(0.02)
        return Features(np.float32(wave[:8000].reshape(1, -1, 100)), 160.0)

import benchmark.features.store

benchmark.features.store.SHARD_BYTES = 1
settings = load_settings([f"toy={sys.argv[1]}"])
dataset = load_dataset(read_task(Path(sys.argv[2])), [CSV()], settings)
heard = listen(dataset, settings, {}, lambda count: None)
quiet = SimpleNamespace(encoding=lambda *about: nullcontext(lambda count, audio: None))
# All begin at the same time, however busy the machine is.
own, together = sys.argv[3], sys.argv[4:]
Path(own).touch()
while not all(Path(one).exists() for one in together):
    time.sleep(0.01)
encoded = open_view(settings.cache, Shared(), "frames").load(dataset, heard, quiet)
print(sum(float(np.abs(values).sum(dtype=np.float64)) for values in encoded.features.values()), encoded.newly_encoded)
"""


def test_two_processes_fill_one_store(toy_task: Path, toy_corpus: Path, settings: Settings, tmp_path: Path) -> None:
    script = tmp_path / "fill.py"
    script.write_text(FILL)
    command = [sys.executable, str(script), str(toy_corpus), str(toy_task)]
    environment = {**os.environ, "BENCH_CACHE": str(settings.cache), "PYTHONPATH": str(Path(__file__).parents[3])}
    ready = [str(tmp_path / name) for name in ("first", "second", "third")]
    both = [
        subprocess.Popen([*command, own, *ready[:2]], env=environment, stdout=subprocess.PIPE, text=True)
        for own in ready[:2]
    ]
    sums, counts = zip(*(process.communicate()[0].split() for process in both), strict=True)
    command.append(ready[2])
    third = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert set(sums) == {third[0]}
    assert third[1] == "0"
    assert all(int(count) > 0 for count in counts)  # else they did not run at the same time
    assert all(is_whole(path) for path in settings.cache.rglob("*.safetensors"))


def test_all_that_a_run_needs_must_fit(
    dataset: Dataset, heard, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.features.store.shutil.disk_usage", lambda path: SimpleNamespace(free=3000))
    both = [open_view(settings.cache, one, "mean").demands(dataset, heard) for one in (Powers(), Slow())]
    check_space(settings.cache, both[0])  # 1.9 kB each
    with pytest.raises(BenchError, match=r"the features to be encoded need 3.8 kB of disk, and .* has 3.0 kB"):
        check_space(settings.cache, [demand for one in both for demand in one])


def test_features_that_do_not_align_fail_the_upstream_alone(load) -> None:
    class Short(Powers):
        name = "short"

        def encode(self, wave: np.ndarray) -> Features:
            features = super().encode(wave)
            return Features(features.layers[:, :10], features.frame_rate)

    with pytest.raises(EncodingError, match=r"gives \[50, 10\] frames at 100 Hz for one utterance"):
        load(Fusion([Powers(), Short()]), "frames")


def test_progress_counts_audio(dataset: Dataset, heard, settings: Settings, progress) -> None:
    open_view(settings.cache, Powers(), "mean").load(dataset, heard, progress)
    ((title, utterances, seconds, done, audio),) = progress.encoded
    assert title == "encode toy with powers"
    assert (utterances, done) == (40, 40)
    assert seconds == audio == pytest.approx(sum(one.duration for one in heard.values()))
    open_view(settings.cache, Powers(), "mean").load(dataset, heard, progress)
    assert len(progress.encoded) == 1  # nothing was encoded
