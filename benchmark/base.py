"""The three abstract classes: a corpus, an upstream and a downstream are one subclass each.

A class is found by its literal `name = "..."`; the first line of its docstring is the summary that `bench list` shows.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from benchmark.errors import UsageError
from benchmark.types import CorpusCounts, Download, Examples, Features, Needs, Precision, Selection, Utterance


@functools.cache
def source_sha256(cls: type) -> str:
    """Digest of the source file that defines a class, so that changed code is a changed identity.

    Read once: a file that is edited during a run does not change what the run has imported.
    """
    try:
        source = inspect.getsource(sys.modules[cls.__module__])
    except (OSError, TypeError, KeyError):  # defined interactively: fall back on the class, which must have source
        source = inspect.getsource(cls)
    return hashlib.sha256(source.encode()).hexdigest()


def versions(distributions: Sequence[str]) -> dict[str, str]:
    """Installed versions of the named distributions; "absent" where one is not installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


class Corpus(ABC):
    """Reads the official layout of one corpus.

    Attributes:
        name: The corpus, as tasks name it.
        language: BCP 47 tag of what is spoken; "und" where the data decide.
        licence: Licence of the audio, in a few words.
        citation: The paper to cite.
        homepage: Where it lives.
        how_to_get: One sentence: how to obtain it and what the folder must contain.
        counts: What it holds when complete, by part (see `part_of`); empty where nobody can know.
        scales: Lowest and highest value of each dimension that its labels have.
        downloads: Files that `bench data get` fetches, where the licence allows and the host publishes a checksum.
        synthetic: True where the speech was not spoken by people; said wherever the corpus is shown.
    """

    name: ClassVar[str]
    language: ClassVar[str] = "und"
    licence: ClassVar[str]
    citation: ClassVar[str]
    homepage: ClassVar[str]
    how_to_get: ClassVar[str]
    counts: ClassVar[Mapping[str, CorpusCounts]] = {}
    scales: ClassVar[Mapping[str, tuple[float, float]]] = {}
    downloads: ClassVar[tuple[Download, ...]] = ()
    synthetic: ClassVar[bool] = False

    @abstractmethod
    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance of the corpus, sorted by id.

        Args:
            root: The folder of the corpus.

        Raises:
            BenchError: A file of the layout is missing, or has a name that the corpus does not have.
        """

    def part_of(self, utterance: Utterance) -> str:
        """The part or release an utterance belongs to, a key of `counts`; "all" where there is only one."""
        del utterance
        return "all"

    def prepare(self, cache: Path) -> Path | None:
        """Make the corpus where it needs no download and return its root; None for every other corpus."""
        return None

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Say which utterances seem to be missing or surplus, where the naming of the corpus tells."""
        return []


class Upstream(ABC):
    """Represents speech.

    A subclass sets `name` and `sample_rate` and implements `encode`. Nothing heavy happens before the first `encode`:
    a model is loaded there, so that a run whose features are stored never loads it.

    Attributes:
        name: The row on the leaderboard.
        sample_rate: Rate at which `encode` wants its waveform [Hz].
        min_duration: Shortest waveform `encode` accepts [s]; a shorter utterance is an error before any encoding.
        layers: Declared number of layers; None leaves it to what `encode` returns.
        dim: Declared dimension; None leaves it to what `encode` returns.
        frame_rate: Declared frames a second [Hz]; None for one vector an utterance, and where it is not known before.
        hears: False where features are looked up by utterance id, and nothing is encoded.
        libraries: Distributions whose version decides the features; part of the identity.
        extra: The optional dependency group of this package that the upstream needs, if any.
        precisions: Lower precisions that the upstream can compute in; it heeds `precision` then.
        precision: Precision of the forward pass where it is not float32; part of the name and of the identity.
        batch_seconds: Audio that one call of `encode_batch` gets at most [s], the longest times their number.
        trained_on: Corpora of this benchmark with whose recordings the weights were trained.
        device: Where to compute, "cpu" or "cuda"; set by the run.
    """

    name: str
    sample_rate: int = 16_000
    min_duration: float = 0.0
    layers: int | None = None
    dim: int | None = None
    frame_rate: float | None = None
    hears: bool = True
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    extra: ClassVar[str | None] = None
    precisions: ClassVar[tuple[Precision, ...]] = ()
    precision: Precision | None = None
    batch_seconds: float = 60.0
    trained_on: tuple[str, ...] = ()
    device: str = "cpu"

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters that decide the features, as plain JSON values. No path of this machine."""
        return {}

    def weights_sha256(self) -> str | None:
        """Digest of the weights, computed without loading them; None for an upstream that has none."""
        return None

    def parameters(self) -> int:
        """Number of weights used in encoding; may load the model."""
        return 0

    def identity(self) -> dict[str, Any]:
        """Everything that decides the features; the feature store is keyed by it.

        The source of the defining module is part of it. An upstream whose code lives in several modules adds what
        else decides its features to `params`.
        """
        cls = type(self)
        return {
            "class": cls.__qualname__,
            "sample_rate": self.sample_rate,
            "params": dict(self.params),
            "precision": self.precision,
            "weights_sha256": self.weights_sha256(),
            "code_sha256": source_sha256(cls),
            "libraries": versions(self.libraries),
        }

    @abstractmethod
    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Represent one utterance.

        Args:
            wave: (n,) float32 at `sample_rate`, mono, at least `min_duration` long, values in [-1, 1] by convention.
        """

    def encode_batch(self, waves: Sequence[NDArray[np.float32]]) -> list[Features]:
        """Represent several utterances; every result equals that of `encode` alone within 1e-5."""
        return [self.encode(wave) for wave in waves]

    def attention(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """Attention maps of one utterance; they are never stored.

        Args:
            wave: As for `encode`.

        Returns:
            (B, H, T, T) float32 for B blocks and H heads: how much frame t (third axis) takes of each frame (fourth
            axis); every row sums to 1.

        Raises:
            UsageError: The upstream has no attention.
        """
        del wave
        raise UsageError(f"the upstream {self.name!r} has no attention maps", "those of transformers have")

    def lookup(self, ids: Sequence[str], corpus: Collection[str]) -> Mapping[str, Features]:
        """Features that were made elsewhere, for an upstream that does not hear the waveform.

        Args:
            ids: The utterances that are needed.
            corpus: Every utterance of the corpus they come from.

        Raises:
            BenchError: An utterance is missing, a feature belongs to none of the corpus, or is not finite.
            UsageError: The upstream hears, and encodes.
        """
        del ids, corpus
        raise UsageError(f"the upstream {self.name!r} looks nothing up", "it encodes waveforms")


class HeadParams(BaseModel):
    """Base of a downstream's parameters: a closed schema, so that a misspelt key in a recipe is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Downstream(ABC):
    """Reads a representation out: a head that is fitted on train, selected on dev and then predicts.

    One instance is one head: the run makes a new one for every fold and seed.

    Attributes:
        name: The class, as recipes name it.
        needs: What it needs of every utterance, see `Examples.x`; a property where the recipe decides.
        libraries: Distributions whose version decides the numbers; part of the identity.
        sequences: Whether it takes what was said before an utterance, in tasks with context, and only there.
        adapts: Whether `fit` takes unlabelled utterances of the target, in tasks between two corpora, and only there.
        concurrent: Whether several heads may be fitted in threads at once: they use nothing that all threads share,
            such as torch's own random generator.
        Params: The recipe's keys, a subclass of `HeadParams` (pydantic).
        params: The recipe's values.
        device: Where to compute, "cpu" or "cuda".
    """

    name: ClassVar[str]
    needs: Needs = "mean"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    sequences: ClassVar[bool] = False
    adapts: ClassVar[bool] = False
    concurrent: ClassVar[bool] = False
    Params: ClassVar[type[HeadParams]] = HeadParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        self.params: Any = params
        self.device = device

    @property
    def stochastic(self) -> bool:
        """Whether the seed matters; a head that ignores it is run with the task's first seed only."""
        return True

    @property
    def uses_dev(self) -> Literal["select", "fit", "no"]:
        """Whether the head selects on dev (and cannot do without), is fitted on it too, or leaves it alone."""
        return "no"

    @property
    def transductive(self) -> bool:
        """Whether the head uses unlabelled statistics of the test utterances; the record and leaderboard say so."""
        return False

    def identity(self) -> dict[str, Any]:
        """Everything of the head that decides the numbers."""
        cls = type(self)
        return {
            "class": cls.__qualname__,
            "params": self.params.model_dump(mode="json"),
            "code_sha256": source_sha256(cls),
            "libraries": versions(self.libraries),
        }

    @abstractmethod
    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Fit on train and select on dev.

        A head that `adapts` takes a further keyword, `adapt`: utterances of the target, without targets.

        Args:
            train: At least one example, with targets.
            dev: With targets; empty where the protocol has no dev set.
            seed: Decides initialisation and order.

        Raises:
            BenchError: The data do not suit the head, for example an empty dev set for a head that selects.
        """

    @abstractmethod
    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Score utterances after `fit`.

        Returns:
            (n, K) class scores whose argmax is the decision, or (n, k) values of the dimensions.
        """

    def parameters(self) -> int:
        """Number of trained values after `fit`."""
        return 0
