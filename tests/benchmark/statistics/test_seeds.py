"""Seeds that learnt nothing."""

from __future__ import annotations

import numpy as np
import pytest
from small_cells import REGRESSION, counts, only, rated

from benchmark.metrics import METRICS
from benchmark.statistics.seeds import collapsed_seeds, constant_score


def of_seeds(*hits: int):
    """Speakers of whom each seed decides so many of ten right in each class."""
    return lambda fold, seed: {f"{fold}{index}": counts(hits[seed], 10) for index in range(3)}


def one_class(fold: str, seed: int) -> dict[str, np.ndarray]:
    """Seed 1 always says the first class, the others are right in seven of ten."""
    always = np.zeros((4, 4))
    always[:, 0] = 10
    return {f"{fold}{index}": always if seed == 1 else counts(7, 10) for index in range(3)}


def test_a_seed_that_always_says_the_same_is_found() -> None:
    assert collapsed_seeds(only(one_class), "uar") == (1,)
    assert collapsed_seeds(only(one_class), "macro_f1") == (1,)


@pytest.mark.parametrize(
    ("hits", "found"),
    [
        ((7, 7, 7), ()),
        ((7, 6, 8), ()),
        ((7, 3, 7), (1,)),  # 30 where 25 is nothing and 70 the median: an eighth of the way
        ((7, 4, 7), ()),  # a third of the way
        ((2, 2, 2), ()),  # all of them learnt nothing, and none differs
        ((3, 3, 2), ()),
        ((2, 2, 7), ()),  # the exception is the one that learnt
    ],
)
def test_what_is_next_to_nothing_is_judged_by_the_seed_in_the_middle(hits: tuple[int, ...], found: tuple) -> None:
    assert collapsed_seeds(only(of_seeds(*hits)), "uar") == found


def test_a_single_seed_is_its_own_middle() -> None:
    assert collapsed_seeds(only(of_seeds(7), seeds=[0]), "uar") == ()


def test_values_have_collapsed_where_they_do_not_follow_the_truth() -> None:
    def by_speaker(fold: str, seed: int):
        return rated(3, 100.0 if seed == 2 else 0.3)(fold, seed)

    assert collapsed_seeds(only(by_speaker, **REGRESSION), "ccc") == (2,)
    assert collapsed_seeds(only(by_speaker, **REGRESSION), "rmse") == (2,)


def test_a_constant_answer_scores_what_it_scores() -> None:
    total = np.array([[3.0, 1, 0], [2, 2, 0], [0, 0, 2]])
    assert constant_score(total, METRICS["uar"]) == pytest.approx(1 / 3)
    assert constant_score(total, METRICS["wa"]) == pytest.approx(0.4)
    assert constant_score(total, METRICS["macro_f1"]) == pytest.approx(2 * 4 / (4 + 10) / 3)
    truth = np.random.default_rng(0).normal(2, 1, 50)
    moments = np.array([[50, truth.sum(), 7.0, (truth**2).sum(), 8.0, 9.0]])
    assert constant_score(moments, METRICS["ccc"]) == pytest.approx(0, abs=1e-9)
    assert constant_score(moments, METRICS["rmse"]) == pytest.approx(truth.std())
