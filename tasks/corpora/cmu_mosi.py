"""CMU-MOSI (Zadeh et al. 2016): opinions on films from YouTube, with their sentiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from benchmark.types import CorpusCounts
from tasks.corpora.cmu import CMU, HIGHEST, HOW_TO_GET, LOWEST


class CMUMosi(CMU):
    """CMU-MOSI: 2199 English segments of 93 videos, sentiment from -3 to 3, official split by video."""

    name: ClassVar[str] = "cmu-mosi"
    licence: ClassVar[str] = "none stated; YouTube videos, for research"
    citation: ClassVar[str] = (
        "A. Zadeh, R. Zellers, E. Pincus, L.-P. Morency: MOSI: Multimodal Corpus of Sentiment Intensity and "
        "Subjectivity Analysis in Online Opinion Videos. 2016. arXiv:1606.06259"
    )
    homepage: ClassVar[str] = "http://multicomp.cs.cmu.edu/resources/cmu-mosi-dataset/"
    how_to_get: ClassVar[str] = HOW_TO_GET
    # The split is by video: 52, 10 and 31. The paper counts 89 speakers; the table does not tell them.
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "train": CorpusCounts(1284, None),
        "dev": CorpusCounts(229, None),
        "test": CorpusCounts(686, None),
    }
    scales: ClassVar[Mapping[str, tuple[float, float]]] = {"sentiment": (LOWEST, HIGHEST)}
