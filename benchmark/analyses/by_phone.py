"""How alike layers of two corpora represent vowels and consonants: by cosine, as of whole utterances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmark.alignments import COMMON_VOWELS, Alignments
from benchmark.analyses.similarity import cosine_by_class

Array = NDArray[np.float64]
KINDS = ("vowel", "consonant")
# What is looked at: the groups of table 3 of the paper, then the vowels of its figure 1.
PARTS = ("utterance", "vowels", "consonants", *COMMON_VOWELS)


def part_means(frames: NDArray[np.float32], name: str, alignments: Alignments, frame_rate: float) -> dict[str, Array]:
    """The mean of the frames of each part of an utterance that is spoken in it.

    Args:
        frames: (L, T, D) of the utterance.
        name: Its id.
        alignments: Its phones.
        frame_rate: Frames a second [Hz].

    Returns:
        (L, D) by those of `PARTS` that have a frame.
    """
    kinds, vowels = (
        _as_long(found, frames.shape[1])
        for found in (alignments.kinds(name, frame_rate, KINDS), alignments.vowels(name, frame_rate))
    )
    chosen = {
        "utterance": np.ones(frames.shape[1], dtype=bool),
        "vowels": kinds == KINDS.index("vowel"),
        "consonants": kinds == KINDS.index("consonant"),
        **{vowel: vowels == place for place, vowel in enumerate(COMMON_VOWELS)},
    }
    return {part: frames[:, own].mean(axis=1, dtype=np.float64) for part, own in chosen.items() if own.any()}


def similarity_by_part(
    source: Sequence[Mapping[str, Array]],
    target: Sequence[Mapping[str, Array]],
    classes: tuple[Sequence[str], Sequence[str]],
    names: Sequence[str],
) -> dict[str, Array]:
    """`cosine_by_class` of each part, over the utterances that have it.

    Upadhyay, Busso and Lee, "A layer-anchoring strategy for enhancing cross-lingual speech emotion recognition" (2024),
    figure 1 (vowels) and table 3 (all vowels, all consonants). The paper does not say what is averaged: here the frames
    of a part within an utterance.

    Args:
        source: `part_means` of n utterances of one corpus.
        target: Of m of the other.
        classes: The class of each of the n, and of each of the m utterances.
        names: K classes that both have.

    Returns:
        (K, L) by part, in the order of `PARTS`; without a part that some class has in no utterance of a corpus.
    """
    found = {}
    for part in PARTS:
        sides = [
            [(means[part], label) for means, label in zip(own, labels, strict=True) if part in means]
            for own, labels in zip((source, target), classes, strict=True)
        ]
        if all(set(names) <= {label for _, label in side} for side in sides):
            values = [np.stack([mean for mean, _ in side]) for side in sides]
            known = [label for _, label in sides[0]], [label for _, label in sides[1]]
            found[part] = cosine_by_class(values[0], values[1], known, names)
    return found


def _as_long(labels: NDArray[np.int64], frames: int) -> NDArray[np.int64]:
    """Labels of frames, cut or filled with -1 to so many."""
    found = np.full(frames, -1, dtype=np.int64)
    found[: len(labels)] = labels[:frames]
    return found
