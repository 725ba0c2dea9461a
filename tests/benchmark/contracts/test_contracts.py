"""The contract suites catch what they are there to catch, with a text that says what broke."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from benchmark.base import Downstream, HeadParams, Upstream
from benchmark.contracts import Check, check_downstream, check_upstream
from benchmark.contracts.common import require_plain
from benchmark.contracts.downstream import toy
from benchmark.contracts.upstream import probe
from benchmark.errors import BenchError, MissingError
from benchmark.types import Features, Selection


def failures(checks: Iterable[Check]) -> dict[str, str]:
    """Text of every broken promise."""
    found = {}
    for check in checks:
        try:
            check.run()
        except BenchError as error:
            found[check.name] = str(error)
    return found


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
    assert len({check.name for check in checks}) == len(checks) == 11


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


@pytest.mark.parametrize(
    ("broken", "check", "text"),
    [
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


@pytest.mark.parametrize("text", ["/a", "hf:/a/b", "~/a", "C:\\a", "at D:/x", "x=/etc/y", "see '/tmp/z'"])
def test_absolute_paths_are_found(text: str) -> None:
    with pytest.raises(BenchError, match="absolute path"):
        require_plain({"a": [text]}, "it")
    with pytest.raises(BenchError, match="absolute path"):
        require_plain({text: 1}, "it")


@pytest.mark.parametrize("text", ["a/b", "facebook/hubert-base-ls960", "https://example.org/a", "and/or", "1 / 2", ""])
def test_names_and_addresses_are_no_paths(text: str) -> None:
    require_plain({"a": [text, 1, None]}, "it")


# -- downstreams ------------------------------------------------------------------------------------------------------


class Centroid(Downstream):
    """Nearest class mean of the flattened layers, with a little noise of the seed: keeps every promise."""

    name = "centroid"

    def fit(self, train, dev, *, seed):
        jitter = 1e-3 * np.random.Generator(np.random.PCG64(seed)).standard_normal(train.x[0].size)
        flat = self.flat(train)
        self.centres = np.stack([flat[train.y == k].mean(axis=0) + jitter for k in range(len(train.outputs))])
        return Selection("dev uar", 0.5, 1, (0.2, 0.3, 0.5), {"metric": "euclidean"})

    def flat(self, examples):
        return examples.x.reshape(len(examples), -1).astype(np.float64)

    def predict(self, examples):
        return -((self.flat(examples)[:, np.newaxis] - self.centres) ** 2).sum(axis=2)

    def parameters(self):
        return self.centres.size


def make(cls: type[Downstream]) -> Callable[[], Downstream]:
    return lambda: cls(HeadParams())


def test_a_downstream_that_keeps_every_promise_passes() -> None:
    checks = list(check_downstream(make(Centroid)))
    assert failures(checks) == {}
    assert len({check.name for check in checks}) == len(checks) == 9


class FrameCentroid(Centroid):
    """The same on frames."""

    name = "frame-centroid"
    needs = "frames"

    def flat(self, examples):
        return np.stack([frames.mean(axis=1).ravel().astype(np.float64) for frames in examples.x])

    def fit(self, train, dev, *, seed):
        flat = self.flat(train)
        centres = [flat[train.y == k].mean(axis=0) for k in range(len(train.outputs))]
        self.centres = np.stack(centres) + 1e-3 * seed
        return Selection()


def test_a_downstream_on_frames_passes() -> None:
    assert failures(check_downstream(make(FrameCentroid))) == {}


class Standardised(Centroid):
    """Centres the test utterances by their own mean and says so."""

    transductive = True

    def flat(self, examples):
        flat = super().flat(examples)
        return flat - flat.mean(axis=0)


def test_a_transductive_downstream_may_look_at_the_whole_test_set() -> None:
    names = [check.name for check in check_downstream(make(Standardised))]
    assert "a score does not depend on the other utterances" not in names
    assert failures(check_downstream(make(Standardised))) == {}


class HiddenTransduction(Standardised):
    transductive = False


class Float32Scores(Centroid):
    def predict(self, examples):
        return super().predict(examples).astype(np.float32)


class Labels(Centroid):
    def predict(self, examples):
        return super().predict(examples).argmax(axis=1)


class NaNScore(Centroid):
    def predict(self, examples):
        scores = super().predict(examples)
        scores[-1, 2] = np.nan
        return scores


class Unlearnt(Centroid):
    def fit(self, train, dev, *, seed):
        selection = super().fit(train, dev, seed=seed)
        self.centres = self.centres[[1, 2, 0]]
        return selection


class Unseeded(Centroid):
    def fit(self, train, dev, *, seed):
        return super().fit(train, dev, seed=np.random.default_rng().integers(1 << 30))


class DrawsInPredict(Centroid):
    def predict(self, examples):
        scores = super().predict(examples)
        return scores + 1e-9 * np.random.default_rng().standard_normal(scores.shape)


class IgnoresSeed(Centroid):
    def fit(self, train, dev, *, seed):
        return super().fit(train, dev, seed=0)


class SecretSeed(Centroid):
    stochastic = False


class ChangesTrain(Centroid):
    def fit(self, train, dev, *, seed):
        selection = super().fit(train, dev, seed=seed)
        train.x[:] -= train.x.mean(axis=0)
        return selection


class ChangesTest(Centroid):
    def predict(self, examples):
        scores = super().predict(examples)
        examples.x[0] = 0
        return scores


class ByPosition(Centroid):
    def predict(self, examples):
        return super().predict(examples) + 1e-3 * np.arange(len(examples))[:, np.newaxis]


class SortsTest(Centroid):
    def predict(self, examples):
        return super().predict(examples)[np.argsort(examples.ids)]


class NoSelection(Centroid):
    def fit(self, train, dev, *, seed):
        super().fit(train, dev, seed=seed)


def selecting(**fields: Any) -> type[Downstream]:
    class Selecting(Centroid):
        def fit(self, train, dev, *, seed):
            super().fit(train, dev, seed=seed)
            return Selection(**fields)

    return Selecting


class NeedsLabels(Centroid):
    def predict(self, examples):
        return super().predict(examples) + examples.y[:, np.newaxis]


class Placed(HeadParams):
    data: str = "here"


class LearntIdentity(Centroid):
    def fit(self, train, dev, *, seed):
        self.params = Placed(data="learnt")
        return super().fit(train, dev, seed=seed)


class PathIdentity(Centroid):
    def __init__(self, params, device="cpu"):
        super().__init__(Placed(data="/data/urdu"), device)


@pytest.mark.parametrize(
    ("broken", "check", "text"),
    [
        (Float32Scores, "scores have the right shape and are finite", r"shape \(30, 3\) and dtype float32"),
        (Labels, "scores have the right shape and are finite", r"shape \(30,\) and dtype int64"),
        (NaNScore, "scores have the right shape and are finite", "nan for utterance 'toy2-029' and class 'sad'"),
        (NeedsLabels, "scores have the right shape and are finite", "predicting 30 utterances raises TypeError"),
        (Unlearnt, "separable classes are learnt", r"UAR of 0\.\d\d on three classes"),
        (Unseeded, "the same seed gives the same bytes", "two heads fitted with seed 0.*differ by up to.*utterance"),
        (DrawsInPredict, "the same seed gives the same bytes", "the same head predicts.*in two ways"),
        (IgnoresSeed, "the seed matters exactly where it is said to", "seeds 0 and 1 give the same scores"),
        (SecretSeed, "the seed matters exactly where it is said to", "seeds 0 and 1 give different scores"),
        (ChangesTrain, "the examples are not changed", "changes the train examples"),
        (ChangesTest, "the examples are not changed", "changes the test examples"),
        (ByPosition, "the order of the utterances does not matter", "in another order get other scores"),
        (SortsTest, "the order of the utterances does not matter", "in another order get other scores"),
        (HiddenTransduction, "a score does not depend on the other utterances", "1 of 30 utterances, from 'toy2-000'"),
        (NoSelection, "the selection is well formed", "fit returns NoneType"),
        (selecting(on="dev uar"), "the selection is well formed", "on='dev uar' and score=None"),
        (selecting(on="dev", score=float("nan")), "the selection is well formed", "score=nan"),
        (selecting(epoch=0), "the selection is well formed", "epoch 0"),
        (selecting(layer_weights=(0.5, 0.5)), "the selection is well formed", "layer weights of 3 layers"),
        (selecting(layer_weights=(0.5, 0.5, 0.5)), "the selection is well formed", "summing to one"),
        (selecting(chosen={"C": np.float32(1)}), "the selection is well formed", "the selection is no plain JSON"),
        (LearntIdentity, "identity is plain, stable and free of paths", "changes with fitting"),
        (PathIdentity, "identity is plain, stable and free of paths", "absolute path, '/data/urdu'"),
    ],
)
def test_a_broken_downstream_is_caught(broken: type[Downstream], check: str, text: str) -> None:
    found = failures(check_downstream(make(broken)))
    assert check in found
    assert re.search(text, found[check]), found[check]


def test_the_toy_has_every_class_for_every_speaker() -> None:
    train = toy("mean", utterances=60, speakers=6, seed=0)
    assert len(train) == 60
    pairs = set(zip(train.speakers, train.y.tolist(), strict=True))
    assert len(pairs) == 18
    frames = toy("frames", utterances=60, speakers=6, seed=0)
    assert all(array.shape[0::2] == (3, 8) and array.dtype == np.float32 for array in frames.x)
    assert not set(train.speakers) & set(toy("mean", utterances=30, speakers=3, seed=1).speakers)


def test_the_contracts_import_no_torch() -> None:
    code = "import sys, benchmark.contracts; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
