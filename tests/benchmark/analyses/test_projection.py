"""Projections, and the numbers beside them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

from benchmark.analyses import neighbours, plane
from benchmark.analyses.projection import standardised
from benchmark.errors import BenchError, MissingError

RNG = np.random.default_rng(0)
EMOTIONS = ["angry", "sad"] * 20
SPEAKERS = [f"s{i // 10}" for i in range(40)]
# The speaker decides where an utterance lies, the emotion hardly does.
VOICES = np.array([[10.0 * int(name[1]), 0, 0] for name in SPEAKERS]) + RNG.normal(0, 0.1, (40, 3))


def test_numbers_are_those_of_scikit_learn() -> None:
    values = RNG.normal(0, 1, (40, 6))
    found = neighbours(values, EMOTIONS, SPEAKERS, label="emotion")
    nearest = NearestNeighbors(n_neighbors=10).fit(values).kneighbors(return_distance=False)
    same = np.asarray(EMOTIONS)[nearest] == np.asarray(EMOTIONS)[:, None]
    assert found.purity == pytest.approx(same.mean())
    assert found.silhouette == pytest.approx(silhouette_score(values, EMOTIONS))
    assert found.chance == pytest.approx(19 / 39)


def test_what_parts_speakers_parts_no_emotions() -> None:
    by_speaker = neighbours(VOICES, SPEAKERS, SPEAKERS, label="speaker")
    by_emotion = neighbours(VOICES, EMOTIONS, SPEAKERS, label="emotion")
    assert by_speaker.purity == pytest.approx(0.9)  # nine of the ten nearest are all that the speaker has
    assert by_speaker.silhouette is not None
    assert by_speaker.silhouette > 0.9
    assert by_speaker.elsewhere is None
    assert by_emotion.purity < 0.65


def test_an_emotion_that_each_voice_has_alone_shows_among_other_speakers() -> None:
    """Speakers 0 and 1 are angry, 2 and 3 sad, each far from all others: nearest are her own, elsewhere are not."""
    emotions = ["angry" if name in ("s0", "s2") else "sad" for name in SPEAKERS]
    found = neighbours(VOICES, emotions, SPEAKERS, label="emotion")
    assert found.purity >= 0.9
    assert found.elsewhere is not None
    assert found.elsewhere < 0.2


def test_one_label_has_no_silhouette() -> None:
    found = neighbours(VOICES, ["angry"] * 40, SPEAKERS, label="emotion")
    assert (found.silhouette, found.purity, found.chance) == (None, 1.0, 1.0)


def test_the_plane_repeats_and_keeps_what_is_apart_apart() -> None:
    values = VOICES @ np.ones((3, 3))  # apart in every dimension
    found = plane(values)
    assert found.shape == (40, 2)
    np.testing.assert_array_equal(found, plane(values))
    assert neighbours(found, SPEAKERS, SPEAKERS, label="speaker").purity > 0.85


def test_dimensions_weigh_alike_and_a_constant_one_nothing() -> None:
    found = standardised(np.array([[1.0, 1000.0, 5.0], [2.0, 3000.0, 5.0], [3.0, 5000.0, 5.0]]))
    np.testing.assert_allclose(found[:, 0], found[:, 1])
    assert found[:, 2].tolist() == [0, 0, 0]


def test_too_few_and_a_missing_package_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BenchError, match="4 utterances are too few"):
        plane(VOICES[:4])
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingError, match=r'pip install "serbench\[umap\]"'):
        plane(VOICES, "umap")
