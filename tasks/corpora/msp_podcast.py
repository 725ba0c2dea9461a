"""MSP-Podcast (Lotfian and Busso 2019): turns from English podcasts, rated by many, in releases that grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from benchmark.types import CorpusCounts, Utterance
from tasks.corpora.podcasts import PodcastCorpus

# The consensus list of release 1.3, beside that of a later one, so that its test set can be scored with later models.
OLD_LIST = "Labels/labels_consensus-1.3.csv"


class MSPPodcast(PodcastCorpus):
    """MSP-Podcast: turns from English podcasts in releases 1.3 to 1.12, 8 emotions and 3 dimensions."""

    name: ClassVar[str] = "msp-podcast"
    prefix: ClassVar[str] = "MSP-PODCAST"
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = "academic licence of the University of Texas at Dallas, by request"
    citation: ClassVar[str] = (
        "R. Lotfian, C. Busso: Building Naturalistic Emotionally Balanced Speech Corpus by Retrieving Emotional Speech "
        "from Existing Podcast Recordings. IEEE Transactions on Affective Computing 10(4), 2019. "
        "doi:10.1109/TAFFC.2017.2736999"
    )
    homepage: ClassVar[str] = "https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html"
    how_to_get: ClassVar[str] = (
        "request it at https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html; the folder holds "
        "Labels/labels_consensus.csv and Audios, and is named by its release (MSP-PODCAST-Publish-1.10) or holds "
        "release.txt with its number; the task msp-podcast-dims-eval-1-3 also needs the consensus list of release 1.3, "
        f"as {OLD_LIST}"
    )
    # Those that were published, by its home page, its readme or EmoBox; a test set without public labels is among them.
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "1.8": CorpusCounts(utterances=73042, speakers=None),
        "1.11": CorpusCounts(utterances=151654, speakers=None),
        "1.12": CorpusCounts(utterances=207136, speakers=None),
    }

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance, see `PodcastCorpus.scan`.

        `eval_1.3` says of a test utterance whether it was one in release 1.3 ("yes" or "no"; "unknown" without that
        release's list at `Labels/labels_consensus-1.3.csv`); it is None for the others.
        """
        utterances = super().scan(root)
        old = root / OLD_LIST
        tested: set[str] | None = None
        if old.is_file():
            rows = [(row, self._split(row["split_set"], where)[0]) for where, row in self._rows(old)]
            tested = {row["filename"].rpartition(".")[0] for row, split in rows if split == "test"}

        def in_old(utterance: Utterance) -> str | None:
            if utterance.split != "test":
                return None
            return "unknown" if tested is None else "yes" if utterance.id in tested else "no"

        return [replace(one, extra={**one.extra, "eval_1.3": in_old(one)}) for one in utterances]
