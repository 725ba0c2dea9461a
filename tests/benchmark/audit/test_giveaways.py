"""What alone tells the class: by hand, by scikit-learn, and against chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, normalized_mutual_info_score
from sklearn.neighbors import NearestCentroid

from benchmark.audit.giveaways import (
    contingency,
    from_durations,
    from_groups,
    nearest_mean_uar,
    normalised_mutual_information,
    vote_uar,
)


def test_what_the_speaker_tells_by_hand() -> None:
    # Speaker 1: three high; speaker 2: two low, one high. Leaving one out: speaker 1 always right; of speaker 2 the
    # low ones see one low and one high (a tie, the first label wins), the high one sees two low.
    assert vote_uar(np.array([[3, 0], [1, 2]])) == pytest.approx((3 / 4 + 0 / 2) / 2)
    assert vote_uar(np.array([[0, 3], [2, 1]])) == pytest.approx((3 / 4 + 2 / 2) / 2)


def test_information_by_hand() -> None:
    assert normalised_mutual_information(np.array([[5, 0], [0, 5]])) == pytest.approx(1.0)
    assert normalised_mutual_information(np.array([[5, 5], [5, 5]])) == pytest.approx(0.0)
    # I = 0.5 bit; H(class) = 1 bit, H(group) = 1.5 bit: half of the utterances are in one group, a quarter in others.
    assert normalised_mutual_information(np.array([[2, 2], [2, 0], [0, 2]])) == pytest.approx(0.5 / 1.25)
    assert normalised_mutual_information(np.array([[5, 0]])) == 1.0


GROUPED = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.floats(0.1, 20)), min_size=2, max_size=40)


@given(GROUPED)
def test_votes_and_information_are_those_of_others(rows: list[tuple[int, int, float]]) -> None:
    groups, classes = (np.array([row[i] for row in rows]) for i in range(2))
    table = contingency(groups, classes, 6, 4)
    assert normalised_mutual_information(table) == pytest.approx(
        normalized_mutual_info_score(groups, classes), abs=1e-9
    )
    votes = []
    for i in range(len(rows)):
        others = [row[1] for j, row in enumerate(rows) if j != i and row[0] == rows[i][0]]
        votes.append(max(range(4), key=lambda label, others=others: (others.count(label), -label)))
    recalls = [np.mean([votes[i] == k for i in range(len(rows)) if classes[i] == k]) for k in set(classes)]
    assert vote_uar(table) == pytest.approx(np.mean(recalls))


def test_the_nearest_mean_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    classes = generator.integers(0, 3, 60)
    values = generator.normal(classes, 1.0)
    decisions = []
    for i in range(60):
        rest = np.arange(60) != i
        decisions.append(NearestCentroid().fit(values[rest, None], classes[rest]).predict(values[i : i + 1, None])[0])
    found = nearest_mean_uar(values, classes, 3)
    assert found == pytest.approx(balanced_accuracy_score(classes, decisions))
    assert 0.4 < found < 0.9


@pytest.mark.parametrize("seconds", [0.02, 1.1, 2.7])  # the last two leave rounding in the means
def test_durations_that_are_all_alike_tell_nothing(seconds: float) -> None:
    classes = np.array([0, 1, 2] * 10)
    giveaway = from_durations(np.full(30, seconds), classes, 3)
    assert giveaway is not None
    assert (giveaway.uar, giveaway.chance_uar) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_a_class_of_one_utterance_is_never_guessed_for_it() -> None:
    assert nearest_mean_uar(np.array([5.0, 5.1, 0.5]), np.array([0, 0, 1]), 2) == 0.5


def test_chance_is_what_independent_groups_reach() -> None:
    generator = np.random.default_rng(3)
    giveaway = from_groups(generator.integers(0, 300, 3000), generator.choice(4, 3000, p=[0.7, 0.1, 0.1, 0.1]), 4)
    assert giveaway is not None
    assert giveaway.nmi is not None
    assert giveaway.uar == pytest.approx(giveaway.chance_uar, abs=0.02)
    # Three hundred small groups seem to tell something: chance says that they do not.
    assert giveaway.nmi > 0.03
    assert giveaway.nmi == pytest.approx(giveaway.chance_nmi, abs=0.02)


def test_what_is_not_known_tells_nothing() -> None:
    assert from_groups(np.array([-1, -1, -1]), np.array([0, 1, 1]), 2) is None
    assert from_groups(np.array([0, 1, -1]), np.array([0, 0, 1]), 2) is None  # one class among the known
    half = from_groups(np.array([4, 4, -1, 7, 7]), np.array([0, 0, 0, 1, 1]), 2)
    assert half is not None
    assert (half.utterances, half.groups, half.uar) == (4, 2, 1.0)
    assert from_durations(np.array([np.nan, 1.0]), np.array([0, 1]), 2) is None
