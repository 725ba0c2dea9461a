"""Phone alignments met with a task: those of some of its utterances, held against the recordings that were heard."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from benchmark.alignments import Alignments, load_alignments
from benchmark.run.unit import Material


def alignments_of(material: Material, ids: Collection[str], folder: Path) -> Alignments:
    """The phones of some utterances of a task.

    Raises:
        BenchError: As `load_alignments`.
    """
    dataset, wanted = material.dataset, frozenset(ids)
    several = len(dataset.corpora) > 1
    utterances = {
        corpus.name: [
            one
            for one in dataset.utterances
            if one.id in wanted and (not several or one.id.startswith(f"{corpus.name}:"))
        ]
        for corpus in dataset.corpora
    }
    # Where recordings are cut their alignments go on.
    is_whole = dataset.task.audio.max_duration is None
    durations = {name: found.duration for name, found in material.heard.items()} if is_whole else {}
    return load_alignments(folder, {name: own for name, own in utterances.items() if own}, durations)
