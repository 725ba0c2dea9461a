"""Upstreams made of others, by name and by value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmark.base import Upstream
from benchmark.base.combined import Fusion, LayersOf, Name, at_rate
from benchmark.base.identity import identity_of
from benchmark.contracts import check_upstream
from benchmark.errors import BenchError, UsageError
from benchmark.registry.registry import Registry
from benchmark.types import Features


class Ramp(Upstream):
    """Layer l of frame t is l + t times a scale, in so many layers at a rate."""

    def __init__(self, name: str = "ramp", layers: int = 6, dim: int = 2, rate: float | None = 100.0) -> None:
        self.name = name
        self.layers, self.dim, self.frame_rate = layers, dim, rate

    @property
    def params(self) -> dict[str, object]:
        return {"layers": self.layers, "dim": self.dim, "rate": self.frame_rate}

    def encode(self, wave: np.ndarray) -> Features:
        frames = 1 if self.frame_rate is None else max(1, round(len(wave) / self.sample_rate * self.frame_rate))
        layer, frame, value = np.meshgrid(*map(np.arange, (self.layers, frames, self.dim)), indexing="ij")
        offset = float(np.abs(wave).mean())
        return Features(np.float32(100 * layer + frame + 1000 * value + offset), self.frame_rate)


class Half(Ramp):
    """Computes in lower precision too."""

    name = "half"
    precisions = ("bf16",)


WAVE = np.full(16_000, 0.5, np.float32)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hubert-base", Name("hubert-base")),
        ("hubert-base@03", Name("hubert-base@03")),  # one layer has one name
        ("hubert-base@last", Name("hubert-base", None, "last")),
        ("hubert-base@bf16", Name("hubert-base", "bf16", None)),
        ("hubert-base@fp16@mean-last-4", Name("hubert-base", "fp16", "mean-last-4")),
        ("hubert-base@3,7-9@bf16", Name("hubert-base", "bf16", "3,7-9")),
        ("hf:/models/a@b", Name("hf:/models/a@b")),
        ("hf:/models/a@b@first", Name("hf:/models/a@b", None, "first")),
        ("@last", Name("@last")),
    ],
)
def test_a_name_is_read_from_its_end(name: str, expected: Name) -> None:
    assert Name.parse(name) == expected


@pytest.mark.parametrize("name", ["a@last@first", "a@bf16@last@fp16"])
def test_a_name_says_everything_once(name: str) -> None:
    with pytest.raises(UsageError, match=r"two precisions|selects layers twice"):
        Name.parse(name)


@pytest.mark.parametrize(
    ("selection", "layers"),
    [("first", [0]), ("last", [5]), ("3", [3]), ("1,4", [1, 4]), ("1-3,5", [1, 2, 3, 5]), ("5,0", [5, 0])],
)
def test_layers_are_those_that_are_named(selection: str, layers: list[int]) -> None:
    upstream = LayersOf(Ramp(), selection)
    features = upstream.encode(WAVE)
    np.testing.assert_array_equal(features.layers, Ramp().encode(WAVE).layers[layers])
    assert (upstream.layers, upstream.dim, upstream.frame_rate) == (len(layers), 2, 100.0)
    assert upstream.name == f"ramp@{selection}"


def test_the_mean_of_the_last_layers_is_one_layer() -> None:
    upstream = LayersOf(Ramp(), "mean-last-4")
    found = upstream.encode(WAVE).layers
    np.testing.assert_allclose(found, Ramp().encode(WAVE).layers[2:].mean(axis=0, keepdims=True), rtol=1e-6)
    assert upstream.layers == 1


@pytest.mark.parametrize("selection", ["6", "2-9", "4-2", "3-3", "1,1", "mean-last-7"])
def test_layers_that_are_not_there_are_refused_at_once(selection: str) -> None:
    with pytest.raises(UsageError, match=f"'ramp@{selection}'.*(0 to 5|twice|there are 6 layers|no range)"):
        LayersOf(Ramp(), selection)


def test_frames_are_averaged_to_the_slower_rate() -> None:
    fast = Features(np.arange(10, dtype=np.float32).reshape(1, 10, 1), 100.0)
    np.testing.assert_array_equal(at_rate(fast, 50.0)[0, :, 0], [0.5, 2.5, 4.5, 6.5, 8.5])
    # 40 Hz frames begin every 2.5 fast frames: at 0, 2.5, 5 and 7.5
    np.testing.assert_allclose(at_rate(fast, 40.0)[0, :, 0], [1, 3.5, 6, 8.5])
    odd = Features(np.arange(3, dtype=np.float32).reshape(1, 3, 1), 100.0)
    np.testing.assert_array_equal(at_rate(odd, 50.0)[0, :, 0], [0.5, 2.0])
    assert at_rate(fast, 100.0) is fast.layers


def test_fused_frames_stand_side_by_side_at_the_slower_rate() -> None:
    slow, fast = Ramp("slow", rate=50.0), Ramp("fast", layers=1, dim=3)
    fusion = Fusion([fast, slow])
    features = fusion.encode(WAVE)
    assert (fusion.name, fusion.layers, fusion.dim, fusion.frame_rate) == ("fast+slow", 6, 5, 50.0)
    assert (features.layers.shape, features.frame_rate) == ((6, 50, 5), 50.0)
    for layer in range(6):  # the one layer of the first stands beside each of the second
        np.testing.assert_array_equal(features.layers[layer, :, :3], at_rate(fast.encode(WAVE), 50.0)[0])
        np.testing.assert_array_equal(features.layers[layer, :, 3:], slow.encode(WAVE).layers[layer])


def test_beside_one_vector_an_utterance_frames_are_averaged() -> None:
    fusion = Fusion([Ramp("frames"), Ramp("vector", layers=1, rate=None)])
    features = fusion.encode(WAVE)
    assert (features.layers.shape, features.frame_rate, fusion.frame_rate) == ((6, 1, 4), None, None)
    np.testing.assert_allclose(features.layers[:, 0, :2], Ramp().encode(WAVE).mean(), rtol=1e-6)


def test_all_hand_crafted_frames_stand_beside_each_other() -> None:
    registry, wave = Registry(), np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    names = ["spectrogram", "logmel", "mfcc", "mfb-f0", "egemaps-lld", "compare-lld"]
    upstreams = [registry.upstream(name) for name in names]
    features = Fusion(upstreams).encode(wave)
    assert features.frame_rate == 50.0
    assert features.layers.shape[2] == sum(upstream.dim or 0 for upstream in upstreams)
    pair = registry.upstream("logmel+compare-lld").encode(wave)
    assert (pair.frame_rate, pair.layers.shape) == (100.0, (1, 96, 210))


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(UsageError, match=r"6 and 3 layers \(select as many of each, as in A@last\+B@last\)"):
        Fusion([Ramp("a"), Ramp("b", layers=3)])
    with pytest.raises(UsageError, match="'a\\+a' names an upstream twice"):
        Fusion([Ramp("a"), Ramp("a")])
    other = Ramp("b")
    other.sample_rate = 8000
    with pytest.raises(UsageError, match=r"\[8000, 16000\] Hz"):
        Fusion([Ramp("a"), other])

    class Short(Ramp):
        def encode(self, wave: np.ndarray) -> Features:
            features = super().encode(wave)
            return Features(features.layers[:, :20], features.frame_rate)

    with pytest.raises(BenchError, match=r"gives \[100, 20\] frames at 100 Hz for one utterance"):
        Fusion([Ramp("a"), Short("b")]).encode(WAVE)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LayersOf(Ramp(), "1,3"),
        lambda: LayersOf(Ramp(), "mean-last-4"),
        lambda: Fusion([Ramp("a"), Ramp("b", rate=50.0)]),
        lambda: Fusion([LayersOf(Ramp("a"), "last"), Ramp("v", layers=1, rate=None)]),
    ],
)
def test_what_is_made_of_others_keeps_the_contract(make) -> None:
    for check in check_upstream(make):
        check.run()


def test_the_device_and_the_facts_are_those_of_the_parts() -> None:
    first, second = Ramp("a"), Ramp("b")
    first.trained_on, second.trained_on = ("iemocap",), ("meld", "iemocap")
    second.min_duration = 0.3
    fusion = Fusion([LayersOf(first, "last"), LayersOf(second, "last")])
    fusion.device = "cuda"
    assert (first.device, second.device, fusion.device) == ("cuda", "cuda", "cuda")
    assert fusion.trained_on == ("iemocap", "meld")
    assert fusion.min_duration == 0.3


def identities(upstreams: Sequence[Upstream]) -> set[str]:
    from benchmark.io.files import digest

    return {digest(identity_of(upstream)) for upstream in upstreams}


def test_another_selection_or_order_is_another_identity() -> None:
    a, b = Ramp("a"), Ramp("b", dim=3)
    half = Half("a")
    half.precision = "bf16"
    made = [a, half, LayersOf(a, "last"), LayersOf(a, "5"), LayersOf(half, "last"), Fusion([a, b]), Fusion([b, a])]
    assert len(identities(made)) == len(made)


PLUGIN = '''
import numpy as np
from benchmark import Features, Upstream


class Half(Upstream):
    """Can compute in half precision."""

    name = "half"
    layers, dim, frame_rate = 3, 1, 100.0
    precisions = ("bf16",)

    def encode(self, wave):
        return Features(np.ones((3, len(wave) // 160, 1), np.float32), 100.0)


class WithArgument(Half):
    """Takes an argument."""

    name = "arg:"

    def __init__(self, argument):
        self.name = f"arg:{argument}"
'''


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    path = tmp_path / "half_plugin.py"
    path.write_text(PLUGIN)
    return Registry([str(path)])


@pytest.mark.parametrize(
    "name",
    ["half", "half@last", "half@bf16", "half@bf16@0,2", "half+logmel", "half@last+arg:x+y", "arg:a@b@first+half@bf16"],
)
def test_the_registry_builds_what_a_name_says(registry: Registry, name: str) -> None:
    assert registry.upstream(name).name == name


def test_a_path_that_is_there_is_no_combination(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "a+logmel").mkdir()
    (tmp_path / "b@last").mkdir()
    assert registry.upstream(f"arg:{tmp_path}/a+logmel").name == f"arg:{tmp_path}/a+logmel"
    assert registry.upstream(f"arg:{tmp_path}/b@last").layers == 3
    assert registry.upstream(f"arg:{tmp_path}/c+logmel").name == f"arg:{tmp_path}/c+logmel"
    assert registry.upstream(f"arg:{tmp_path}/c@last").layers == 1


def test_precision_stands_in_one_place_of_the_name(registry: Registry) -> None:
    upstream = registry.upstream("half@last@bf16")
    assert upstream.name == "half@bf16@last"
    assert identity_of(upstream)["components"][0]["precision"] == "bf16"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("half@lst", "'half@lst': 'lst' is neither a precision nor a selection of layers"),
        ("half@fp16", r"'half' does not compute in fp16 \(bf16\)"),
        ("logmel@bf16", r"'logmel' does not compute in bf16 \(it has none but float32\)"),
        ("half@7", "the layers are 0 to 2"),
        ("half+logmell", "unknown upstream 'logmell'.*did you mean 'logmel'"),
        ("half+", "unknown upstream ''"),
        ("half+half", "names an upstream twice"),
    ],
)
def test_a_name_that_means_nothing_says_why(registry: Registry, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        registry.upstream(name)
