"""CMU-MOSEI (Zadeh et al. 2018): opinions from YouTube, with their sentiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from benchmark.types import CorpusCounts
from tasks.corpora.cmu import CMU, HIGHEST, HOW_TO_GET, LOWEST


class CMUMosei(CMU):
    """CMU-MOSEI: 23259 English segments of YouTube videos, sentiment from -3 to 3, official split by video."""

    name: ClassVar[str] = "cmu-mosei"
    licence: ClassVar[str] = "none stated; YouTube videos, for research"
    citation: ClassVar[str] = (
        "A. Zadeh, P. P. Liang, S. Poria, E. Cambria, L.-P. Morency: Multimodal Language Analysis in the Wild: "
        "CMU-MOSEI Dataset and Interpretable Dynamic Fusion Graph. ACL 2018. DOI 10.18653/v1/P18-1208"
    )
    homepage: ClassVar[str] = "http://multicomp.cs.cmu.edu/resources/cmu-mosei-dataset/"
    how_to_get: ClassVar[str] = HOW_TO_GET
    # The split is by video: 2249, 300 and 678. The re-packaging holds the 22856 segments of the split and not the
    # others that are labelled, which make it 23259.
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "train": CorpusCounts(16326, None),
        "dev": CorpusCounts(1871, None),
        "test": CorpusCounts(4659, None),
        "unassigned": CorpusCounts(403, None),
    }
    scales: ClassVar[Mapping[str, tuple[float, float]]] = {"sentiment": (LOWEST, HIGHEST)}
