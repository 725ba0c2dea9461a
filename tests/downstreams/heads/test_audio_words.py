"""Bags of audio words against counts made one frame at a time, from what openXBOW's options mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from benchmark.errors import BenchError
from downstreams.heads.audio_words import Bags, Codebook
from downstreams.params.boaw_svm import BoAWSVMParams

MACHINE: dict[str, Any] = {"kernel": "linear", "C": 1, "normalisation": "none", "layer": "last", "fit_on": "train"}
RECIPE: dict[str, Any] = {
    "layer": "last", "parts": 2, "words": 4, "codebook": "random++", "codebook_frames": None, "scaling": "standardise",
    "nearest": 1, "log": False, "idf": False, "norm": "none", "seed": None, "machine": MACHINE,
}  # fmt: skip


def params(**changes: Any) -> BoAWSVMParams:
    return BoAWSVMParams.model_validate({**RECIPE, **changes})


def utterances(n: int = 8, dim: int = 6, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.normal(3, 2, (random.integers(5, 20), dim)).astype(np.float32) for _ in range(n)]


def terms(frames: np.ndarray, bags: Bags, nearest: int) -> list[float]:
    """How many frames have each word among their nearest, by hand."""
    counted: list[float] = []
    for codebook in bags.codebooks:
        own = [0.0] * len(codebook.words)
        for frame in frames:
            scaled = (frame[codebook.columns].astype(float) - codebook.offset) / codebook.unit
            distances = [math.dist(scaled, word) for word in codebook.words]
            for word in sorted(range(len(own)), key=distances.__getitem__)[:nearest]:
                own[word] += 1
        counted += own
    return counted


@pytest.mark.parametrize("nearest", [1, 3])
@pytest.mark.parametrize("scaling", ["standardise", "normalise", "none"])
def test_terms_are_counted_as_by_hand(nearest: int, scaling: str) -> None:
    known, new = utterances(), utterances(seed=1)
    bags = Bags.learn(known, params(nearest=nearest, scaling=scaling), 0)
    found = bags.of(new)
    assert (found.shape, found.dtype) == ((8, 1, 8), np.float32)
    np.testing.assert_array_equal(found[:, 0], [terms(frames, bags, nearest) for frames in new])
    np.testing.assert_array_equal(found.sum(axis=(1, 2)), [2 * nearest * len(frames) for frames in new])


def test_terms_are_weighted_in_openxbows_order() -> None:
    """log10(count + 1), times log10(utterances / utterances that have the word), then the norm."""
    known, new = utterances(), utterances(seed=1)
    plain = Bags.learn(known, params(), 0)
    having = np.sum([np.array(terms(frames, plain, 1)) > 0 for frames in known], axis=0)
    inverse = np.log10(8 / having)
    counts = np.array([terms(frames, plain, 1) for frames in new])
    logs = np.log10(counts + 1) * inverse
    expected = {
        "none": logs,
        "frames": logs / [[len(frames)] for frames in new],
        "terms": logs / logs.sum(axis=1, keepdims=True),
        "length": logs / np.sqrt((logs**2).sum(axis=1, keepdims=True)),
    }
    for norm, values in expected.items():
        found = Bags.learn(known, params(log=True, idf=True, norm=norm), 0).of(new)
        np.testing.assert_allclose(found[:, 0], values, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), log=st.booleans(), words=st.integers(1, 9))
def test_a_normalised_bag_has_length_one_whatever_the_number_of_words(seed: int, log: bool, words: int) -> None:
    """openXBOW's help says so; it multiplies by the number of words."""
    found = Bags.learn(utterances(), params(norm="length", log=log, words=words), seed).of(utterances(seed=1))
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize("parts", [1, 2, 3, (6,), (1, 5), (2, 2, 2)])
def test_deviations_do_not_depend_on_the_number_of_codebooks(parts: Any) -> None:
    """openXBOW counts frames once for each codebook, and so gets larger deviations with more of them."""
    known = utterances()
    bags = Bags.learn(known, params(parts=parts), 0)
    values = np.concatenate(known).astype(float)
    np.testing.assert_allclose(np.concatenate([one.offset for one in bags.codebooks]), values.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(np.concatenate([one.unit for one in bags.codebooks]), values.std(axis=0), rtol=1e-6)


def test_a_word_that_all_have_says_nothing_and_an_empty_bag_stays_empty() -> None:
    same = [np.float32([[0.0], [9.0]])] * 3
    bags = Bags.learn(same, params(parts=1, words=2, idf=True, norm="length"), 0)
    assert (bags.of(same) == 0).all()


def test_of_words_that_are_equally_near_the_first_counts() -> None:
    words = np.float32([[1.0], [-1.0], [5.0]])
    codebook = Codebook(slice(0, 1), np.zeros(1), np.ones(1), words)
    assert codebook.counts(np.zeros((4, 1), np.float32), 1).tolist() == [4, 0, 0]
    assert codebook.counts(np.zeros((4, 1), np.float32), 2).tolist() == [4, 4, 0]


@pytest.mark.parametrize("codebook", ["random", "random++"])
def test_words_are_different_frames_of_train(codebook: str) -> None:
    known = utterances()
    (book,) = Bags.learn(known, params(parts=1, codebook=codebook, scaling="none"), 0).codebooks
    frames = {frame.tobytes() for frame in np.concatenate(known)}
    assert len({word.tobytes() for word in book.words} & frames) == 4


def test_words_are_drawn_as_far_apart_as_k_means_plus_plus_draws_them() -> None:
    """Three tight groups, one of 1000 frames and two of 5: even draws nearly always miss one, these hardly ever."""
    random = np.random.default_rng(0)
    groups = [random.normal(place, 0.01, (n, 1)).astype(np.float32) for place, n in ((0, 1000), (100, 5), (-100, 5))]
    found = {
        codebook: sum(
            {round(float(word[0]), -2) for word in Bags.learn(groups, recipe, seed).codebooks[0].words}
            == {-100, 0, 100}
            for seed in range(30)
        )
        for codebook in ("random", "random++")
        for recipe in [params(parts=1, words=3, scaling="none", codebook=codebook)]
    }
    assert found["random++"] >= 28
    assert found["random"] <= 2


def test_k_means_ends_where_every_word_is_the_mean_of_its_frames() -> None:
    known = utterances()
    (book,) = Bags.learn(known, params(parts=1, codebook="kmeans++", scaling="none"), 0).codebooks
    frames = np.concatenate(known)
    nearest = ((frames[:, None] - book.words) ** 2).sum(axis=-1).argmin(axis=1)
    np.testing.assert_allclose(book.words, [frames[nearest == word].mean(axis=0) for word in range(4)], atol=1e-4)


def test_codebooks_of_some_frames_are_those_of_a_corpus_of_these_frames() -> None:
    known = utterances()
    total = sum(map(len, known))
    few = Bags.learn(known, params(codebook_frames=20), 0)
    drawn = np.sort(np.random.RandomState(0).choice(total, 20, replace=False))
    np.testing.assert_allclose(few.codebooks[0].offset, np.concatenate(known)[drawn, :3].mean(axis=0), rtol=1e-5)
    every, more = (Bags.learn(known, params(codebook_frames=number), 0) for number in (None, total + 1))
    np.testing.assert_array_equal(every.of(known), more.of(known))


def test_the_seed_decides_the_words() -> None:
    first, again, other = (Bags.learn(utterances(), params(), seed).of(utterances()) for seed in (0, 0, 1))
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize(("parts", "wanted"), [(4, "4 equal parts"), ((3, 4), "parts of 3, 4 values"), (7, "7 equal")])
def test_parts_that_are_not_those_of_a_frame_are_refused(parts: Any, wanted: str) -> None:
    with pytest.raises(BenchError, match=f"frames of {wanted}.*have 6 values"):
        Bags.learn(utterances(), params(parts=parts), 0)


@pytest.mark.parametrize("codebook", ["random", "random++", "kmeans", "kmeans++"])
def test_fewer_different_frames_than_words_are_refused(codebook: str) -> None:
    silent = [np.zeros((50, 6), np.float32), np.ones((2, 6), np.float32)]
    with pytest.raises(BenchError, match="3 words is drawn from 52 frames of train, of which 2 differ"):
        Bags.learn(silent, params(words=3, codebook=codebook), 0)
    with pytest.raises(BenchError, match="60 words is drawn from 52 frames"):
        Bags.learn(silent, params(words=60, codebook=codebook), 0)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"nearest": 5}, "nearest is 5, and a codebook has 4 words"),
        ({"parts": ()}, "parts"),
        ({"parts": (3, 0)}, "parts"),
        ({"machine": {**MACHINE, "layer": "all"}}, "a bag is one vector"),
        ({"machine": {**MACHINE, "pooling": "statistics"}}, "a bag is one vector"),
        ({"machine": {**MACHINE, "colour": 1}}, "colour"),
        ({"norm": "l2"}, "norm"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        params(**changes)
