"""Schedules against formulas of their own."""

from __future__ import annotations

import numpy as np
import pytest

from upstreams.pretraining.schedules import decay, learning_rate


def test_the_learning_rate_is_a_line_and_half_a_cosine() -> None:
    steps, warm_up, highest = 40, 8, 7.5e-5
    found = [learning_rate(done, highest, steps, warm_up) for done in range(steps)]
    rising = np.linspace(0, highest, warm_up + 1)[:-1]
    falling = highest * np.cos(np.linspace(0, np.pi / 2, steps - warm_up + 1)[:-1]) ** 2  # (1 + cos 2x) / 2
    np.testing.assert_allclose(found, [*rising, *falling], rtol=1e-12)
    assert (found[0], found[warm_up], learning_rate(steps, highest, steps, warm_up)) == (0, highest, 0)


def test_without_a_warm_up_the_first_step_has_the_whole_rate() -> None:
    assert learning_rate(0, 0.1, 10, 0) == 0.1


def test_the_decay_rises_on_a_line_and_stays() -> None:
    found = [decay(done, 0.999, 0.99999, 20_000) for done in (0, 5_000, 10_000, 20_000, 90_000)]
    expected = np.interp([0, 5_000, 10_000, 20_000, 90_000], [0, 20_000], [0.999, 0.99999])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert decay(1, 0.5, 0.7, 0) == pytest.approx(0.7)
