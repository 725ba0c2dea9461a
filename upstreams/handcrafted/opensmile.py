"""openSMILE's acoustic feature sets, as functionals of an utterance or frame by frame, through the `opensmile` package.

The package carries openSMILE, whose licence by audEERING covers private, research and educational use; it is therefore
an extra and never installed unasked.

What the frames are, measured with opensmile 2.6.0. Every set has a new frame every 10 ms, and frame k describes the
signal from k * 10 ms on: a window of 60 ms for the pitch, which is so centred on k * 10 + 30 ms, and of 20 ms for the
spectrum; then it is smoothed over three frames. A last frame is added where the smoothing runs out, so n samples give
n // 160 - 4 frames, four fewer than there are steps of 10 ms. Where there is no voice, pitch, jitter and shimmer are 0;
what is quieter than about -55 dB of full scale counts as no voice.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, MissingError
from benchmark.io.packages import extra_condition
from benchmark.types import Condition, Features

SAMPLE_RATE = 16_000
# The longest analysis window of both sets is 60 ms (F0): measured with opensmile 2.6.0, 959 samples give nothing.
MIN_DURATION = 0.06
FRAME_RATE = 100.0  # Hz, of the descriptors of all sets
# The package turns samples into 16 bit integers and does not clip: a sample of 1.0 would become -1.0. Resampling
# overshoots where a recording is at full scale, so that samples beyond it are common (66 of 400 files of URDU).
HIGHEST = 32767 / 32768

# What openSMILE calls the levels of its results; several are joined by a semicolon and cut to the shortest.
FUNCTIONALS = "func"
DESCRIPTORS = "lld"
DESCRIPTORS_AND_SLOPES = "lld;lld_de"


def examine() -> tuple[Condition, ...]:
    """What `bench doctor` says of the package opensmile."""
    names = ("egemaps", "egemaps-lld", "compare", "compare-lld", "mfb-f0")
    return (extra_condition("opensmile", names, "research use"),)


def extractor(feature_set: str, level: str) -> Any:
    """Make the `opensmile.Smile` that computes one feature set.

    Args:
        feature_set: A member of `opensmile.FeatureSet`, such as "eGeMAPSv02".
        level: `FUNCTIONALS`, `DESCRIPTORS` or `DESCRIPTORS_AND_SLOPES`.

    Raises:
        MissingError: `opensmile` is not installed.
    """
    try:
        import opensmile
    except ImportError as error:
        raise MissingError(
            f"features of the openSMILE set {feature_set!r} need the package opensmile, which is not installed",
            "pip install 'serbench[opensmile]'; its licence allows research and private use, not commercial products",
        ) from error
    return opensmile.Smile(opensmile.FeatureSet[feature_set], level)


def describe(smile: Any, wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the features of one utterance.

    Args:
        smile: What `extractor` made.
        wave: (n,) float32 at 16 kHz, at least 60 ms; values beyond [-1, 1] are clipped to full scale.

    Returns:
        (1, D) float32 for functionals, (T, D) for descriptors.

    Raises:
        BenchError: A feature is not finite. It is not replaced, because any value would be an invention.
    """
    clipped = np.clip(wave, -1.0, HIGHEST, dtype=np.float32)
    values = np.asarray(smile.process_signal(clipped, SAMPLE_RATE).to_numpy(), dtype=np.float32)
    finite = np.atleast_1d(np.isfinite(values).all(axis=0))
    broken = [str(name) for name, good in zip(smile.feature_names, finite, strict=True) if not good]
    if broken:
        raise BenchError(
            f"openSMILE gives no finite value for {len(broken)} of {len(finite)} features "
            f"of an utterance of {len(wave) / SAMPLE_RATE:.3f} s, the first of them {broken[0]!r}",
            f"at least {MIN_DURATION} s of finite samples are needed",
        )
    return values


def pair_means(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average every two consecutive frames: (T, D) -> ((T + 1) // 2, D); a last odd frame stays as it is."""
    even = np.pad(frames, ((0, len(frames) % 2), (0, 0)), mode="edge")
    return np.asarray(even.reshape(-1, 2, frames.shape[1]).mean(axis=1), dtype=np.float32)


class OpenSmile(Upstream):
    """What the feature sets share; a feature set is a subclass with a name that implements `encode`."""

    sample_rate = SAMPLE_RATE
    min_duration = MIN_DURATION
    layers = 1
    libraries = ("numpy", "opensmile")
    feature_set: ClassVar[str]
    level: ClassVar[str]

    def __init__(self) -> None:
        self._smile: Any = None

    def describe(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """The features of an utterance at the level of the class: (T, D) float32."""
        if self._smile is None:
            self._smile = extractor(self.feature_set, self.level)
        return describe(self._smile, wave)


class Functionals(OpenSmile):
    """One vector of functionals an utterance."""

    level = FUNCTIONALS

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """The functionals of an utterance: (1, 1, dim)."""
        return Features(self.describe(wave)[np.newaxis])


class EGeMAPS(Functionals):
    """eGeMAPSv02 functionals (88) by openSMILE: voice parameters chosen for affect research.

    Eyben et al., "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for Voice Research and Affective Computing",
    IEEE Transactions on Affective Computing 7(2), 2016.
    """

    name = "egemaps"
    concurrent = True
    version = 1
    feature_set = "eGeMAPSv02"
    dim = 88
    extra = "opensmile"
    examine = "upstreams.handcrafted.opensmile:examine"


class ComParE(Functionals):
    """ComParE 2016 functionals (6373) by openSMILE: the large set of the Interspeech challenges.

    Schuller et al., "The INTERSPEECH 2016 Computational Paralinguistics Challenge: Deception, Sincerity & Native
    Language", Interspeech 2016.
    """

    name = "compare"
    concurrent = True
    version = 1
    feature_set = "ComParE_2016"
    dim = 6373
    extra = "opensmile"
    examine = "upstreams.handcrafted.opensmile:examine"


class EGeMAPSDescriptors(OpenSmile):
    """eGeMAPSv02 low-level descriptors (25) by openSMILE, means of two frames, every 20 ms.

    Pepino et al., "Emotion Recognition from Speech Using wav2vec 2.0 Embeddings", Interspeech 2021: the mean of every
    two consecutive frames, so that they are as long as those of wav2vec 2.0. Where one frame of a pair is voiced and
    the other is not, the mean is over the value and 0, as averaging is. A last odd frame is kept alone.
    """

    name = "egemaps-lld"
    concurrent = True
    version = 1
    feature_set = "eGeMAPSv02"
    level = DESCRIPTORS
    dim = 25
    frame_rate = FRAME_RATE / 2
    extra = "opensmile"
    examine = "upstreams.handcrafted.opensmile:examine"

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Means of pairs of descriptors: (1, T, 25), T = (n // 160 - 3) // 2, at 50 Hz."""
        return Features(pair_means(self.describe(wave))[np.newaxis], self.frame_rate)


class ComParEDescriptors(OpenSmile):
    """ComParE 2016 low-level descriptors (65) with their deltas (65) by openSMILE, every 10 ms.

    Purohit and Magimai.-Doss, "Emotion information recovery potential of wav2vec2 network fine-tuned for speech
    recognition task", 2025, use these 130. openSMILE's slopes alone run on for two frames, in which it takes the last
    descriptor to go on; here, as in openSMILE's joint output, a frame has descriptor and slope.
    """

    name = "compare-lld"
    concurrent = True
    version = 1
    feature_set = "ComParE_2016"
    level = DESCRIPTORS_AND_SLOPES
    dim = 130
    frame_rate = FRAME_RATE
    extra = "opensmile"
    examine = "upstreams.handcrafted.opensmile:examine"

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """The descriptors, then their slopes: (1, T, 130), T = n // 160 - 4, at 100 Hz."""
        return Features(self.describe(wave)[np.newaxis], self.frame_rate)
