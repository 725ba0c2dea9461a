"""Which frames the student does not hear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from upstreams.pretraining.recipe import Masking


def draw_masks(rows: int, frames: int, recipe: Masking, random: np.random.Generator) -> NDArray[np.bool_]:
    """Masks of spans, with the same number of masked frames in each row.

    Centres of spans are drawn with replacement, as many as would mask `probability` + `adjust` of the frames if they
    did not overlap; at the ends spans are cut. Then single frames are unmasked, or masked, until int(probability x
    frames) are. As facebookresearch/fairseq, fairseq/data/data_utils.py, compute_block_mask_1d.

    Args:
        rows: How many.
        frames: Of each.
        recipe: Probability, adjust and length.
        random: Where they are drawn from.

    Returns:
        (rows, frames), True where a frame is masked.
    """
    masks = np.zeros((rows, frames), dtype=np.bool_)
    spans = int(frames * (recipe.probability + recipe.adjust) / recipe.length)
    wanted = int(frames * recipe.probability)
    reach = np.arange(recipe.length) - recipe.length // 2
    for mask in masks:
        centres = random.integers(0, frames, size=spans)
        mask[np.clip(centres[:, None] + reach, 0, frames - 1)] = True
        surplus = int(mask.sum()) - wanted
        mask[random.choice(np.flatnonzero(mask == (surplus > 0)), size=abs(surplus), replace=False)] = surplus < 0
    return masks
