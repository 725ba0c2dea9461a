"""Masks: how many frames, in which spans, and from what alone they follow."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_pretraining import tiny

from upstreams.pretraining.masking import draw_masks


def runs(mask: np.ndarray) -> list[int]:
    """Lengths of the masked stretches."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return list(edges[1::2] - edges[::2])


@pytest.mark.parametrize(("frames", "probability", "length"), [(149, 0.5, 5), (7, 0.5, 5), (60, 0.65, 10), (9, 0.3, 1)])
def test_each_row_masks_the_same_number_of_frames(frames: int, probability: float, length: int) -> None:
    recipe = tiny({"masking.probability": probability, "masking.length": length}).masking
    masks = draw_masks(50, frames, recipe, np.random.default_rng(0))
    assert masks.shape == (50, frames)
    assert set(masks.sum(axis=1)) == {int(frames * probability)}


def test_before_single_frames_are_changed_spans_are_whole() -> None:
    # As many as would mask 55 %, but few: so single frames are added, and spans of five stay whole.
    masks = draw_masks(200, 1000, tiny().masking, np.random.default_rng(1))
    lengths = np.array([length for mask in masks for length in runs(mask)])
    assert np.mean(lengths >= 5) > 0.5
    assert set(masks.sum(axis=1)) == {500}


def test_every_frame_is_masked_as_often() -> None:
    masks = draw_masks(1500, 40, tiny().masking, np.random.default_rng(2))
    share = masks.mean(axis=0)
    assert share.mean() == pytest.approx(0.5)
    assert np.abs(share[4:-4] - share[4:-4].mean()).max() < 0.06


def test_a_generator_gives_its_masks_again() -> None:
    one, same, other = (draw_masks(3, 30, tiny().masking, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
