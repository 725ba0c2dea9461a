"""BAVED: recordings that are there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from trees import baved

from benchmark.data.listening import hear
from benchmark.io.settings import load_settings
from tasks.corpora.baved import Baved

CORPUS = Baved()
Tree = Callable[[str], Path]


def test_baved_has_recordings_that_two_speakers_share(tree: Tree, tmp_path: Path) -> None:
    root = tree("baved")
    utterances = CORPUS.scan(root)
    heard, _ = hear(root, utterances, None, load_settings(), lambda count: None)
    speakers: dict[str, list[str]] = {}
    for utterance in utterances:
        speakers.setdefault(heard[utterance.id].sha256, []).append(str(utterance.speaker))
    shared = Counter(tuple(sorted(names)) for names in speakers.values() if len(names) > 1)
    assert shared == {("46", "53"): baved.SHARED, ("1", "1"): baved.TWICE}
