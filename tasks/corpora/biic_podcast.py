"""BIIC-Podcast (Upadhyay et al. 2023): turns from Taiwanese podcasts, in the format of MSP-Podcast."""

from __future__ import annotations

from typing import ClassVar

from tasks.corpora.podcasts import PodcastCorpus


class BIICPodcast(PodcastCorpus):
    """BIIC-Podcast: turns from podcasts in Taiwanese Mandarin, 157 hours, 8 emotions and 3 dimensions."""

    name: ClassVar[str] = "biic-podcast"
    prefix: ClassVar[str] = "BIIC-PODCAST"
    language: ClassVar[str] = "zh-TW"
    licence: ClassVar[str] = "academic licence of National Tsing Hua University, by request"
    citation: ClassVar[str] = (
        "S. G. Upadhyay, W.-S. Chien, B.-H. Su, L. Goncalves, Y.-T. Wu, A. N. Salman, C. Busso, C.-C. Lee: An "
        "Intelligent Infrastructure Toward Large Scale Naturalistic Affective Speech Corpora Collection. ACII 2023"
    )
    homepage: ClassVar[str] = "https://biic.ee.nthu.edu.tw/open_resource_detail.php?id=63"
    how_to_get: ClassVar[str] = (
        "request it at https://biic.ee.nthu.edu.tw/open_resource_detail.php?id=63; the folder holds "
        "Labels/labels_consensus.csv and Audios, and is named by its release (BIIC-Podcast-1.0) or holds release.txt "
        "with its number"
    )
