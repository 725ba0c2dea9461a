"""Temperatures and sums of probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from benchmark.errors import BenchError
from benchmark.metrics import nll, score
from benchmark.run.calibrating import HIGHEST, LOWEST, fitted_temperature, log_probabilities, scaled
from benchmark.sufficient import CALIBRATION


def drawn(seed: int, n: int, classes: int, sure: float) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and log-probabilities of a head that is that sure, and right rather often."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    logits = sure * (rng.normal(0, 1, (n, classes)) + np.eye(classes)[truth])
    return truth, scaled(logits, 1.0)


@given(seed=st.integers(0, 300), n=st.integers(20, 80), classes=st.integers(2, 8), sure=st.floats(0.3, 6))
def test_the_temperature_is_that_of_scalar_minimisation(seed: int, n: int, classes: int, sure: float) -> None:
    truth, likely = drawn(seed, n, classes, sure)

    def loss(inverse: float) -> float:
        exponents = np.exp(inverse * likely)
        return float(-np.log(exponents[np.arange(n), truth] / exponents.sum(axis=1)).mean())

    best = minimize_scalar(loss, bounds=(1 / HIGHEST, 1 / LOWEST), method="bounded", options={"xatol": 1e-9})
    found = fitted_temperature(truth, likely)
    assert LOWEST <= found <= HIGHEST
    assert loss(1 / found) == pytest.approx(float(best.fun), abs=1e-6)
    if LOWEST < found < HIGHEST:
        assert 1 / found == pytest.approx(float(best.x), rel=2e-3)


def test_a_head_that_is_too_sure_is_cooled_and_decides_the_same() -> None:
    truth, likely = drawn(0, 400, 4, 5.0)
    temperature = fitted_temperature(truth, likely)
    after = scaled(likely, temperature)
    assert temperature > 2
    assert score("nll", truth, after) < score("nll", truth, likely)
    assert score("ece", truth, after) < score("ece", truth, likely)
    np.testing.assert_array_equal(after.argmax(axis=1), likely.argmax(axis=1))


def test_temperatures_have_ends() -> None:
    sure = np.log(np.array([[0.9, 0.1], [0.2, 0.8]]))
    assert fitted_temperature(np.array([0, 1]), sure) == LOWEST
    assert fitted_temperature(np.array([1, 0]), sure) == HIGHEST
    assert fitted_temperature(np.array([1, 0]), np.log(np.full((2, 2), 0.5))) == 1


def test_probabilities_and_their_logarithms_are_the_same() -> None:
    likely = np.array([[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]])
    plain = log_probabilities(likely, "plain")
    with np.errstate(divide="ignore"):
        logs = log_probabilities(np.log(likely), "log")
    np.testing.assert_allclose(plain, logs)
    assert plain.min() == pytest.approx(np.log(2.0**-52))


@pytest.mark.parametrize(
    ("scores", "form"),
    [([[0.5, 0.4]], "plain"), ([[1.5, -0.5]], "plain"), ([[0.5, 0.5]], "log"), ([[3.0, 1.0]], "log")],
)
def test_what_is_no_probability_is_refused(scores: list[list[float]], form: str) -> None:
    with pytest.raises(BenchError, match="says that its scores are probabilities"):
        log_probabilities(np.array(scores), form)  # type: ignore[arg-type]


@given(seed=st.integers(0, 200), speakers=st.integers(1, 12))
def test_sums_of_speakers_are_those_of_all_exactly(seed: int, speakers: int) -> None:
    truth, likely = drawn(seed, 200, 4, 3.0)
    rng = np.random.default_rng(seed)
    who, order = rng.integers(0, speakers, 200), rng.permutation(200)
    parts = [CALIBRATION.of(truth[who == one], likely[who == one]) for one in range(speakers) if (who == one).any()]
    together = CALIBRATION.of(truth[order], likely[order])
    np.testing.assert_array_equal(CALIBRATION.total(parts), together)
    assert float(nll(CALIBRATION.total(parts))) == float(nll(together))
    assert CALIBRATION.have_whole_numbers(together)
    assert CALIBRATION.are_possible(together)
    assert CALIBRATION.right(together) == (likely.argmax(axis=1) == truth).sum()


@pytest.mark.parametrize(
    ("row", "column", "add"),
    [(1, 0, 1), (2, 14, 2_000_000), (2, 14, -200_000), (1, 15, 4_000_000), (2, 15, 40_000_000)],
)
def test_sums_that_cannot_be_are_seen(row: int, column: int, add: int) -> None:
    sums = CALIBRATION.of(np.array([0]), np.log(np.array([[0.98, 0.02]])))
    assert CALIBRATION.are_possible(sums)
    sums[row, column] += add
    assert not CALIBRATION.are_possible(sums)
