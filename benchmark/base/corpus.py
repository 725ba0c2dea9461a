"""The abstract corpus: what reads the official layout of one corpus."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.types import CorpusCounts, Download, Utterance


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
        published_broken: Recordings that were published broken, by utterance id, with what is wrong with them.
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
    published_broken: ClassVar[Mapping[str, str]] = {}
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
