"""The contract of upstreams catches what it is there to catch, with a text that says what broke."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
import torch
from promises import failures

from benchmark.base import Upstream
from benchmark.contracts import check_upstream
from benchmark.contracts.toy_upstream import ToyUpstream
from benchmark.contracts.upstream import probe
from benchmark.errors import BenchError, MissingError
from benchmark.types import Features


class Framed(Upstream):
    """Two layers of four sums over frames of 10 ms: keeps every promise."""

    name = "framed"
    sample_rate = 1000
    min_duration = 0.01
    layers = 2
    dim = 4

    def encode(self, wave):
        frames = np.array(wave[: len(wave) // 10 * 10], dtype=np.float32).reshape(-1, 10)
        values = np.stack([frames.sum(axis=1), frames.max(axis=1), frames.min(axis=1), frames[:, 0]], axis=1)
        return Features(np.stack([values, values**2]), 100.0)


def test_an_upstream_that_keeps_every_promise_passes() -> None:
    checks = list(check_upstream(Framed))
    assert failures(checks) == {}
    assert len({check.name for check in checks}) == len(checks) == 12


class Trained(ToyUpstream):
    """That of the contract of heads, with a name and a digest."""

    name = "trained"
    min_duration = 0.02
    frame_rate = 50.0

    def encode(self, wave):
        return Features(super().encode(wave).layers, 50.0)


class TrainsOther(Trained):
    def trainable(self):
        made = super().trainable()
        with torch.no_grad():
            made.module["front"].bias.add_(1)
        return made

    def encode(self, wave):
        return Features(super().encode(wave).layers - 1, 50.0)


class TrainsNothing(Trained):
    def trainable(self):
        made = super().trainable()
        made.module.requires_grad_(False)
        return made


class TrainsOneForAll(Trained):
    one = ToyUpstream().trainable()

    def trainable(self):
        return self.one


def test_an_upstream_that_can_be_trained_passes() -> None:
    checks = list(check_upstream(Trained))
    assert failures(checks) == {}
    assert "it is trained as it encodes" in {check.name for check in checks}


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (TrainsOther, "the forward pass in training gives other features than encode"),
        (TrainsNothing, "no gradient reaches the weights"),
        (TrainsOneForAll, "two heads would train the same weights"),
    ],
)
def test_an_upstream_that_is_trained_otherwise_than_it_says_is_caught(broken: type[Upstream], text: str) -> None:
    assert text in failures(check_upstream(broken))["it is trained as it encodes"]


class PaddedBatch(Framed):
    def encode_batch(self, waves):
        longest = max(map(len, waves))
        padded = [self.encode(np.pad(wave, (0, longest - len(wave)))) for wave in waves]
        return [Features(f.layers[:, : len(w) // 10] / longest, 100.0) for f, w in zip(padded, waves, strict=True)]


class PaddedFrames(Framed):
    def encode_batch(self, waves):
        longest = max(map(len, waves))
        return [self.encode(np.pad(wave, (0, longest - len(wave)))) for wave in waves]


class SortedBatch(Framed):
    def encode_batch(self, waves):
        return [self.encode(wave) for wave in sorted(waves, key=len)]


class SlightlyOffInOneLayer(Framed):
    def encode_batch(self, waves):
        results = []
        for wave in waves:
            layers = self.encode(wave).layers.copy()
            layers[1, -1, 2] += 5e-5
            results.append(Features(layers, 100.0))
        return results


class LosesOne(Framed):
    def encode_batch(self, waves):
        return [self.encode(wave) for wave in waves[1:]]


class Noisy(Framed):
    def encode(self, wave):
        layers = super().encode(wave).layers
        return Features(layers + np.random.default_rng().standard_normal(layers.shape).astype(np.float32), 100.0)


class Stateful(Framed):
    last = np.float32(0)

    def encode(self, wave):
        features = Features(super().encode(wave).layers + self.last, 100.0)
        self.last = np.float32(len(wave) // 1000)
        return features


class RandomWeights(Framed):
    def __init__(self) -> None:
        self.weight = np.random.default_rng().standard_normal(4).astype(np.float32)

    def encode(self, wave):
        return Features(super().encode(wave).layers * self.weight, 100.0)


class NotANumber(Framed):
    def encode(self, wave):
        layers = super().encode(wave).layers
        layers[1, 3, 2] = np.nan
        return Features(layers, 100.0)


class InfiniteWhenLong(Framed):
    def encode(self, wave):
        layers = super().encode(wave).layers
        return Features(layers * np.float32(np.inf if len(wave) > 30_000 else 1), 100.0)


class WholeSteps(Framed):
    def encode(self, wave):
        wave.reshape(-1, 10)  # of what is no multiple it raises
        return super().encode(wave)


class OddOnes(Framed):
    def encode(self, wave):
        layers = super().encode(wave).layers
        return Features(layers[:, :, : 4 - len(wave) % 2], 100.0)


class Loudness(Framed):
    def encode(self, wave):
        layers = super().encode(wave).layers
        steps = wave[: len(wave) // 10 * 10].reshape(-1, 10)
        with np.errstate(invalid="ignore", divide="ignore"):
            return Features(layers / np.float32(np.abs(steps).max(axis=1) > 0)[:, None], 100.0)


class DoublePrecision(Framed):
    def encode(self, wave):
        return Features(super().encode(wave).layers.astype(np.float64), 100.0)


class BareArray(Framed):
    def encode(self, wave):
        return super().encode(wave).layers


class WrongLayers(Framed):
    layers = 3


class WrongDim(Framed):
    dim = 5


class VaryingDim(Framed):
    dim = None

    def encode(self, wave):
        return Features(super().encode(wave).layers[:, :, : 3 + (len(wave) > 1000)], 100.0)


class WrongRate(Framed):
    def encode(self, wave):
        return Features(super().encode(wave).layers, 50.0)


class NoRate(Framed):
    def encode(self, wave):
        return Features(super().encode(wave).layers)


class Truncates(Framed):
    def encode(self, wave):
        return super().encode(wave[:30_000])


class FailsWhenShort(Framed):
    def encode(self, wave):
        if len(wave) < 50:
            raise RuntimeError("kernel size cannot be greater than the input")
        return super().encode(wave)


class NaNWhenShort(Framed):
    min_duration = 0.0

    def encode(self, wave):
        return super().encode(wave) if len(wave) > 9 else Features(np.full((2, 1, 4), np.nan, np.float32), 100.0)


class ChangesInput(Framed):
    def encode(self, wave):
        features = super().encode(wave)
        wave -= wave.mean()
        return features


class ChangesBatch(Framed):
    def encode_batch(self, waves):
        results = [self.encode(wave) for wave in waves]
        for wave in waves:
            wave[0] = 0
        return results


class PathInParams(Framed):
    @property
    def params(self):
        return {"weights": {"at": ["/data/models/mine"]}}


class PathInName(Framed):
    name = "hf:/data/models/mine"


class ArrayInParams(Framed):
    @property
    def params(self):
        return {"scale": np.ones(2)}


class RandomParams(Framed):
    @property
    def params(self):
        return {"id": id(self)}


class LateParams(Framed):
    seen = 0

    @property
    def params(self):
        return {"seen": self.seen}

    def encode(self, wave):
        self.seen = 1
        return super().encode(wave)


class Undigested(Framed):
    def parameters(self):
        return 10


class OddDigest(Framed):
    def weights_sha256(self):
        return "sha256:12"


class OddRate(Framed):
    sample_rate = 0


class Slow(Framed):
    min_duration = 2.0


class SharesItsWork(Framed):
    """Two calls at once write over each other."""

    concurrent = True

    def encode(self, wave):
        self.wave = wave
        time.sleep(0.02)
        return super().encode(self.wave)


@pytest.mark.parametrize(
    ("broken", "check", "text"),
    [
        (SharesItsWork, "several threads get the same bytes", "encoded beside others in threads give another result"),
        (PaddedBatch, "features do not depend on the batch", r"0\.3 s .* in a batch of 0\.3 s, 5 s,.*differ by up to"),
        (PaddedFrames, "features do not depend on the batch", r"shapes are \(2, 30, 4\) and \(2, 500, 4\)"),
        (SortedBatch, "features do not depend on the batch", "shapes are"),
        (SlightlyOffInOneLayer, "features do not depend on the batch", r"by up to 5e-05, most in layer 1"),
        (LosesOne, "features do not depend on the batch", "a batch of 6 utterances gives 5 results"),
        (Noisy, "the same input gives the same bytes", "encoded twice give two results"),
        (Stateful, "the same input gives the same bytes", r"0\.3 s give another result after 5 s were encoded"),
        (RandomWeights, "a new instance gives the same bytes", "another result in a new instance"),
        (NotANumber, "values are finite", r"1 of 240 values of 0\.3 s.*first nan in layer 1, frame 3, dimension 2"),
        (InfiniteWhenLong, "a long input is encoded", "35 s give values that are not finite"),
        (WholeSteps, "inputs of any length, and with silence inside, are encoded", "encoding 1001 samples raises"),
        (OddOnes, "inputs of any length, and with silence inside, are encoded", "1001 samples give 2 layers of 3 val"),
        (Loudness, "inputs of any length, and with silence inside, are encoded", "silent give values that are not fin"),
        (DoublePrecision, "shapes are as declared", r"encoding 0\.3 s: .*dtype float64"),
        (BareArray, "shapes are as declared", r"encoding 0\.3 s returns ndarray"),
        (WrongLayers, "shapes are as declared", "layers is declared as 3 and encode returns 2"),
        (WrongDim, "shapes are as declared", "dim is declared as 5 and encode returns 4"),
        (VaryingDim, "shapes are as declared", r"differ between utterances: \[\(2, 3\), \(2, 4\)\]"),
        (WrongRate, "frame rate is as declared", r"0\.3 s at 50 Hz give 30 frames where 15\.0 are expected"),
        (NoRate, "frame rate is as declared", r"0\.3 s give 30 frames without a frame rate"),
        (Truncates, "frame rate is as declared", r"35 s at 100 Hz give 3000 frames where 3500\.0 are expected"),
        (FailsWhenShort, "the shortest input is encoded", r"encoding 0\.01 s raises RuntimeError: kernel size"),
        (NaNWhenShort, "the shortest input is encoded", r"0\.001 s give values that are not finite.*min_duration"),
        (ChangesInput, "the input is not changed", "encode changes its input"),
        (ChangesBatch, "the input is not changed", "encode_batch changes its input"),
        (PathInParams, "identity is plain, stable and free of paths", "absolute path, '/data/models/mine'"),
        (PathInName, "identity is plain, stable and free of paths", "the name holds an absolute path"),
        (ArrayInParams, "identity is plain, stable and free of paths", "the identity is no plain JSON value"),
        (RandomParams, "identity is plain, stable and free of paths", "two instances have different identities"),
        (LateParams, "identity is plain, stable and free of paths", "changes with the first encoding"),
        (Undigested, "attributes are declared", r"parameters\(\) returns 10 and weights_sha256\(\) None"),
        (OddDigest, "attributes are declared", "returns 'sha256:12'"),
        (OddRate, "attributes are declared", "sample_rate is 0"),
        (Slow, "attributes are declared", r"min_duration is 2\.0 s"),
    ],
)
def test_a_broken_upstream_is_caught(broken: type[Upstream], check: str, text: str) -> None:
    found = failures(check_upstream(broken))
    assert check in found
    assert re.search(text, found[check]), found[check]


def test_what_is_missing_stays_missing() -> None:
    class Absent(Framed):
        def encode(self, wave):
            raise MissingError("no weights", "get them")

    with pytest.raises(MissingError, match="no weights"):
        next(check for check in check_upstream(Absent) if check.name == "values are finite").run()


def test_an_upstream_that_cannot_be_made_is_told() -> None:
    def make() -> Upstream:
        raise OSError("disk gone")

    with pytest.raises(BenchError, match="making the upstream raises OSError: disk gone"):
        next(iter(check_upstream(make)))


def test_probes_are_audible_float32_of_the_asked_length() -> None:
    for duration in (0.0001, 0.025, 0.3, 35.0):
        wave = probe(duration, 16_000, 3)
        assert wave.dtype == np.float32
        assert len(wave) == int(np.ceil(duration * 16_000))
        assert np.abs(wave).max() <= 1
    assert np.abs(probe(1.0, 16_000, 0)).max() > 0.01
    assert probe(1.0, 16_000, 0).tobytes() != probe(1.0, 16_000, 1).tobytes()
