"""Layers that share a vowel or a consonant alone are found, and an utterance counts where it has the part."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.alignments import Alignments, PhoneClasses, Segment
from benchmark.analyses import most_similar
from benchmark.analyses.by_phone import PARTS, part_means, similarity_by_part

SPOKEN = ("a", "s", "i", "s", "a")
RATE = 10.0


def alignments(*labels: str) -> Alignments:
    """Each phone lasts 0.3 s, of three frames."""
    found = tuple(Segment(0.3 * place, 0.3 * (place + 1), label) for place, label in enumerate(labels))
    return Alignments({"x": found}, {"here": PhoneClasses.of(labels)}, {"x": "here"})


def test_means_are_of_the_frames_of_each_part() -> None:
    frames = np.random.default_rng(0).normal(size=(2, 15, 4)).astype(np.float32)
    found = part_means(frames, "x", alignments(*SPOKEN), RATE)
    assert set(found) == {"utterance", "vowels", "consonants", "a", "i"}
    np.testing.assert_allclose(found["a"], frames[:, [0, 1, 2, 12, 13, 14]].mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found["i"], frames[:, 6:9].mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found["consonants"], frames[:, [3, 4, 5, 9, 10, 11]].mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found["utterance"], frames.mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize("frames", [11, 15, 30])
def test_features_may_have_less_or_more_frames_than_the_alignment(frames: int) -> None:
    found = part_means(np.ones((1, frames, 2), np.float32), "x", alignments(*SPOKEN), RATE)
    assert all((mean == 1).all() for mean in found.values())


def corpus(seed: int, vowel: int, consonant: int, layers: int = 5) -> list[dict[str, np.ndarray]]:
    """Vowels point one way in layer `vowel` in every corpus, consonants in layer `consonant`; else each its own."""
    shared, own = np.random.default_rng(99).normal(size=6), np.random.default_rng(seed)
    found = []
    for _ in range(20):
        frames = own.normal(size=(layers, 15, 6))
        for layer, kinds in ((vowel, (0, 1, 2, 6, 7, 8, 12, 13, 14)), (consonant, (3, 4, 5, 9, 10, 11))):
            frames[layer, list(kinds)] += 5 * shared
        found.append(part_means(frames.astype(np.float32), "x", alignments(*SPOKEN), RATE))
    return found


def test_planted_layers_are_chosen_by_part() -> None:
    labels = ["angry", "sad"] * 10
    found = similarity_by_part(corpus(1, 3, 1), corpus(2, 3, 1), (labels, labels), ["angry", "sad"])
    assert list(found) == ["utterance", "vowels", "consonants", "a", "i"]
    assert all(values.shape == (2, 5) for values in found.values())
    for part, layer in (("vowels", 3), ("consonants", 1), ("a", 3), ("i", 3)):
        assert most_similar(found[part].mean(axis=0), 1) == (layer,)
        assert found[part][:, layer].min() > 0.8


def test_a_part_that_a_class_never_has_is_left_out_and_utterances_without_it_too() -> None:
    def means(*parts: str, value: float = 1.0) -> dict[str, np.ndarray]:
        return {part: np.full((1, 2), value) for part in ("utterance", *parts)}

    source = [means("a"), means(), means("a", "vowels")]
    target = [means("a"), means("a"), means("a", value=-1.0)]
    found = similarity_by_part(source, target, (["x", "x", "y"], ["x", "y", "y"]), ["x", "y"])
    assert list(found) == ["utterance", "a"]  # x has no vowels in the source
    np.testing.assert_allclose(found["a"][:, 0], [1.0, 0.0])
    assert PARTS[:3] == ("utterance", "vowels", "consonants")
