"""Mismatch on decisions made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from benchmark.analyses import Decisions, mismatch
from benchmark.analyses.mismatch import cohens_kappa
from benchmark.errors import BenchError, UsageError


def decisions(system: str, *seeds: list[int]) -> Decisions:
    """Six tests of two speakers."""
    return Decisions(
        system=system,
        task="toy",
        outputs=("angry", "sad"),
        tests=tuple(("one", f"u{i}") for i in range(6)),
        speakers=("anna",) * 3 + ("bela",) * 3,
        truth=np.array([0, 0, 0, 1, 1, 1]),
        decided=np.array(seeds),
    )


A = decisions("a", [0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1])
B = decisions("b", [0, 0, 0, 0, 1, 1])


def test_shares_are_those_counted_by_hand() -> None:
    found = mismatch(A, B)
    # first seed of a: u2 and u3 differ; second: u1, u2 and u3
    assert found.between.value == pytest.approx((2 / 6 + 3 / 6) / 2)
    assert found.within_a is not None
    assert found.within_a.value == pytest.approx(1 / 6)
    assert found.within_b is None
    assert found.beyond is not None
    assert found.beyond.value == pytest.approx(2.5 / 6 - 1 / 6)
    assert (found.tests, found.seeds) == (6, (2, 1))


def test_the_interval_is_over_speakers() -> None:
    found = mismatch(A, B).between
    # anna: 1 and 2 of 3, bela: 1 and 1 of 3
    assert found.speakers == 2
    assert found.low is not None
    assert (found.low, found.high) == (0.0, 1.0)


def test_agreement_and_kappa() -> None:
    found = mismatch(decisions("a", A.decided[0].tolist()), B)
    assert found.agreement.tolist() == [[2, 0], [2, 2]]
    assert found.kappa == pytest.approx(cohen_kappa_score(A.decided[0], B.decided[0]))


def test_swapping_the_systems_turns_the_matrix() -> None:
    one, other = mismatch(A, B), mismatch(B, A)
    assert one.between == other.between
    np.testing.assert_allclose(one.agreement, other.agreement.T)
    assert one.kappa == pytest.approx(other.kappa)


def test_without_seeds_nothing_is_said_of_them() -> None:
    assert mismatch(B, decisions("c", [1, 1, 1, 1, 1, 1])).beyond is None


def test_kappa_of_decisions_that_are_all_alike_is_none() -> None:
    assert np.isnan(cohens_kappa(np.array([[4.0, 0.0], [0.0, 0.0]])))
    assert cohens_kappa(np.array([[2.0, 0.0], [0.0, 2.0]])) == 1.0


def test_other_utterances_another_truth_and_values_are_refused() -> None:
    with pytest.raises(BenchError, match="were not tested on the same utterances"):
        mismatch(A, replace(B, tests=B.tests[::-1]))
    with pytest.raises(BenchError, match="were not tested on the same utterances"):
        mismatch(A, replace(B, truth=1 - B.truth))
    values = replace(A, truth=np.zeros((6, 2)), decided=np.zeros((1, 6, 2)))
    with pytest.raises(UsageError, match="asks for values"):
        mismatch(values, values)
