"""Confusion shifts on records made up."""

from __future__ import annotations

import numpy as np
import pytest
from boards_factory import named, rated
from records_factory import cell
from scipy import stats

from benchmark.analyses import confusion_shift
from benchmark.errors import BenchError, UsageError
from benchmark.records.cells import Cell
from benchmark.records.grouping import group

SPEAKERS = 6


def system(name: str, confused: int) -> Cell:
    """Of ten angry utterances of each speaker so many are taken for sad, one more or less, in an order of its own."""

    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        found = {}
        for index in range(SPEAKERS):
            counts = 10 * np.eye(4)
            wrong = confused + (index + confused // 4) % 2
            counts[0, 0], counts[0, 3] = 10 - wrong, wrong
            found[f"{fold}-{index}"] = counts
        return found

    return group(cell(by_speaker, **named(name))).cells[0]


def test_the_planted_shift_is_the_only_one() -> None:
    a, b = system("a", 5), system("b", 1)
    found = confusion_shift(a, b)
    assert found.outputs == ("angry", "happy", "neutral", "sad")
    assert found.sizes.tolist() == [120.0] * 4
    assert found.shares_a[0, 3] == pytest.approx(0.55)
    assert found.shifts[0][3].value == pytest.approx(0.4)
    assert found.shifts[0][0].value == pytest.approx(-0.4)
    shifted = [(i, j) for i in range(4) for j in range(4) if found.is_shifted(i, j)]
    assert shifted == [(0, 0), (0, 3)]


def test_p_values_are_student_s_over_speakers_and_corrected_for_all() -> None:
    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([len(fold), seed, 5])
        return {f"{fold}-{i}": np.stack([rng.multinomial(10, [0.25] * 4) for _ in range(4)]) for i in range(SPEAKERS)}

    a, b = system("a", 2), group(cell(by_speaker, **named("b"))).cells[0]
    found = confusion_shift(a, b)
    differences = (a.statistics() - b.statistics()).sum(axis=1).mean(axis=0) / 10
    expected = stats.ttest_1samp(differences, 0.0, axis=0).pvalue
    p = np.array([[one.p for one in row] for row in found.shifts])
    np.testing.assert_allclose(p, expected, atol=1e-12)
    order = np.sort(p.ravel())
    smallest = found.p_adjusted.ravel()[p.argmin()]
    assert smallest == pytest.approx(min(1.0, 16 * order[0]))
    assert (found.p_adjusted >= p - 1e-15).all()


def of_speakers(name: str, wrong: list[int]) -> Cell:
    """Of ten angry utterances of each speaker so many are taken for sad."""

    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        found = {}
        for index, number in enumerate(wrong):
            counts = 10 * np.eye(4)
            counts[0, 0], counts[0, 3] = 10 - number, number
            found[f"{fold}-{index}"] = counts
        return found

    return group(cell(by_speaker, **named(name))).cells[0]


def test_speakers_who_shift_alike_say_nothing_of_others() -> None:
    """Without any spread there is neither an interval nor a test, whatever the difference is."""
    found = confusion_shift(of_speakers("a", [6] * SPEAKERS), of_speakers("b", [1] * SPEAKERS))
    assert found.shifts[0][3].value == pytest.approx(0.5)
    assert {one.p for row in found.shifts for one in row} == {None}
    assert {one.low for row in found.shifts for one in row} == {None}
    assert not any(found.is_shifted(i, j) for i in range(4) for j in range(4))


def test_a_difference_of_shares_ends_at_1_and_what_is_not_tested_counts_for_the_correction() -> None:
    found = confusion_shift(of_speakers("a", [10, 0]), of_speakers("b", [0, 1]))
    one = found.shifts[0][3]
    assert one.low is not None
    assert one.high is not None
    assert -1.0 <= one.low < one.value < one.high <= 1.0
    assert one.p is not None  # two folds of two speakers each
    assert found.p_adjusted[0, 3] == pytest.approx(min(1.0, 16 * one.p))
    assert np.isnan(found.p_adjusted[1, 1])


def test_swapping_turns_the_signs() -> None:
    a, b = system("a", 5), system("b", 1)
    one, other = confusion_shift(a, b), confusion_shift(b, a)
    assert one.shifts[0][3].value == -other.shifts[0][3].value
    np.testing.assert_allclose(one.p_adjusted, other.p_adjusted)


def test_a_class_that_nobody_was_tested_on_is_not_tested() -> None:
    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        counts = np.eye(4)
        counts[2] = 0
        return {f"{fold}-{index}": counts for index in range(3)}

    a, b = (group(cell(by_speaker, **named(name))).cells[0] for name in ("a", "b"))
    found = confusion_shift(a, b)
    assert np.isnan(found.p_adjusted[2]).all()
    assert not found.is_shifted(2, 0)
    assert np.isnan(found.shares_a[2]).all()


def test_other_protocols_and_values_are_refused() -> None:
    other = group(cell(**named("c"), task__name="other")).cells[0]
    with pytest.raises(BenchError, match="are not of one protocol"):
        confusion_shift(system("a", 1), other)
    dims = group(rated("d", 1.0)).cells[0]
    with pytest.raises(UsageError, match="asks for values"):
        confusion_shift(dims, dims)
