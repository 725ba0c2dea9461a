"""The contract of an upstream."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.base.identity import identity_of
from benchmark.contracts.common import Check, attempt, difference, require, require_plain
from benchmark.errors import BenchError
from benchmark.features.encoding import is_concurrent
from benchmark.threads import threads, use_threads
from benchmark.types import Features

TOLERANCE = 1e-5  # largest difference that batching may make to any value of any layer
FRAME_SLACK, TIME_SLACK = 2, 0.04  # frames, or s, that an analysis window may gain or lose at the ends of an utterance
SHORT, LONG = 0.3, 35.0  # s; LONG is above the 30 s window of Whisper
ODD = (1, 2, 3, 5, 7, 80, 101)  # samples beyond a second: recordings are no multiple of any step
ROUNDS = 3  # of all of them, in threads at once
BATCH = (0.3, 5.0, 1.1, 2.4, 1.1, 0.7)  # s; two of one length, so that batching by length is met too


def probe(duration: float, sample_rate: int, seed: int) -> NDArray[np.float32]:
    """A signal that resembles speech: a gliding voice with pauses, and noise.

    Args:
        duration: Length [s]; the number of samples is rounded up.
        sample_rate: Samples a second [Hz].
        seed: Decides pitch, loudness and noise.

    Returns:
        (n,) float32 within [-1, 1].
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    time = np.arange(math.ceil(round(duration * sample_rate, 6))) / sample_rate
    pitch = generator.uniform(90, 250) * (1 + 0.2 * np.sin(2 * np.pi * 0.7 * time + generator.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    voice = sum((np.sin(k * phase) / k for k in range(1, 9)), np.zeros_like(time))
    envelope = np.clip(np.sin(2 * np.pi * generator.uniform(2, 4) * time + 1) + 0.5, 0, 1)
    loudness = generator.uniform(0.02, 0.2)
    wave = loudness * (voice * envelope / 2 + 0.1 * generator.standard_normal(len(time)))
    return np.clip(wave, -1, 1).astype(np.float32)


class _Probes:
    """An upstream, the signals it is checked with, and what it makes of each of them alone."""

    def __init__(self, make: Callable[[], Upstream]) -> None:
        self.make = make
        self.upstream = attempt(make, "making the upstream")
        self._encoded: dict[tuple[float, int], Features] = {}

    def wave(self, duration: float, seed: int = 0) -> NDArray[np.float32]:
        return probe(self.at_least(duration), self.upstream.sample_rate, seed)

    def features(self, duration: float, seed: int = 0) -> Features:
        """Features of one signal encoded alone, computed once."""
        key = (duration, seed)
        if key not in self._encoded:
            self._encoded[key] = self.encode_afresh(self.upstream, duration, seed)
        return self._encoded[key]

    def encode_afresh(self, upstream: Upstream, duration: float, seed: int = 0) -> Features:
        return self.encode_wave(upstream, self.wave(duration, seed), self.seconds(duration))

    def encode_wave(self, upstream: Upstream, wave: NDArray[np.float32], what: str) -> Features:
        features = attempt(lambda: upstream.encode(wave), f"encoding {what}")
        require(
            isinstance(features, Features),
            f"encoding {what} returns {type(features).__name__}",
            "encode returns benchmark.Features",
        )
        return features

    def batch(self, waves: list[NDArray[np.float32]]) -> list[Features]:
        """What `encode_batch` returns: one result for each waveform."""
        results = attempt(lambda: self.upstream.encode_batch(waves), "encoding a batch")
        require(
            len(results) == len(waves),
            f"a batch of {len(waves)} utterances gives {len(results)} results",
            "encode_batch returns one Features an utterance, in order",
        )
        return results

    def seconds(self, duration: float) -> str:
        return f"{self.at_least(duration):g} s"

    def at_least(self, duration: float) -> float:
        return max(duration, self.upstream.min_duration, 1 / self.upstream.sample_rate)


def check_upstream(make: Callable[[], Upstream]) -> Iterator[Check]:
    """List the checks of an upstream; they share one instance, so a model is loaded twice in all.

    Args:
        make: Makes a new instance. Nothing is encoded before the first check runs.

    Raises:
        BenchError: `make` fails.
    """
    probes = _Probes(make)
    yield Check("attributes are declared", lambda: _attributes(probes))
    yield Check("identity is plain, stable and free of paths", lambda: _upstream_identity(probes))
    if not probes.upstream.hears:  # nothing is encoded; a run checks what is looked up
        return
    yield Check("shapes are as declared", lambda: _shapes(probes))
    yield Check("values are finite", lambda: _finite(probes))
    yield Check("frame rate is as declared", lambda: _frame_rate(probes))
    yield Check("the shortest input is encoded", lambda: _one_length(probes, probes.upstream.min_duration))
    yield Check("a long input is encoded", lambda: _one_length(probes, LONG))
    yield Check("inputs of any length, and with silence inside, are encoded", lambda: _any_length(probes))
    yield Check("the input is not changed", lambda: _input_unchanged(probes))
    yield Check("the same input gives the same bytes", lambda: _deterministic(probes))
    yield Check("a new instance gives the same bytes", lambda: _reproducible(probes))
    yield Check("features do not depend on the batch", lambda: _batch_invariant(probes))
    if is_concurrent(probes.upstream):
        yield Check("several threads get the same bytes", lambda: _same_in_threads(probes))
    if probes.upstream.trains:
        yield Check("it is trained as it encodes", lambda: _trains_as_it_encodes(probes))


def _attributes(probes: _Probes) -> None:
    upstream = probes.upstream
    rate, shortest = upstream.sample_rate, upstream.min_duration
    require(isinstance(rate, int) and rate > 0, f"sample_rate is {rate!r}", "it is a positive integer [Hz]")
    require(0 <= shortest <= 1, f"min_duration is {shortest!r} s", "it lies between 0 and 1 s")
    digest = attempt(upstream.weights_sha256, "weights_sha256()")
    valid = digest is None or re.fullmatch("[0-9a-f]{64}", digest) is not None
    require(valid, f"weights_sha256() returns {digest!r}", "it is a sha256 in hexadecimal, or None without weights")
    count = attempt(upstream.parameters, "parameters()")
    require(isinstance(count, int) and count >= 0, f"parameters() returns {count!r}", "it is a number of weights")
    require(
        count == 0 or digest is not None,
        f"parameters() returns {count} and weights_sha256() None",
        "without a digest of its weights a changed model would meet the features of the old one",
    )


def _upstream_identity(probes: _Probes) -> None:
    require_plain(probes.upstream.name, "the name")
    first = require_plain(identity_of(probes.upstream), "the identity")
    second = require_plain(identity_of(probes.make()), "the identity of a second instance")
    require(first == second, "two instances have different identities", "no random or local value belongs in params")
    if not probes.upstream.hears:
        return
    probes.features(SHORT)
    third = require_plain(identity_of(probes.upstream), "the identity after encoding")
    require(first == third, "the identity changes with the first encoding", "it must be known before the weights load")


def _shapes(probes: _Probes) -> None:
    upstream = probes.upstream
    seen = {(f.layers.shape[0], f.layers.shape[2]) for f in map(probes.features, BATCH, range(len(BATCH)))}
    require(
        len(seen) == 1, f"(layers, dim) differ between utterances: {sorted(seen)}", "both are the same for every input"
    )
    ((layers, dim),) = seen
    for what, declared, found in (("layers", upstream.layers, layers), ("dim", upstream.dim, dim)):
        require(
            declared is None or declared == found,
            f"{what} is declared as {declared} and encode returns {found}",
            f"declare {what} = {found}, or None to leave it open",
        )


def _finite(probes: _Probes) -> None:
    for seed, duration in enumerate(BATCH):
        values = probes.features(duration, seed).layers
        broken = np.argwhere(~np.isfinite(values))
        if len(broken):
            layer, frame, index = broken[0]
            raise BenchError(
                f"{len(broken)} of {values.size} values of {probes.seconds(duration)} are not finite, "
                f"the first {values[layer, frame, index]} in layer {layer}, frame {frame}, dimension {index}",
                "find out why: a value put in its place would be an invention",
            )


def _frame_rate(probes: _Probes) -> None:
    for duration in (SHORT, max(BATCH), LONG):
        features = probes.features(duration)
        frames, rate = features.layers.shape[1], features.frame_rate
        if rate is None:
            require(
                frames == 1,
                f"{probes.seconds(duration)} give {frames} frames without a frame rate",
                "frame_rate is None for one vector an utterance",
            )
            continue
        expected = len(probes.wave(duration)) / probes.upstream.sample_rate * rate
        slack = max(FRAME_SLACK, TIME_SLACK * rate)
        require(
            abs(frames - expected) <= slack,
            f"{probes.seconds(duration)} at {rate:g} Hz give {frames} frames where {expected:.1f} are expected",
            f"the whole utterance is encoded, within {slack:g} frames",
        )


def _one_length(probes: _Probes, duration: float) -> None:
    values = probes.features(duration).layers
    require(
        bool(np.isfinite(values).all()),
        f"{probes.seconds(duration)} give values that are not finite",
        "an input that cannot be encoded is refused by min_duration",
    )


def _any_length(probes: _Probes) -> None:
    """As recordings have them: other lengths than steps of an analysis have, and digital silence between words."""
    expected = np.asarray(probes.features(1.1).layers).shape
    whole = probes.wave(probes.at_least(1.0) + max(ODD) / probes.upstream.sample_rate)
    silent = whole.copy()
    silent[len(silent) // 4 : len(silent) // 2] = 0
    second = len(whole) - max(ODD)
    inputs = [(f"{second + more} samples", whole[: second + more]) for more in ODD]
    for what, wave in [*inputs, ("a signal a quarter of which is silent", silent)]:
        layers = np.asarray(probes.encode_wave(probes.upstream, wave, what).layers)
        require(
            (layers.shape[0], layers.shape[-1]) == (expected[0], expected[-1]),
            f"{what} give {layers.shape[0]} layers of {layers.shape[-1]} values, 1.1 s {expected[0]} of {expected[-1]}",
            "layers and their dimension are the same for every utterance",
        )
        require(bool(np.isfinite(layers).all()), f"{what} give values that are not finite", "is anything divided by?")


def _input_unchanged(probes: _Probes) -> None:
    wave = probes.wave(SHORT)
    copy = wave.copy()
    attempt(lambda: probes.upstream.encode(wave), f"encoding {probes.seconds(SHORT)}")
    require(wave.tobytes() == copy.tobytes(), "encode changes its input", "work on a copy of the waveform")
    probes.batch([wave, wave])
    require(wave.tobytes() == copy.tobytes(), "encode_batch changes its input", "work on a copy of the waveforms")


def _same_bytes(first: Features, second: Features, message: str, hint: str) -> None:
    same = first.layers.shape == second.layers.shape and first.layers.tobytes() == second.layers.tobytes()
    if not same:
        raise BenchError(f"{message}: {difference(first.layers, second.layers, 'layer')}", hint)


def _deterministic(probes: _Probes) -> None:
    hint = "switch dropout, dithering and other randomness off, and keep nothing from call to call"
    first = probes.features(SHORT)
    again = probes.encode_afresh(probes.upstream, SHORT)
    _same_bytes(first, again, f"{probes.seconds(SHORT)} encoded twice give two results", hint)
    probes.encode_afresh(probes.upstream, max(BATCH), 1)
    later = probes.encode_afresh(probes.upstream, SHORT)
    message = f"{probes.seconds(SHORT)} give another result after {probes.seconds(max(BATCH))} were encoded"
    _same_bytes(first, later, message, hint)


def _reproducible(probes: _Probes) -> None:
    other = probes.encode_afresh(probes.make(), SHORT)
    message = f"{probes.seconds(SHORT)} give another result in a new instance"
    _same_bytes(probes.features(SHORT), other, message, "are all weights loaded, or some drawn at random?")


def _batch_invariant(probes: _Probes) -> None:
    order = list(range(len(BATCH)))
    for turn in (order, order[::-1]):
        waves = [probes.wave(BATCH[seed], seed) for seed in turn]
        batch = probes.batch(waves)
        mixture = ", ".join(probes.seconds(BATCH[seed]) for seed in turn)
        for seed, features in zip(turn, batch, strict=True):
            alone = probes.features(BATCH[seed], seed).layers
            close = alone.shape == features.layers.shape and np.allclose(
                alone, features.layers, rtol=0, atol=TOLERANCE, equal_nan=True
            )
            if not close:
                raise BenchError(
                    f"{probes.seconds(BATCH[seed])} encoded alone and in a batch of {mixture}: "
                    f"{difference(alone, features.layers, 'layer')}",
                    f"features depend on the batch by at most {TOLERANCE}: does padding reach them?",
                )


def _same_in_threads(probes: _Probes) -> None:
    """Batches that are encoded at once, each in one thread of torch as a run does it."""
    probes.upstream.get_ready()
    waves = [probes.wave(duration, seed) for seed, duration in enumerate(BATCH)]
    with threads(1):
        alone = [probes.batch([wave])[0] for wave in waves]
        with ThreadPoolExecutor(len(waves), initializer=use_threads, initargs=(1,)) as pool:
            rounds = [pool.submit(probes.batch, [wave]) for _ in range(ROUNDS) for wave in waves]
            found = [one.result()[0] for one in rounds]
    hint = "call nothing that threads share, or leave `concurrent` out"
    for number, features in enumerate(found):
        seed = number % len(waves)
        message = f"{probes.seconds(BATCH[seed])} encoded beside others in threads give another result"
        _same_bytes(alone[seed], features, message, hint)


def _trains_as_it_encodes(probes: _Probes) -> None:
    """The module that is lent gives the same features, lets gradients through, and is nobody else's."""
    upstream = probes.upstream
    trainable = attempt(upstream.trainable, "trainable()")
    wave = probe(SHORT, upstream.sample_rate, 0)
    (layers,) = attempt(lambda: trainable.layers([wave], "cpu"), "layers() of what is trained")
    expected = probes.features(SHORT).layers
    found = layers.detach().numpy()
    require(
        found.shape == expected.shape and np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE),
        "the forward pass in training gives other features than encode",
        "both prepare the waveform and take the layers alike",
    )
    require(layers.requires_grad, "no gradient reaches the weights", "layers() returns tensors that know their past")
    other = attempt(upstream.trainable, "trainable()")
    shared = {id(weight) for weight in trainable.module.parameters()} & {id(w) for w in other.module.parameters()}
    require(not shared, "two heads would train the same weights", "trainable() returns a module that nobody else has")
