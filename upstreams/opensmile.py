"""openSMILE's acoustic feature sets, one vector of functionals an utterance, through the `opensmile` package.

The package carries openSMILE, whose licence by audEERING covers private, research and educational use; it is therefore
an extra and never installed unasked.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, MissingError
from benchmark.types import Features

SAMPLE_RATE = 16_000
# The longest analysis window of both sets is 60 ms (F0): measured with opensmile 2.6.0, 959 samples give nothing.
MIN_DURATION = 0.06


def extractor(feature_set: str) -> Any:
    """Make the `opensmile.Smile` that computes the functionals of a feature set.

    Args:
        feature_set: A member of `opensmile.FeatureSet`, such as "eGeMAPSv02".

    Raises:
        MissingError: `opensmile` is not installed.
    """
    try:
        import opensmile
    except ImportError as error:
        raise MissingError(
            "the upstreams 'egemaps' and 'compare' need the package opensmile, which is not installed",
            "pip install 'serbench[opensmile]'; its licence allows research and private use, not commercial products",
        ) from error
    return opensmile.Smile(opensmile.FeatureSet[feature_set], opensmile.FeatureLevel.Functionals)


def functionals(smile: Any, wave: NDArray[np.float32]) -> Features:
    """Compute the functionals of one utterance: (1, 1, D) float32.

    Args:
        smile: What `extractor` made.
        wave: (n,) float32 at 16 kHz, at least 60 ms.

    Raises:
        BenchError: A feature is not finite. It is not replaced, because any value would be an invention.
    """
    values = np.asarray(smile.process_signal(wave, SAMPLE_RATE).to_numpy()[0])
    broken = [str(name) for name, finite in zip(smile.feature_names, np.isfinite(values), strict=True) if not finite]
    if broken:
        raise BenchError(
            f"openSMILE gives no finite value for {len(broken)} of {len(values)} features "
            f"of an utterance of {len(wave) / SAMPLE_RATE:.3f} s, the first of them {broken[0]!r}",
            f"at least {MIN_DURATION} s of finite samples are needed",
        )
    return Features(values[np.newaxis, np.newaxis].astype(np.float32))


class Functionals(Upstream):
    """What the feature sets share; a feature set is a subclass with a name."""

    sample_rate = SAMPLE_RATE
    min_duration = MIN_DURATION
    layers = 1
    libraries = ("opensmile",)
    feature_set: ClassVar[str]

    def __init__(self) -> None:
        self._smile: Any = None

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """The functionals of an utterance: (1, 1, dim)."""
        if self._smile is None:
            self._smile = extractor(self.feature_set)
        return functionals(self._smile, wave)


class EGeMAPS(Functionals):
    """eGeMAPSv02 functionals (88) by openSMILE: voice parameters chosen for affect research.

    Eyben et al., "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for Voice Research and Affective Computing",
    IEEE Transactions on Affective Computing 7(2), 2016.
    """

    name = "egemaps"
    feature_set = "eGeMAPSv02"
    dim = 88
    extra = "opensmile"


class ComParE(Functionals):
    """ComParE 2016 functionals (6373) by openSMILE: the large set of the Interspeech challenges.

    Schuller et al., "The INTERSPEECH 2016 Computational Paralinguistics Challenge: Deception, Sincerity & Native
    Language", Interspeech 2016.
    """

    name = "compare"
    feature_set = "ComParE_2016"
    dim = 6373
    extra = "opensmile"
