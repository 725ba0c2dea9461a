"""Targets and losses against formulas in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from upstreams.pretraining.losses import average, deviation, distance, step_loss

RANDOM = np.random.default_rng(0)


def drawn(*shape: int) -> np.ndarray:
    return RANDOM.normal(0.3, 2, shape).astype(np.float32)


def test_targets_are_the_mean_of_blocks_normalised_over_time() -> None:
    blocks = [drawn(2, 11, 5) for _ in range(3)]
    found = average([torch.from_numpy(one) for one in blocks], "instance").numpy()
    wide = np.stack(blocks).astype(np.float64)
    normal = (wide - wide.mean(axis=2, keepdims=True)) / np.sqrt(wide.var(axis=2, keepdims=True) + 1e-5)
    np.testing.assert_allclose(found, normal.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-6)  # so an utterance's target is zero
    plain = average([torch.from_numpy(one) for one in blocks], "none").numpy()
    np.testing.assert_allclose(plain, wide.mean(axis=0), atol=1e-5)


def test_targets_of_half_precision_are_computed_in_float32() -> None:
    (found,) = average([torch.from_numpy(drawn(1, 9, 4)).to(torch.bfloat16)] * 2, "instance")
    assert found.dtype == torch.float32


def test_the_distance_is_summed_over_dimensions_and_divided_by_their_root() -> None:
    prediction, target = drawn(6, 9), drawn(6, 9)
    found = distance(torch.from_numpy(prediction), torch.from_numpy(target)).numpy()
    np.testing.assert_allclose(found, ((prediction - target) ** 2).sum(axis=1) / 3, rtol=1e-5)


@pytest.mark.parametrize("over", ["sum", "mean"])
def test_the_loss_of_a_part(over: str) -> None:
    frames, utterances = np.abs(drawn(7)), np.abs(drawn(4))
    found = step_loss(torch.from_numpy(frames), torch.from_numpy(utterances), 7, (0.5, 10.0), over)
    whole = utterances.sum() if over == "sum" else utterances.sum() / 4
    # Divided by the 7 masked frames of the step: a mean over frames, and alpha times the utterances.
    assert float(found) / 7 == pytest.approx(0.5 * frames.mean() + 10 * whole, rel=1e-5)


def test_the_deviation_is_that_of_rows_averaged_over_dimensions() -> None:
    rows = drawn(50, 6).astype(np.float64)
    total, squares = torch.from_numpy(rows.sum(axis=0)), torch.from_numpy((rows**2).sum(axis=0))
    expected = np.sqrt(rows.var(axis=0, ddof=1) + 1e-6).mean()
    assert deviation(torch.tensor(50.0), total, squares) == pytest.approx(expected, rel=1e-9)
    still = torch.ones(6, dtype=torch.float64)
    assert deviation(torch.tensor(50.0), 50 * still, 50 * still) == pytest.approx(1e-3)
